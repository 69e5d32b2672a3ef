"""Preferences of the app and its extensions, and the last runs of extensions' scheduled functions.

The id of a preference is its namespace and its name, `notes/cards_a_day`, so that it is a text key like those of
threads. A namespace has no `/`.
"""

import sqlite3

from sidecar.storage.sqlite.schema.making_room import make_room

STATEMENTS = (
    """
    CREATE TABLE preferences (
        id TEXT NOT NULL PRIMARY KEY,
        value TEXT,
        updated_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE task_runs (
        name TEXT NOT NULL PRIMARY KEY,
        ran_at TEXT NOT NULL
    )
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Add the tables."""
    for table in ("preferences", "task_runs"):
        make_room(connection, table)
    for statement in STATEMENTS:
        connection.execute(statement)
