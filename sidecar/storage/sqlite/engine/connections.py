"""The connections to one database: one that writes and some that only read, each with a thread of its own.

How they are opened and closed is here; what runs on them, and when, is in `database.py`, their settings are in
`pragmas.py`.
"""

import atexit
import sqlite3
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, Self, TypeVar
from weakref import WeakValueDictionary

import aiosqlite
from aiosqlite import core

from sidecar.errors import StorageLost
from sidecar.storage.sqlite.engine import pragmas
from sidecar.storage.sqlite.engine.errors import translate_errors
from sidecar.storage.sqlite.engine.file_identity import FileIdentity
from sidecar.storage.sqlite.files import open_mark

T = TypeVar("T")

Prepare = Callable[[sqlite3.Connection], object]
"""Runs on the writer's connection before anything else, in its thread: the place for migrations."""

CACHED_STATEMENTS = 256
"""Prepared statements kept by each connection; Python's default of 128 is fewer than this project has."""


LONGEST_END_S = 5.0
"""Seconds that the end of the process waits for a connection that was not closed."""


class Connection(aiosqlite.Connection):
    """aiosqlite's connection with the one verb it lacks: run a whole function in its thread, with a single hop.

    The thread is a daemon, so that a program which ends without closing the connection does end. The connection is then
    closed by `_close_left_open`.
    """

    @classmethod
    async def open(cls, connector: Callable[[], sqlite3.Connection]) -> Self:
        """Start the thread and have it call `connector`, whose errors are raised."""
        connection = cls(connector, iter_chunk_size=64)
        connection._thread = Thread(target=_serve, args=(connection._tx,), daemon=True)
        _left_open[next(_numbers)] = connection
        try:
            _ = await connection
        except BaseException:
            # aiosqlite has told the thread to end by now, but does not wait for it.
            connection._thread.join()
            raise
        return connection

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return the result of `function(connection, *arguments)`; cancelling the caller does not stop it."""
        result: T = await self._execute(function, self._conn, *arguments)  # type: ignore[no-untyped-call]
        return result

    def interrupt_now(self) -> None:
        """End the statement that runs; does nothing when none does."""
        self._conn.interrupt()


def _serve(queue: Any) -> None:
    """aiosqlite's own work, which goes on when nobody is left to be answered: the loop of a program that ended."""
    while True:
        try:
            core._connection_worker_thread(queue)
        except RuntimeError:  # what it raises for a closed loop; errors of the work itself are answers
            continue
        return


_numbers = count()
_left_open: WeakValueDictionary[int, Connection] = WeakValueDictionary()
"""Every connection, in the order in which they were opened."""


@atexit.register
def _close_left_open() -> None:
    """Close what the program left open, once what runs has ended; readers first, as `Connections.close` does."""
    open_mark.remove_all()
    for _, connection in sorted(_left_open.items(), reverse=True):
        if connection._thread.is_alive():
            connection.stop()
            connection._thread.join(LONGEST_END_S)


class Connections:
    """The writer and the readers of one database, or of one in memory: there, the writer is the only reader.

    They can be closed and opened again, as others, once nothing runs on them.
    """

    writer: Connection

    def __init__(self, location: Path | None, readers: int) -> None:
        self._location = location
        self.file = FileIdentity(location)
        self.reader_count = 1 if location is None else readers
        self.lacks_room = False
        """True if what is opened next only reads, on a disk that is full: the writer is then the only reader, too."""
        self._readers: dict[int, Connection] = {}
        self._is_marked = False

    async def open(self, prepare: Prepare) -> None:
        """Open the writer and a reader, or none. Raises what `prepare` raises; SQLite's errors as this project's.

        On a disk without room, `prepare` must only look at the database.
        """
        with translate_errors():
            if self.lacks_room:
                assert self._location is not None
                self.writer = await Connection.open(partial(_connect_without_room, self._location, prepare, self.file))
                return
            self.writer = await Connection.open(partial(_connect_writer, self._location, prepare, self.file))
            try:
                _ = await self.reader(0)
            except BaseException:
                self.file.forget()
                if self._location is not None:
                    await self.writer.run(lambda _, location: open_mark.remove(location), self._location)
                await self.writer.close()
                raise
        if self._location is not None:
            self._is_marked = True
            await self.writer.run(lambda _, location: open_mark.leave(location), self._location)

    async def reader(self, number: int) -> Connection:
        """The reader of this number. All but the first are opened when they are first asked for: most apps need one."""
        if self._location is None or self.lacks_room:
            return self.writer
        if number not in self._readers:
            try:
                self._readers[number] = await self.another_reader()
            except StorageLost:
                return self._readers[0]
        return self._readers[number]

    async def another_reader(self) -> Connection:
        """One more connection that only reads, which is its caller's to close.

        Raises `StorageLost` when the path no longer leads to the file that the writer has open.
        """
        assert self._location is not None
        try:
            reader = await Connection.open(partial(_connect_reader, self._location))
        except sqlite3.Error:
            self._require_file()
            raise
        try:
            self._require_file()
        except StorageLost:
            await reader.close()
            raise
        return reader

    def _require_file(self) -> None:
        self.file.is_lost()
        self.file.require()

    async def close(self) -> None:
        """Readers first: the last one to close empties the write-ahead log, which only the writer can."""
        self.file.forget()
        while self._readers:
            _, reader = self._readers.popitem()
            await reader.close()
        if self._is_marked:
            self._is_marked = False
            await self.writer.run(lambda _, location: open_mark.remove(location), self._location)
        await self.writer.close()


def _connect_writer(location: Path | None, prepare: Prepare, file: FileIdentity) -> sqlite3.Connection:
    connection = _connect(":memory:" if location is None else str(location))
    try:
        pragmas.prepare_writer(connection)
        file.remember()
        prepare(connection)
        if file.is_lost():
            raise StorageLost(f"{file.loss} Start the sidecar again.")
    except BaseException:
        file.forget()
        if location is not None:
            open_mark.remove(location)
        connection.close()
        raise
    return connection


def _connect_without_room(location: Path, require_current: Prepare, file: FileIdentity) -> sqlite3.Connection:
    from sidecar.storage.sqlite.engine import without_room  # for a disk that is full

    connection = without_room.open_for_reading(location, require_current)
    file.remember()
    return connection


def _connect_reader(location: Path) -> sqlite3.Connection:
    connection = _connect(f"{location.as_uri()}?mode=ro")
    pragmas.prepare_reader(connection)
    return connection


def _connect(location: str) -> sqlite3.Connection:
    """A connection in autocommit mode: this project's own code begins and ends every transaction."""
    connection = sqlite3.connect(
        location, isolation_level=None, uri=location.startswith("file:"), cached_statements=CACHED_STATEMENTS
    )
    connection.row_factory = sqlite3.Row
    return connection
