"""The state of a closed database's file, before anything is concluded from its bytes."""

import os
import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from sidecar.errors import DatabaseDamaged, StorageReadOnly
from sidecar.storage.sqlite.files import companions, integrity
from sidecar.storage.sqlite.files.wal import UnreadableEnd
from sidecar.storage.sqlite.recovery.ladder import Recovery


def settle(recovery: Recovery, path: Path, backups: Path) -> None:
    """Bring the file to where SQLite would, and report a log that is missing or has lost its last commit.

    Does nothing where there is no regular file. Raises `StorageReadOnly`, and `DatabaseDamaged` for a file that holds
    nothing and did before.
    """
    if not path.is_file():
        return
    _require_writable(path)
    missing = recovery.log_reports.missing()
    companions.roll_back(path)
    _require_what_was_there(path, backups)
    if missing is not None:
        recovery.log_reports.note_missing(missing)
    recovery.log_reports.note_lost_commit()


def _require_writable(path: Path) -> None:
    """SQLite would open a file that it cannot write to, and refuse every write. Raises `StorageReadOnly`."""
    if not os.access(path, os.W_OK):
        raise StorageReadOnly("The database cannot be written to; check the permissions of its file.")


def _require_what_was_there(path: Path, backups: Path) -> None:
    """Have a file that holds nothing be a new database, unless there was one. Raises `DatabaseDamaged`."""
    if not integrity.is_blank(path):
        return
    if integrity.held_data(path, backups):
        raise DatabaseDamaged(f"{path} is empty, but held data before.")
    os.truncate(path, 0)


class LogKeeper(AbstractContextManager["LogKeeper"]):
    """Keeps a log that cannot be read to its end, with a report, or without room for that, as it is.

    SQLite removes the log with the last connection that can write. One that only reads, and is closed after that,
    prevents this.
    """

    def __init__(self, recovery: Recovery, path: Path) -> None:
        self._recovery = recovery
        self._path = path
        self._reader: sqlite3.Connection | None = None

    def keep(self, end: UnreadableEnd) -> None:
        try:
            self._recovery.log_reports.note_damage(end)
        except BaseException:
            address = f"{self._path.absolute().as_uri()}?mode=ro"
            self._reader = sqlite3.connect(address, uri=True, check_same_thread=False)
            self._reader.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
            raise

    def __exit__(self, *_: object) -> None:
        if self._reader is not None:
            self._reader.close()
