"""Databases that nobody has open."""

import sqlite3
from pathlib import Path


def open_at_rest(path: Path) -> sqlite3.Connection:
    """A connection that reads a database nobody has open, and makes no file beside it."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, isolation_level=None)
