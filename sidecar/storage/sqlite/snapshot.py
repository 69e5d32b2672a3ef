"""One copy of a database: made through SQLite's backup API, verified by opening it, and only then given its name.

The file of an open database is never copied as a file: closing it again would drop SQLite's locks on it
(https://sqlite.org/howtocorrupt.html, "File descriptors and locks").
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sidecar.errors import StorageError


class Snapshot(NamedTuple):
    """A verified copy."""

    path: Path
    schema_version: int
    rows: dict[str, int]
    """How many rows each table holds."""


def make_snapshot(source: sqlite3.Connection, destination: Path, *, check_references: bool = True) -> Snapshot:
    """Copy what `source` sees at one moment to `destination`, which appears there only when it has been verified.

    `source` must have no transaction open. Raises `StorageError` when the copy is not sound, `OSError` and
    `sqlite3.Error` when it cannot be made; a file that was at `destination` is then still there.
    """
    destination.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = destination.with_name(destination.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        source.execute("BEGIN")
        try:
            expected = count_rows(source)
            with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
                source.backup(copy)
                # Not a write-ahead log: the copy has to be complete in its one file.
                copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            source.execute("ROLLBACK")
        verified = verify(partial, check_references=check_references)
        if verified.rows != expected:
            raise StorageError("The copy of the database does not hold the same rows as the database.")
        _sync(partial)
        partial.replace(destination)
        _sync(destination.parent)
    finally:
        partial.unlink(missing_ok=True)
    return verified._replace(path=destination)


def verify(path: Path, *, check_references: bool = True) -> Snapshot:
    """Open the copy at `path`, check every page and, unless told otherwise, every foreign key, and count its rows.

    Raises `StorageError` when something is wrong with it, `sqlite3.Error` when it is not a database.
    """
    with closing(open_at_rest(path)) as copy:
        problems = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
        if problems:
            raise StorageError(f"The copy of the database is damaged: {'; '.join(problems)}.")
        if check_references and copy.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise StorageError("The copy of the database has rows that refer to rows that are not there.")
        version: int = copy.execute("PRAGMA user_version").fetchone()[0]
        return Snapshot(path, version, count_rows(copy))


def open_at_rest(path: Path) -> sqlite3.Connection:
    """A connection that reads a database nobody has open, and makes no file beside it."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, isolation_level=None)


def count_rows(connection: sqlite3.Connection) -> dict[str, int]:
    """The number of rows of each table, SQLite's own left out."""
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables.fetchall()}


def _sync(path: Path) -> None:
    """Have a file, or a directory's list of names, reach the disk. Windows cannot sync a directory and need not."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
