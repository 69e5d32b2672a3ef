"""Failures at every place where there can be one. The chaos in real processes is in the bridge's suite."""
