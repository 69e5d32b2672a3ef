"""One writer, many readers: how work reaches the connections of a database, and in which order.

Three verbs: `write` takes a unit of work, `read` a query, `read_isolated` a long one; all are plain functions that run
to their end in the thread of one connection, so no transaction is ever held across an `await`. `run_when_idle` is for
what cannot be a unit, and `reopen` replaces the file under all of them. The transactions themselves are in
`unit_of_work.py`, the queues in `writer.py` and `readers.py`, the connections in `connections.py`.

Only the writer's connection commits and checkpoints: before version 3.51.3, SQLite could corrupt the write-ahead log
when two connections checkpointed at once (https://sqlite.org/wal.html, "The WAL-Reset Bug").
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from sidecar.clock import Clock
from sidecar.errors import (
    DatabaseDamaged,
    SidecarError,
    StorageBusy,
    StorageClosed,
    StorageError,
    StorageLost,
)
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.monitoring import DatabaseLoad
from sidecar.storage.interfaces import CHANGED_BY, STORE_REPLACED, Change, ChangeListener, Dialect
from sidecar.storage.sqlite.engine.commit_stats import CommitStats
from sidecar.storage.sqlite.engine.connections import Connections, Prepare
from sidecar.storage.sqlite.engine.errors import translate_errors
from sidecar.storage.sqlite.engine.listeners import Listeners
from sidecar.storage.sqlite.engine.postponed import Postponed
from sidecar.storage.sqlite.engine.readers import Readers
from sidecar.storage.sqlite.engine.unit_of_work import (
    NO_HOOKS,
    Hooks,
    SQLiteWork,
    Submission,
    UnitResult,
)
from sidecar.storage.sqlite.engine.writer import Writer
from sidecar.storage.sqlite.files import room, wal

log = logging.getLogger(__name__)

T = TypeVar("T")

DamageListener = Callable[[DatabaseDamaged], None]


class Database:
    """An open database. Made by `open`, ended by `close`; what it accepted before that is finished first."""

    def __init__(
        self,
        location: Path | None,
        connections: Connections,
        clock: Clock,
        hooks: Hooks = NO_HOOKS,
        dialect: Dialect | None = None,
    ) -> None:
        self.location = location
        self.clock = clock
        self.file = connections.file
        """The identity of what is open; every write is refused once it is lost."""
        self._connections = connections
        self._dialect = dialect
        self._writer = Writer(connections, clock, hooks, self._report)
        self._readers = Readers(connections, clock, self._report_damage)
        self._closing: asyncio.Task[None] | None = None
        self._listeners = Listeners[Sequence[Change]]()
        self._damage_listeners = Listeners[DatabaseDamaged]()
        self._reopening = asyncio.Lock()
        self._available = asyncio.Event()
        self._available.set()
        self._unusable: Exception | None = None
        self._postponed: Postponed | None = None

    @classmethod
    async def open(
        cls,
        location: Path | None,
        prepare: Prepare,
        readers: int = 2,
        *,
        clock: Clock,
        hooks: Hooks = NO_HOOKS,
        dialect: Dialect | None = None,
        lacks_room: bool = False,
    ) -> "Database":
        """Open the file, or with `None` a database in memory, whose one connection then reads and writes.

        `prepare` runs first, on the writer's connection in its thread: the place for migrations. What it raises ends
        the opening and is raised.

        With `lacks_room`, a file on a full disk is opened for reading, and `prepare` must not write; `postpone` says
        what is done before the first write. Raises `NoRoomToStart` when the file cannot be read before something was
        written to it.
        """
        connections = Connections(location, readers)
        connections.lacks_room = lacks_room
        await connections.open(prepare)
        return cls(location, connections, clock, hooks, dialect)

    @property
    def commits(self) -> CommitStats:
        """The statistics of the latest commits."""
        return self._writer.commits

    @property
    def changes(self) -> int:
        """A number that grows with every commit that changed more than bookkeeping. See `bookkeeping`."""
        return self._writer.changes

    @property
    def dialect(self) -> Dialect:
        """The statements of this engine, which the backend supplies."""
        assert self._dialect is not None
        return self._dialect

    def load(self) -> DatabaseLoad:
        """Return how busy the database is."""
        return DatabaseLoad(
            waiting=self.waiting,
            commit_median_ms=self.commits.quantile(0.5),
            commit_p95_ms=self.commits.quantile(0.95),
            write_ahead_log_bytes=None if self.location is None else wal.size(self.location),
        )

    async def write(
        self, unit: Callable[[SQLiteWork], T], key: IdempotencyKey | None = None, returns: type[T] | None = None
    ) -> T:
        """Run `unit` and return what it returned, once that is on disk.

        With a `key` that was used before, the unit does not run: its first result, read back as the type `returns`, is
        returned. What the unit raises is raised, and nothing of it is kept. A caller that is cancelled while it waits
        either prevents the unit or leaves it to run to its end. Raises `StorageLost` when the file that is open is no
        longer the one at its path: what was written could not be read after a restart.
        """
        self._require_open()
        self.file.require()
        if self._postponed is not None:
            await self._postponed.require_done()
        if key is not None and returns is None:
            raise TypeError("a unit of work with a key must say what it returns")
        result: T = await self._writer.queue.submit(Submission(unit, key, returns, CHANGED_BY.get()))
        return result

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `query`; everything that it reads belongs to one moment."""
        self._require_open()
        result: T = await self._readers.queue.submit(query)
        return result

    async def read_isolated(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Like `read`, for a query that takes long: on a connection of its own, so that no other read waits for it.

        In memory there is but one connection, and everything waits; so it is when the file is lost. A cancelled caller
        interrupts the query, and so does a `reopen`: it then raises `StorageBusy`.
        """
        if self.location is None or self._connections.lacks_room:
            return await self.read(query)
        await self._available.wait()
        self._require_open()
        try:
            with self._translating():
                return await self._readers.read_isolated(query)
        except StorageLost:
            self.file.report_loss()
            return await self.read(query)
        except StorageError as error:
            if self.is_held and _is_interrupt(error):
                raise StorageBusy("The store is being replaced; try again in a moment.") from error
            raise

    async def run_when_idle(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on the writer's connection, outside any transaction, while there is no unit; return its result.

        For what cannot be cut into short units. Raises `StorageBusy` when there are units, and when one comes: that
        interrupts the statement that runs, which then has done nothing. `work` must leave no transaction open.
        """
        self._require_open()
        self.file.require()
        if self._postponed is not None:
            await self._postponed.require_done()
        if not self.is_idle:
            raise StorageBusy("The database is at work; try again in a moment.")
        try:
            with self._translating():
                return await self._writer.run_when_idle(work)
        except StorageError as error:
            if _is_interrupt(error):
                raise StorageBusy("It was left off because something is to be written.") from error
            raise

    def postpone(
        self, settled: Callable[[], AbstractContextManager[Prepare]], finish: Callable[[], Awaitable[None]]
    ) -> None:
        """Refuse writes with `DiskFull` until there is room. Then open the file as `open` does, where it is open for
        reading only, await `finish`, and accept writes. What they raise is raised by the write that found the room.

        `settled` is entered while the file is closed, in a thread, and left when it is open. It yields what is done
        first.
        """
        assert self.location is not None
        directory = self.location.parent

        async def open_and_finish() -> None:
            if self._connections.lacks_room:
                await self._open_with_room(settled)
            await finish()

        def end() -> None:
            self._postponed = None

        self._postponed = Postponed(lambda: room.is_there(directory), open_and_finish, end)

    @property
    def is_waiting_for_room(self) -> bool:
        """Return whether writes are refused because the disk was full at the start."""
        return self._postponed is not None

    async def _open_with_room(self, settled: Callable[[], AbstractContextManager[Prepare]]) -> None:
        first: list[Prepare] = []

        def begin() -> None:
            first.append(stack.enter_context(settled()))
            self._connections.lacks_room = False

        def undo() -> None:
            stack.close()
            self._connections.lacks_room = True

        with ExitStack() as stack:
            try:
                await self.reopen(begin, lambda connection: first[0](connection), undo)
            except DatabaseDamaged as damage:
                self._damage_listeners.tell(damage)
                raise

    def subscribe(self, listener: ChangeListener) -> Callable[[], None]:
        """Have `listener` called, on the event loop, with what each commit changed; returns how to end that."""
        return self._listeners.add(listener)

    def on_damage(self, listener: DamageListener) -> None:
        """Have `listener` called, on the event loop, whenever a unit or a query finds the file damaged."""
        self._damage_listeners.add(listener)

    async def save_what_is_open(self, save: Callable[[sqlite3.Connection], T]) -> T:
        """Run `save` on the writer's connection of a database whose file was lost, and return its result."""
        with translate_errors():
            return await self._connections.writer.run(save)

    def tell(self, changes: Sequence[Change]) -> None:
        """Notify the subscribers of changes that no unit of work made."""
        self._listeners.tell(changes)

    @property
    def is_held(self) -> bool:
        """Return whether a `reopen` holds new work up; a query at length that is not inside SQLite should then end."""
        return not self._available.is_set()

    async def reopen(
        self,
        while_closed: Callable[[], T],
        prepare: Prepare,
        put_back: Callable[[], object] | None = None,
    ) -> T:
        """Close every connection, run `while_closed` in a thread, open the file that is there then; what that returned.

        What runs is finished first, queries at length excepted; all other work is held and goes on afterwards, on the
        new file. Subscribers get `STORE_REPLACED`. What `while_closed` raises is raised after the file was opened
        again, so it must leave one. When the new file cannot be opened, `put_back` runs, what it leaves is opened, and
        the first error is raised; when that fails too, all work fails with its error until a `reopen` succeeds.

        Once it has begun, it goes on to its end even if the caller is cancelled. Raises `StorageLost` when the open
        file is lost: closing it would lose what only it holds.
        """
        return await asyncio.shield(asyncio.create_task(self._reopen(while_closed, prepare, put_back)))

    async def _reopen(
        self,
        while_closed: Callable[[], T],
        prepare: Prepare,
        put_back: Callable[[], object] | None,
    ) -> T:
        if self.location is None:
            raise TypeError("a database in memory cannot be opened again")
        async with self._reopening:
            if self._closing is not None:
                raise StorageClosed("The storage is closing; nothing was changed.")
            self.file.check()
            self.file.require()
            self._available.clear()
            try:
                await self._release()
                try:
                    result = await asyncio.to_thread(while_closed)
                finally:
                    await self._take_up(prepare, put_back)
            finally:
                self._available.set()
                self._writer.queue.go_on()
                self._readers.queue.go_on()
        self._listeners.tell([STORE_REPLACED])
        return result

    async def _release(self) -> None:
        """Wait for what runs, and close every connection."""
        await self._writer.queue.hold()
        await self._readers.queue.hold()
        await self._readers.long_reads.end_all()
        await self._connections.close()

    async def _take_up(self, prepare: Prepare, put_back: Callable[[], object] | None) -> None:
        try:
            await self._connections.open(prepare)
        except Exception as error:
            try:
                if put_back is None:
                    raise
                await asyncio.to_thread(put_back)
                await self._connections.open(prepare)
            except Exception:
                log.exception("the database cannot be opened again")
                self._give_up(error)
            else:
                self._unusable = None
            raise
        self._unusable = None

    def _give_up(self, error: Exception) -> None:
        """Fail what was held, and what comes until the database is open again."""
        self._unusable = error
        for queue in (self._writer.queue, self._readers.queue):
            queue.fail_all(_not_open(error))

    def _require_open(self) -> None:
        """Raises `StorageClosed` while it closes, `StorageError` when it could not be opened again."""
        if self._closing is not None:
            raise StorageClosed("The storage is closing; nothing was changed.")
        if self._unusable is not None:
            raise _not_open(self._unusable)

    @property
    def is_idle(self) -> bool:
        """Return whether the writer has nothing to do, and may be given something."""
        return self._writer.is_idle and not self.is_held

    @property
    def waiting(self) -> int:
        """Number of units of work that wait for a commit."""
        return self._writer.queue.waiting

    async def close(self) -> None:
        """Refuse new work, finish what was accepted, release every connection. A second call waits for the first."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        async with self._reopening:
            await self._writer.queue.finish()
            await self._readers.queue.finish()
            await self._connections.close()

    def _report(self, results: Sequence[UnitResult]) -> None:
        changes = [change for result in results for change in result.changes]
        if changes:
            self._listeners.tell(changes)
        self._report_damage(results)

    def _report_damage(self, results: Sequence[UnitResult]) -> None:
        for result in results:
            if isinstance(result.error, DatabaseDamaged):
                self._damage_listeners.tell(result.error)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            with translate_errors():
                yield
        except DatabaseDamaged as damage:
            self._damage_listeners.tell(damage)
            raise


def _not_open(cause: Exception) -> StorageError:
    reason = cause.message if isinstance(cause, SidecarError) else type(cause).__name__
    error = StorageError(f"The database is not open: {reason}")
    error.__cause__ = cause
    return error


def _is_interrupt(error: StorageError) -> bool:
    return getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
