"""The schema of one version as a text, for new databases; migrations with a higher number follow it.

The migrations up to it change tables many times, and a new database has no rows to carry over: they take 55 ms there,
the text 23. It is what they make, which `tests/storage/test_baseline.py` proves and can write for a later version.
"""

import sqlite3
from pathlib import Path

VERSION = 18

TEXT = Path(__file__).with_name("baseline.sql")
END = ";\n\n"
"""Ends each statement of the text; none has it inside."""


def make(connection: sqlite3.Connection) -> None:
    """Make the schema of `VERSION` in an empty database, inside a transaction that is open."""
    for statement in TEXT.read_text(encoding="utf-8").split(END):
        connection.execute(statement)


def fits(connection: sqlite3.Connection) -> bool:
    """Return whether the database is empty."""
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
