"""The connections to one database: one that writes and some that only read, each with a thread of its own.

How they are opened and closed is here; what runs on them, and when, is in `database.py`, their settings are in
`pragmas.py`.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

from sidecar.storage.sqlite import pragmas
from sidecar.storage.sqlite.failures import translating

T = TypeVar("T")

Prepare = Callable[[sqlite3.Connection], object]
"""What is done to the writer's connection before anything else, in its thread: the place for migrations."""

CACHED_STATEMENTS = 256
"""Prepared statements kept by each connection; Python's default of 128 is fewer than this project has."""


class Connection(aiosqlite.Connection):
    """aiosqlite's connection with the one verb it lacks: run a whole function in its thread, with a single hop."""

    @classmethod
    async def open(cls, connector: Callable[[], sqlite3.Connection]) -> Self:
        """Start the thread and have it call `connector`, whose errors are raised."""
        connection = cls(connector, iter_chunk_size=64)
        try:
            _ = await connection
        except BaseException:
            # aiosqlite has told the thread to end by now, but does not wait for it.
            connection._thread.join()
            raise
        return connection

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What `function(connection, *arguments)` returns; cancelling the caller does not stop it."""
        result: T = await self._execute(function, self._conn, *arguments)  # type: ignore[no-untyped-call]
        return result

    def interrupt_now(self) -> None:
        """End the statement that runs; does nothing when none does."""
        self._conn.interrupt()


class Connections:
    """The writer and the readers of one database, or of one in memory: there, the writer is the only reader.

    They can be closed and opened again, as others, once nothing runs on them.
    """

    writer: Connection

    def __init__(self, location: Path | None, readers: int) -> None:
        self._location = location
        self.reader_count = 1 if location is None else readers
        self._readers: dict[int, Connection] = {}

    async def open(self, prepare: Prepare) -> None:
        """Open the writer and a reader, or none. Raises what `prepare` raises; SQLite's errors as this project's."""
        with translating():
            self.writer = await Connection.open(partial(_connect_writer, self._location, prepare))
            try:
                _ = await self.reader(0)
            except BaseException:
                await self.writer.close()
                raise

    async def reader(self, number: int) -> Connection:
        """The reader of this number. All but the first are opened when they are first asked for: most apps need one."""
        if self._location is None:
            return self.writer
        if number not in self._readers:
            self._readers[number] = await open_reader(self._location)
        return self._readers[number]

    async def close(self) -> None:
        """Readers first: the last one to close empties the write-ahead log, which only the writer can."""
        while self._readers:
            _, reader = self._readers.popitem()
            await reader.close()
        await self.writer.close()


async def open_reader(location: Path) -> Connection:
    """One more connection that only reads."""
    return await Connection.open(partial(_connect_reader, location))


def _connect_writer(location: Path | None, prepare: Prepare) -> sqlite3.Connection:
    connection = _connect(":memory:" if location is None else str(location))
    try:
        pragmas.prepare_writer(connection)
        prepare(connection)
    except BaseException:
        connection.close()
        raise
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
