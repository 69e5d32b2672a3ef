"""A gap between units of work, in which something runs on the writer's connection that cannot be cut into short units.

The next unit ends it: the statement that runs then is interrupted and has done nothing.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TypeVar

from sidecar.storage.sqlite.engine.connections import Connection

T = TypeVar("T")

INTERRUPT_AGAIN_S = 0.002


class ExclusiveSlot:
    """The one gap of a writer."""

    def __init__(self) -> None:
        self.is_open = False
        self._connection: Connection | None = None
        self._runs = False
        self._guard = Lock()

    async def run(self, connection: Connection, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `work`. An interrupt raises SQLite's own error; a cancelled caller causes one, too."""
        self.is_open, self._connection = True, connection
        try:
            return await connection.run(partial(self._run, work))
        except asyncio.CancelledError:
            self.end()
            raise
        finally:
            self.is_open = False

    def end(self) -> None:
        """Have what runs in the gap end soon; does nothing when there is none."""
        if not self.is_open or self._connection is None:
            return
        # Under the lock, because what runs in that thread a moment later may be a unit or somebody's read.
        with self._guard:
            if self._runs:
                self._connection.interrupt_now()
        # Between two statements an interrupt has no effect, so it is repeated.
        asyncio.get_running_loop().call_later(INTERRUPT_AGAIN_S, self.end)

    def _run(self, work: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T:
        """In the writer's thread."""
        with self._guard:
            self._runs = True
        try:
            return work(connection)
        finally:
            with self._guard:
                self._runs = False
