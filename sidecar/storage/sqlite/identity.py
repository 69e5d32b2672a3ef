"""Whose database a file is, as its header says."""

import sqlite3

APPLICATION_ID = 0x65534443
"""Marks the file as this project's, for `file` and for us (https://sqlite.org/fileformat.html, "Application ID")."""


def is_ours(connection: sqlite3.Connection) -> bool:
    """Return whether the database is this project's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(application == APPLICATION_ID)


def version_of(connection: sqlite3.Connection) -> int:
    """The schema version of our database; 0 for any other, whatever `user_version` another tool has given it."""
    if not is_ours(connection):
        return 0
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
