"""Access to a database that somebody hands over: it is read by SQLite, wherever it is, and leaves no files beside it.

A database with a write-ahead log is read through two files beside it. If both exist and can be used, another program
may have it open, and SQLite's locks are needed. Otherwise nobody has it open: it is read as a file that does not
change, or, if its log holds something, as a private copy.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from sidecar.storage.sqlite.files import at_rest, room, wal

SQLITE = b"SQLite format 3\x00"
"""The first bytes of every SQLite database."""

_READ_VERSION = 19
"""Where the header says how the file is read: 2 means with a write-ahead log (https://sqlite.org/fileformat.html)."""

_SCRATCH = "scratch-"


@contextmanager
def reading(path: Path, scratch: Path) -> Iterator[sqlite3.Connection]:
    """Open the database at `path` for reading; a private copy, if one is needed, is made in `scratch`.

    Raises `OSError` when the file cannot be read, `sqlite3.DatabaseError` when it is not a sound database.
    """
    path = path.resolve()
    if _needs_no_files(path):
        with closing(at_rest.open_at_rest(path) if _has_log_mode(path) else _open(path)) as connection:
            yield connection
        return
    in_use = _opened_in_use(path)
    if in_use is not None:
        with closing(in_use):
            yield in_use
        return
    with TemporaryDirectory(dir=scratch) as folder:
        copy = Path(folder) / "copy.db"
        for suffix in ("", "-wal", "-journal"):
            source = path.with_name(path.name + suffix)
            if source.exists():
                room.need_room(copy.parent, source.stat().st_size)
                shutil.copyfile(source, copy.with_name(copy.name + suffix))
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = ON")
            yield connection


def _has_log_mode(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_READ_VERSION + 1)[_READ_VERSION:] == b"\x02"


def _needs_no_files(path: Path) -> bool:
    """Return whether reading the database neither makes files beside it nor depends on existing ones."""
    if path.with_name(path.name + "-journal").exists():
        return False
    if not _has_log_mode(path):
        return True
    return not wal.has_content(path) and not path.with_name(path.name + "-shm").exists()


def _opened_in_use(path: Path) -> sqlite3.Connection | None:
    """Return a connection that uses the existing files beside the database; `None` if they are missing or unusable."""
    if not _has_log_mode(path) or not all(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-shm")):
        return None
    connection = _open(path)
    try:
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        return None
    return connection


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)


@contextmanager
def scratch_in(directory: Path) -> Iterator[Path]:
    """Make a private directory for large temporary files, and remove it at the end.

    It is made in `directory`, which has room for the data; the system's own directory may be in memory. Directories of
    processes that were killed are removed, too.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in directory.glob(f"{_SCRATCH}*-*"):
        pid = left.name.removeprefix(_SCRATCH).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(dir=directory, prefix=f"{_SCRATCH}{os.getpid()}-") as folder:
        yield Path(folder)
