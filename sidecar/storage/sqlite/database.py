"""One writer, many readers: who owns the connections, and how work reaches them.

Two verbs: `write` takes a unit of work, `read` a query; both are plain functions that run to their end in the thread of
one connection, so no transaction is ever held across an `await`. The transactions themselves are in `work.py`.

Only the writer's connection commits and checkpoints: before version 3.51.3, SQLite could corrupt the write-ahead log
when two connections checkpointed at once (https://sqlite.org/wal.html, "The WAL-Reset Bug").
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, Self, TypeVar

import aiosqlite

from sidecar.errors import StorageClosed
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.interfaces import Change, ChangeListener
from sidecar.storage.sqlite import pragmas
from sidecar.storage.sqlite.failures import translating
from sidecar.storage.sqlite.work import Outcome, Submission, Work, commit_together

log = logging.getLogger(__name__)

T = TypeVar("T")

LARGEST_GROUP = 256
"""Units that share one commit at most, so that the first of a flood does not wait for the last."""

CACHED_STATEMENTS = 256
"""Prepared statements kept by each connection; Python's default of 128 is fewer than this project has."""


class _Connection(aiosqlite.Connection):
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


class _Waiting(NamedTuple):
    submission: Submission
    answer: "asyncio.Future[Any]"


class Database:
    """An open database. Made by `open`, ended by `close`; what it accepted before that is finished first."""

    def __init__(self, location: Path | None, writer: _Connection, readers: Sequence[_Connection]) -> None:
        self.location = location
        self.last_commit_ms = 0.0
        self._writer = writer
        self._readers = readers
        self._idle_readers: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()
        for reader in readers:
            self._idle_readers.put_nowait(reader)
        self._queue: deque[_Waiting] = deque()
        self._draining: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._listeners: list[ChangeListener] = []

    @classmethod
    async def open(
        cls, location: Path | None, prepare: Callable[[sqlite3.Connection], object], readers: int = 2
    ) -> "Database":
        """Open the file, or with `None` a database in memory, whose one connection then reads and writes.

        `prepare` runs first, on the writer's connection in its thread: the place for migrations. What it raises ends
        the opening and is raised.
        """
        with translating():
            writer = await _Connection.open(partial(_connect_writer, location, prepare))
        if location is None:
            return cls(location, writer, [writer])
        opened: list[_Connection] = []
        try:
            with translating():
                while len(opened) < readers:
                    opened.append(await _Connection.open(partial(_connect_reader, location)))
        except BaseException:
            for connection in (*opened, writer):
                await connection.close()
            raise
        return cls(location, writer, opened)

    async def write(
        self, unit: Callable[[Work], T], key: IdempotencyKey | None = None, returns: type[T] | None = None
    ) -> T:
        """Run `unit` and return what it returned, once that is on disk.

        With a `key` that was used before, the unit does not run: its first result, read back as the type `returns`, is
        returned. What the unit raises is raised, and nothing of it is kept. A caller that is cancelled while it waits
        either prevents the unit or leaves it to run to its end.
        """
        if self._closing is not None:
            raise StorageClosed("The storage is closing; nothing was changed.")
        if key is not None and returns is None:
            raise TypeError("a unit of work with a key must say what it returns")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(Submission(unit, key, returns), answer))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await answer

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """What `query` returns; everything it reads belongs to one moment."""
        if self._closing is not None:
            raise StorageClosed("The storage is closing.")
        reader = await self._idle_readers.get()
        try:
            with translating():
                return await reader.run(_in_one_snapshot, query)
        finally:
            # After a cancellation the query still runs in the reader's thread; what comes next waits its turn there.
            self._idle_readers.put_nowait(reader)

    async def read_at_length(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Like `read`, for a query that takes long: on a connection of its own, so that no other read waits for it.

        In memory there is but one connection, and everything waits. A cancelled caller interrupts the query.
        """
        if self.location is None:
            return await self.read(query)
        if self._closing is not None:
            raise StorageClosed("The storage is closing.")
        with translating():
            reader = await _Connection.open(partial(_connect_reader, self.location))
            try:
                return await reader.run(_in_one_snapshot, query)
            except asyncio.CancelledError:
                await reader.interrupt()
                raise
            finally:
                await reader.close()

    def subscribe(self, listener: ChangeListener) -> Callable[[], None]:
        """Have `listener` called, on the event loop, with what each commit changed; returns how to end that."""
        self._listeners.append(listener)
        return partial(self._listeners.remove, listener)

    @property
    def waiting(self) -> int:
        """Units of work that no commit has taken up yet."""
        return len(self._queue)

    async def close(self) -> None:
        """Refuse new work, finish what was accepted, release every connection. A second call waits for the first."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._draining is not None:
            await self._draining
        for _ in self._readers:
            reader = await self._idle_readers.get()
            if reader is not self._writer:
                await reader.close()
        await self._writer.close()

    async def _drain(self) -> None:
        """Commit what waits, group by group, until nothing does."""
        while group := self._next_group():
            started = perf_counter()
            outcomes = await self._writer.run(commit_together, [waiting.submission for waiting in group])
            self.last_commit_ms = (perf_counter() - started) * 1000
            for waiting, outcome in zip(group, outcomes, strict=True):
                _answer(waiting.answer, outcome)
            self._notify([change for outcome in outcomes for change in outcome.changes])
        self._draining = None

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        while self._queue and len(group) < LARGEST_GROUP:
            waiting = self._queue.popleft()
            if not waiting.answer.cancelled():
                group.append(waiting)
        return group

    def _notify(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        for listener in tuple(self._listeners):
            try:
                listener(changes)
            except Exception:
                log.exception("a listener failed on a change notice")


def _answer(answer: "asyncio.Future[Any]", outcome: Outcome) -> None:
    if answer.cancelled():
        return
    if outcome.error is not None:
        answer.set_exception(outcome.error)
    else:
        answer.set_result(outcome.result)


def _in_one_snapshot(connection: sqlite3.Connection, query: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN")
    try:
        return query(connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _connect_writer(location: Path | None, prepare: Callable[[sqlite3.Connection], object]) -> sqlite3.Connection:
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
