"""Storing rows safely. Everything above comes in by `UnifiedStorage`; nothing here knows of HTTP or of processes."""
