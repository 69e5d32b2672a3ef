"""Queries that take long, each on a connection of its own, so that no other read waits for it; and their early end."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sidecar.storage.sqlite.connections import Connection, open_reader
from sidecar.storage.sqlite.reads import in_one_snapshot

T = TypeVar("T")

INTERRUPT_AGAIN_S = 0.05


class LongReads:
    """Those of one database."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Future[None], Connection | None] = {}

    async def run(self, location: Path, query: Callable[[sqlite3.Connection], T]) -> T:
        """What `query` returns. A cancelled caller interrupts it, and so does `end_all`: SQLite's own error is raised.

        The connection is closed when this returns or raises.
        """
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running[ended] = None
        try:
            reader = self._running[ended] = await open_reader(location)
            try:
                return await reader.run(in_one_snapshot, query)
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
