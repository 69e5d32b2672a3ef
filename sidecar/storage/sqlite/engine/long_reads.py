"""Queries that take long, each on a connection of its own, so that no other read waits for it; and their early end."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sidecar.storage.sqlite.engine.connections import Connection
from sidecar.storage.sqlite.engine.encoding import any_text
from sidecar.storage.sqlite.engine.reads import in_one_snapshot

T = TypeVar("T")

INTERRUPT_AGAIN_S = 0.05


class LongReads:
    """Those of one database."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Future[None], Connection | None] = {}

    async def run(self, connect: Callable[[], Awaitable[Connection]], query: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `query` on the connection that `connect` opens.

        A cancelled caller interrupts it, and so does `end_all`: SQLite's own error is raised.
        The connection is closed when this returns or raises.
        """
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running[ended] = None
        try:
            reader = self._running[ended] = await connect()
            try:
                return await reader.run(_read_any_text, query)
            except asyncio.CancelledError:
                await reader.interrupt()
                raise
            finally:
                await reader.close()
        finally:
            del self._running[ended]
            ended.set_result(None)

    async def end_all(self) -> None:
        """Interrupt what runs, and return when none does any more."""
        while self._running:
            for connection in self._running.values():
                if connection is not None:
                    await connection.interrupt()
            # Between two statements an interrupt has no effect, so it is repeated.
            await asyncio.wait(tuple(self._running), timeout=INTERRUPT_AGAIN_S)


def _read_any_text(connection: sqlite3.Connection, query: Callable[[sqlite3.Connection], T]) -> T:
    """Return the result of `query`, which reads any text.

    It could not run a second time after it met a text that is not UTF-8: it may have written half of a file by then.
    """
    with any_text(connection):
        return in_one_snapshot(connection, query)
