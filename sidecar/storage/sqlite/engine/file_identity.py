"""Comparison of the open database file and its write-ahead log with the files that have their names now.

A path is not an identity: while SQLite has a file open, somebody can delete it, move it, or put another one in its
place, and SQLite writes on into a file that no longer has a name. Device and inode number show that, and a `stat` takes
1.7 µs. Links are not followed: SQLite names the write-ahead log after the file that it opened, and another one after a
link.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from sidecar.errors import StorageLost
from sidecar.storage.sqlite.engine.listeners import Listeners
from sidecar.storage.sqlite.files import wal

log = logging.getLogger(__name__)

NOTHING_STORED = "Nothing can be stored any more; stop the sidecar. Its health check says where the rows were saved."

Identity = tuple[int, int]
"""Device and inode number."""

_GONE = (FileNotFoundError, NotADirectoryError)


class FileIdentity:
    """The identity of one database's files, from `remember` until `forget`. Without a path it never finds a loss.

    `is_lost` and what it finds may be used in any thread.
    """

    def __init__(self, path: Path | None) -> None:
        self._database = None if path is None else str(path)
        self._log = None if path is None else str(wal.wal_path(path))
        self._database_identity: Identity | None = None
        self._log_identity: Identity | None = None
        self._listeners = Listeners[StorageLost]()
        self._is_reported = False
        self.loss: str | None = None
        """A sentence that says which file was lost, from when `is_lost` found it until `forget`."""

    def remember(self) -> None:
        """Record the identity of the files that have the names now, which must be the open ones.

        On a file system whose inode numbers are missing or not stable, nothing is ever found lost.
        """
        self.forget()
        if self._database is None or self._log is None:
            return
        found = _identity(self._database)
        if found is None or found[1] == 0 or found != _identity(self._database):
            return
        self._database_identity, self._log_identity = found, _identity(self._log)

    def forget(self) -> None:
        """End the comparison; called before the files are closed."""
        self._database_identity = self._log_identity = self.loss = None

    def is_lost(self) -> bool:
        """Compare, at the cost of two `stat`s, and return whether a file is lost; from then on it stays lost."""
        if self.loss is None and self._database_identity is not None and not self._is_as_remembered():
            self.loss = self._compare_database() or self._compare_log()
        return self.loss is not None

    @property
    def error(self) -> StorageLost | None:
        """The error of every write since a file was found lost."""
        return None if self.loss is None else StorageLost(f"{self.loss} {NOTHING_STORED}")

    def require(self) -> None:
        """Raises `StorageLost` when the files were found lost before; does not compare."""
        if (error := self.error) is not None:
            raise error

    def check(self) -> bool:
        """Compare, report a loss to the listeners, and return whether there is one. Called on the event loop."""
        is_lost = self.is_lost()
        self.report_loss()
        return is_lost

    def on_loss(self, listener: Callable[[StorageLost], None]) -> None:
        """Have `listener` called, on the event loop, once the files were found lost."""
        self._listeners.add(listener)

    def report_loss(self) -> None:
        """Report a loss that was found in any thread, once. Called on the event loop."""
        if self._is_reported or self.loss is None:
            return
        self._is_reported = True
        log.critical("%s It was %s.", self.loss, self._database)
        self._listeners.tell(StorageLost(self.loss))

    @property
    def owns_path(self) -> bool:
        """True if the file at the database's path is the open one."""
        return self._database is not None and _identity(self._database) == self._database_identity

    @property
    def owns_log_path(self) -> bool:
        """True if the file at the write-ahead log's path is the open one."""
        return self._log is not None and self._log_identity is not None and _identity(self._log) == self._log_identity

    def _is_as_remembered(self) -> bool:
        assert self._database is not None
        assert self._log is not None
        try:
            return _stat(self._database) == self._database_identity and _stat(self._log) == self._log_identity
        except OSError:
            return False

    def _compare_database(self) -> str | None:
        assert self._database is not None
        try:
            found = _stat(self._database)
        except _GONE:
            return "The database file was deleted or moved while the sidecar had it open."
        except OSError:
            return None  # a directory that cannot be searched, or a disk that fails, is no proof
        if found == self._database_identity:
            return None
        if found != _identity(self._database):
            self.forget()  # the numbers change by themselves, so they identify nothing
            return None
        return "Another file was put in the place of the database file while the sidecar had it open."

    def _compare_log(self) -> str | None:
        assert self._log is not None
        try:
            found = _stat(self._log)
        except _GONE:
            if self._log_identity is None:
                return None
            return "The write-ahead log was deleted or moved while the sidecar had it open."
        except OSError:
            return None
        if self._log_identity is None:
            self._log_identity = found
        if found == self._log_identity:
            return None
        if found != _identity(self._log):
            self.forget()
            return None
        return "Another file was put in the place of the write-ahead log while the sidecar had it open."


def _stat(path: str) -> Identity:
    state = os.lstat(path)
    return state.st_dev, state.st_ino


def _identity(path: str) -> Identity | None:
    try:
        return _stat(path)
    except OSError:
        return None
