"""Whose database a file is, as its header says, and its own history of migrations.

Both are written in one transaction. Where they differ, the header is damaged: a history is many bytes, two numbers are
eight.
"""

import sqlite3
from collections.abc import Sequence

from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS, Migration

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


def recorded_version(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> int | None:
    """Return the newest version in the database's history; `None` without one that begins as this project's does."""
    try:
        (first,) = connection.execute("SELECT name FROM schema_migrations WHERE version = 1").fetchone() or (None,)
        (newest,) = connection.execute("SELECT max(version) FROM schema_migrations").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return None  # there is no such table, or it is another program's
    return newest if first == migrations[0].name and isinstance(newest, int) else None


def version_to_restore(connection: sqlite3.Connection) -> int | None:
    """Return the version that a damaged header should have; `None` if the header agrees with the history."""
    recorded = recorded_version(connection)
    return None if recorded == version_of(connection) else recorded


def restore(connection: sqlite3.Connection, version: int) -> None:
    """Write both numbers into the header again."""
    with transaction(connection):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
