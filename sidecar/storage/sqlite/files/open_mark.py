"""The mark of a database that is open, or was not closed: its write-ahead log must be there.

SQLite makes the log when it opens the database and removes it when it closes it. So a log that is missing beside this
mark was removed, by a person or by another program that opened the database and closed it properly.
"""

import logging
import os
from pathlib import Path

from sidecar.storage.sqlite.files import atomic

log = logging.getLogger(__name__)

_CONTENT = b"The database is open, or was not closed.\n"
"""A mark without it does not count: it was not finished, so nothing had been answered yet."""

_EMPTIED = "Emptied: "

_left: set[Path] = set()
"""The databases that this process has marked."""


def path_of(database: Path) -> Path:
    return database.with_name(database.name + ".open")


def is_there(database: Path) -> bool:
    """Return whether the last run did not close the database."""
    try:
        return path_of(database).stat().st_size > 0
    except OSError:
        return False


def leave(database: Path) -> None:
    """Mark a database whose log has just been made. Without room for the mark, a missing log is noticed less often."""
    _left.add(database)
    if is_there(database):
        return
    try:
        with open(path_of(database), "wb", opener=_private) as file:
            # The names of the log and of the mark reach the disk before the mark counts.
            atomic.sync(database.parent)
            file.write(_CONTENT)
            atomic.flush(file)
    except OSError as error:
        log.warning("the database cannot be marked as open: %s", error)


def note_emptied(database: Path, salts: bytes, frames: int) -> None:
    """Note in the mark that the first frames of the log with these salts are in the database, and may be removed.

    The log's index is not synced: after a power cut it may still know them as frames that are only in the log.
    """
    try:
        with open(path_of(database), "ab", opener=_private) as file:
            file.write(f"{_EMPTIED}{salts.hex()} {frames}\n".encode())
            atomic.flush(file)
    except OSError as error:
        log.warning("that the log of the database is emptied cannot be noted: %s", error)


def was_emptied(database: Path, salts: bytes, frames: int) -> bool:
    """Return whether all of so many frames of that log are noted."""
    beginning = f"{_EMPTIED}{salts.hex()} "
    try:
        lines = path_of(database).read_text(encoding="ascii").splitlines()
        return any(frames <= int(line.removeprefix(beginning)) for line in lines if line.startswith(beginning))
    except (OSError, ValueError):  # a line that was not finished
        return False


def remove(database: Path) -> None:
    """Take the mark away, on the disk too, before SQLite may remove the log."""
    _left.discard(database)
    try:
        if path_of(database).exists():
            _unlink(path_of(database))
            atomic.sync(database.parent)
    except OSError as error:
        log.warning("the mark of the open database cannot be removed: %s", error)


def _unlink(mark: Path) -> None:
    try:
        mark.unlink()
    except OSError:
        os.truncate(mark, 0)  # which ends it, too


def remove_all() -> None:
    """Take away every mark of this process, whose connections are about to be closed."""
    for database in tuple(_left):
        remove(database)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
