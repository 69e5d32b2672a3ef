"""Whether a database's file is sound: how it was left, how much of it is looked at when, and what SQLite's check says.

A clean stop leaves a mark beside the file: its size and time, and when it was last checked as a whole. No mark means
that the last run did not end cleanly, another size or time that somebody changed the file since.
"""

import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from sidecar.errors import DatabaseDamaged
from sidecar.models import timestamps
from sidecar.models.recovery import LogDamage
from sidecar.storage.sqlite import log_file

SMALL_BYTES = 8 * 1024 * 1024
"""A file up to this size is checked while it is opened. Measured: 1.6 ms a MiB for the quick check, 6 for the whole."""

MAX_PROBLEMS = 20

MOST_FINDINGS = 10_000
"""Of SQLite's check, which also counts rows that break a constraint."""

_OF_A_ROW = re.compile(r"(?:NULL|NUMERIC|TEXT|non-\w+) value in |CHECK constraint failed in ")
"""Findings about the values of a row and not about the file."""


class Left(Enum):
    """How the last run left the file."""

    CLEAN = "clean"
    UNCLEAN = "unclean"
    CHANGED = "changed"


class Mark(NamedTuple):
    """What a clean stop remembers."""

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
    content = json.dumps(Mark(state.st_size, state.st_mtime_ns, checked_at)._asdict())
    descriptor = os.open(mark_path(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)


def how_left(path: Path) -> Left:
    """How the last run left a file that is there."""
    mark = read_mark(path)
    if mark is None or log_file.has_content(path):
        return Left.UNCLEAN
    state = path.stat()
    return Left.CLEAN if (state.st_size, state.st_mtime_ns) == (mark.size, mark.modified_ns) else Left.CHANGED


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


class Inspection:
    """What is looked at while one file is opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        is_new = not path.exists() or path.stat().st_size == 0
        self._is_small = is_new or path.stat().st_size <= SMALL_BYTES
        self._left = Left.CLEAN if is_new else how_left(path)
        self._log = log_file.extent(path)
        mark = read_mark(path)
        self.checked_at = timestamps.now() if is_new else mark.checked_at if mark is not None else None
        self.is_check_due = self._left is not Left.CLEAN

    def run(self, connection: sqlite3.Connection, keep_log: Callable[[LogDamage], None]) -> None:
        """Look at the file through the connection that will write to it. Raises `DatabaseDamaged`.

        `keep_log` is called while a log that cannot be read to its end is still there.
        """
        is_suspect = self._left is Left.CHANGED and self._is_small
        if self._log is not None:
            (_, readable, _) = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            log_damage = self._log.damage_after(readable)
            if log_damage is not None:
                keep_log(log_damage)
                is_suspect = True
        if self._is_small or is_suspect:
            found = problems(connection, quick=not is_suspect)
            if found:
                raise DatabaseDamaged(f"The database file is damaged: {found[0]}")
            if is_suspect:
                self.checked_at, self.is_check_due = timestamps.now(), False
