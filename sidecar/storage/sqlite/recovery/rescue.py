"""Rescue of an open database whose file was deleted, moved or replaced, into a new file, by SQLite's backup API.

The new file lies in the database's directory, which is made again if it was deleted, so that the next start finds it
and says so. Where that cannot be, it lies in the directory above, and at last in the user's home directory.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sidecar.errors import SidecarError, StorageError
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.engine.file_identity import FileIdentity
from sidecar.storage.sqlite.files import atomic, companions, wal

log = logging.getLogger(__name__)

RESCUED = ".rescued-"
"""Between the name of the database and the moment, in the name of the new file."""


def rescue(connection: sqlite3.Connection, database: Path, moment: str) -> Path:
    """Copy the database that `connection` has open to a new file, verify and sync it, and return its path.

    Raises `StorageError` when it cannot be saved anywhere, with the reason of the first place that was tried.
    """
    first: Exception | None = None
    for directory in _places(database):
        destination = directory / f"{database.name}{RESCUED}{moment}.db"
        try:
            return snapshot.make_snapshot(connection, destination).path
        except (SidecarError, OSError, sqlite3.Error) as error:
            log.warning("what is open cannot be saved as %s: %s", destination, error)
            first = first or error
    raise StorageError(f"It could not be saved: {first}") from first


def part_log_from_foreign_file(database: Path, file: FileIdentity, moment: str) -> None:
    """Give the open write-ahead log another name where the database's path leads to a foreign file, or to none.

    SQLite would take the log for that file's own at the next start, and a file under another one's log is damaged.
    """
    if file.owns_log_path and not file.owns_path:
        wal_path = wal.wal_path(database)
        wal_path.replace(wal_path.with_name(f"{database.name}.lost-{moment}-wal"))
        with suppress(OSError):  # Windows keeps it while it is open
            companions.beside(database, "-shm").unlink(missing_ok=True)
        atomic.sync(wal_path.parent)


def _places(database: Path) -> Iterator[Path]:
    yield database.parent
    yield database.parent.parent
    yield Path.home()
