"""electron-sidecar: the local backend of an Electron app, one supervised process over one SQLite database."""

__version__ = "0.1.0"

API_VERSION = 1
"""Raised when an operation changes in a way that an older bridge could not call."""
