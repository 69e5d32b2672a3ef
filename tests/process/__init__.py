"""Promises about processes, asserted on real ones."""
