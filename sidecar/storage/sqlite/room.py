"""Whether a directory takes new files, and the connection that reads a database on a disk without room.

SQLite makes two files beside a database that it opens in the usual way. Where they cannot be made, the file is read as
one that does not change; what its write-ahead log holds is read with the log's index in memory.
"""

import errno
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from sidecar.errors import DiskFull, NoRoomToStart
from sidecar.storage.sqlite import log_file, pragmas
from sidecar.storage.sqlite.identity import is_ours, version_of

PROBE_BYTES = 1024 * 1024
"""Room for the two files, and for a few commits."""


class _Reading(sqlite3.Connection):
    """A connection that leaves the write-ahead log where it is when it is closed.

    SQLite would copy the log into the database and remove it. It gives this up when it is interrupted.
    """

    def close(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it was closed before
            self.interrupt()
        super().close()


_NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def is_lacking(error: OSError) -> bool:
    """Return whether an operating system's error says that a disk, or what a user may have of it, is full."""
    return error.errno in _NO_ROOM


def is_there(directory: Path) -> bool:
    """Return whether the directory takes a new file of `PROBE_BYTES`.

    One is made: quotas and the number of files that a disk can hold are in no figure that every system has.
    """
    from tempfile import TemporaryFile  # only where the disk was full

    try:
        with TemporaryFile(dir=directory, buffering=0) as probe:
            probe.write(bytes(PROBE_BYTES))
            os.fsync(probe.fileno())
            return probe.tell() == PROBE_BYTES
    except OSError as error:
        return not is_lacking(error)


def error() -> DiskFull:
    """Return the error of every write while there is no room."""
    return DiskFull("The disk is full; free some space and try again. Nothing was changed, and rows can still be read.")


def open_for_reading(path: Path, latest_version: int) -> sqlite3.Connection:
    """Return a connection that reads the database and makes no file beside it. No other connection can be opened.

    Raises `NoRoomToStart` for a database that cannot be read before something was written to it.
    """
    if not path.exists() or path.stat().st_size == 0:
        raise NoRoomToStart(f"The disk of {path} is full, and there is no database yet; free some space.")
    uri = path.absolute().as_uri()
    # Of one without a frame that can be read, nothing would be left to give up when it is closed.
    has_log = log_file.has_content(path) and log_file.readable_frames(path) > 0
    address = f"{uri}?mode=rw" if has_log else f"{uri}?immutable=1"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, factory=_Reading)
    try:
        if has_log:
            pragmas.keep_log_index_in_memory(connection)
        pragmas.prepare_reader(connection)
        connection.row_factory = sqlite3.Row
        if version_of(connection) != latest_version or not is_ours(connection):
            raise NoRoomToStart(
                f"The disk of {path} is full, and this version of the program must change the database before it can "
                "read it; free some space."
            )
    except BaseException:
        connection.close()
        raise
    return connection
