"""The connection that reads a database on a disk without room.

SQLite makes two files beside a database that it opens in the usual way. Where they cannot be made, the file is read as
one that does not change; what its write-ahead log holds is read with the log's index in memory.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sidecar.errors import NoRoomToStart
from sidecar.storage.sqlite.engine import pragmas
from sidecar.storage.sqlite.files import companions, wal


class _Reading(sqlite3.Connection):
    """A connection that leaves the write-ahead log where it is when it is closed.

    SQLite would copy the log into the database and remove it. It gives this up when it is interrupted.
    """

    def close(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it was closed before
            self.interrupt()
        super().close()


def open_for_reading(path: Path, require_current: Callable[[sqlite3.Connection], object]) -> sqlite3.Connection:
    """Return a connection that reads the database and makes no file beside it. No other connection can be opened.

    `require_current` raises `NoRoomToStart` for a database that this program must change before it can read it. So does
    this for one that cannot be read before something was written to it.
    """
    if not path.exists() or path.stat().st_size == 0:
        raise NoRoomToStart(f"The disk of {path} is full, and there is no database yet; free some space.")
    if companions.has_journal(path):  # which SQLite would not look at
        raise NoRoomToStart(f"The disk of {path} is full, and a write that was cut off must be undone; free space.")
    uri = path.absolute().as_uri()
    # Of one without a frame that can be read, nothing would be left to give up when it is closed.
    has_log = wal.has_content(path) and wal.readable_frames(path) > 0
    address = f"{uri}?mode=rw" if has_log else f"{uri}?immutable=1"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, factory=_Reading)
    try:
        if has_log:
            pragmas.keep_log_index_in_memory(connection)
        pragmas.prepare_reader(connection)
        connection.row_factory = sqlite3.Row
        require_current(connection)
    except BaseException:
        connection.close()
        raise
    return connection
