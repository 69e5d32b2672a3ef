"""The soundness of a database's file: how it was left, how much of it is checked when, and what SQLite's check says.

A clean stop leaves a mark beside the file: its size and time, and when it was last checked as a whole. No mark means
that the last run did not end cleanly, another size or time that somebody changed the file since. While the database is
open, there is another mark (`open_mark.py`).
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from sidecar.clock import Clock
from sidecar.errors import DatabaseDamaged
from sidecar.models import timestamps
from sidecar.storage.sqlite.files import atomic, open_mark, wal
from sidecar.storage.sqlite.files.wal import UnreadableEnd
from sidecar.storage.sqlite.files.wal_index import LogIndex

SMALL_BYTES = 8 * 1024 * 1024
"""A file up to this size is checked while it is opened. Measured: 1.6 ms a MiB for the quick check, 6 for the whole."""

MAX_PROBLEMS = 20

_BLOCK = 64 * 1024

MOST_FINDINGS = 10_000
"""Of SQLite's check, which also counts rows that break a constraint."""

_OF_A_ROW = re.compile(r"(?:NULL|NUMERIC|TEXT|non-\w+) value in |CHECK constraint failed in ")
"""Findings about the values of a row and not about the file."""


class ShutdownState(Enum):
    """How the last run left the file."""

    CLEAN = "clean"
    UNCLEAN = "unclean"
    CHANGED = "changed"


class Mark(NamedTuple):
    """The record of a clean stop."""

    size: int
    modified_ns: int
    checked_at: str | None


def mark_path(path: Path) -> Path:
    return path.with_name(path.name + ".closed")


def read_mark(path: Path) -> Mark | None:
    """The mark of the last clean stop, if the file has one."""
    try:
        return Mark(**json.loads(mark_path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def leave_mark(path: Path, checked_at: str | None) -> None:
    """Remember how the file looks now that it is closed. Raises `OSError`."""
    state = path.stat()
    atomic.write_whole(mark_path(path), json.dumps(Mark(state.st_size, state.st_mtime_ns, checked_at)._asdict()))


def how_left(path: Path) -> ShutdownState:
    """How the last run left a file that is there."""
    mark = read_mark(path)
    if mark is None or open_mark.is_there(path) or wal.has_content(path):
        return ShutdownState.UNCLEAN
    state = path.stat()
    return (
        ShutdownState.CLEAN
        if (state.st_size, state.st_mtime_ns) == (mark.size, mark.modified_ns)
        else ShutdownState.CHANGED
    )


def held_data(path: Path, backups: Path) -> bool:
    """Return whether anything says that a store was at `path`, so that an empty file is no new one."""
    mark = read_mark(path)
    if (mark is not None and mark.size) or open_mark.is_there(path):
        return True
    extent = wal.extent(path)
    return any(backups.glob("*.db")) or (extent is not None and any(frame.ends_commit for frame in extent.frames))


def is_blank(path: Path) -> bool:
    """Return whether the file has no byte but zeros, as a power cut leaves one that was only given its size."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if block.count(0) != len(block):
                return False
    return True


def problems(connection: sqlite3.Connection, *, quick: bool = False) -> list[str]:
    """Return what is wrong with the file; nothing when it is sound.

    The quick check does not compare indexes with tables. A row that breaks a constraint is invalid, and no damage.
    """
    pragma = "quick_check" if quick else "integrity_check"
    try:
        with _ignoring_constraints(connection):
            found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}({MOST_FINDINGS})")]
    except UnicodeDecodeError:  # Python cannot decode SQLite's message when that quotes damaged text
        return ["the schema is not UTF-8"]
    except sqlite3.DatabaseError as error:
        if (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return [str(error)]
        raise
    return [problem for problem in found if problem != "ok" and not _OF_A_ROW.match(problem)][:MAX_PROBLEMS]


@contextmanager
def _ignoring_constraints(connection: sqlite3.Connection) -> Iterator[None]:
    (before,) = connection.execute("PRAGMA ignore_check_constraints").fetchone()
    connection.execute("PRAGMA ignore_check_constraints = ON")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA ignore_check_constraints = {before}")


class OpenCheck:
    """The checks of one file while it is opened."""

    def __init__(self, path: Path, index: LogIndex | None, clock: Clock) -> None:
        """`index` is what the log's index knew before anybody opened the file."""
        self._clock = clock
        is_new = not path.exists() or path.stat().st_size == 0
        self._is_small = is_new or path.stat().st_size <= SMALL_BYTES
        self._left = ShutdownState.CLEAN if is_new else how_left(path)
        self._index = index
        self._log = wal.extent(path, index)
        self.last_used_at = _last_used_at(path)
        mark = read_mark(path)
        self.checked_at = timestamps.now(clock) if is_new else mark.checked_at if mark is not None else None
        self.is_check_due = self._left is not ShutdownState.CLEAN

    def run(self, connection: sqlite3.Connection, keep_log: Callable[[UnreadableEnd], None]) -> None:
        """Look at the file through the connection that will write to it. Raises `DatabaseDamaged`.

        `keep_log` is called while a log that cannot be read to its end is still there.
        """
        is_suspect = self._left is ShutdownState.CHANGED and self._is_small
        if self._log is not None:
            (_, readable, _) = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            end = self._log.unreadable_after(readable, self._index)
            if end is not None:
                keep_log(end)
                is_suspect = True
        if self._is_small or is_suspect:
            found = problems(connection, quick=not is_suspect)
            if found:
                raise DatabaseDamaged(f"The database file is damaged: {found[0]}")
            if is_suspect:
                self.checked_at, self.is_check_due = timestamps.now(self._clock), False


def _last_used_at(path: Path) -> datetime | None:
    changes = [modified_ns for _, modified_ns in wal.states(path).values()]
    try:
        return datetime.fromtimestamp(max(changes) / 1e9, UTC) if changes else None
    except (OverflowError, ValueError, OSError):  # a time that another program gave the file
        return None
