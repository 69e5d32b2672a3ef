"""The readers of a database: queries run in groups, long ones each on a connection of its own."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

from sidecar.clock import Clock
from sidecar.storage.sqlite.engine.connections import Connections
from sidecar.storage.sqlite.engine.errors import translate_errors
from sidecar.storage.sqlite.engine.group_queue import GroupQueue
from sidecar.storage.sqlite.engine.long_reads import LongReads
from sidecar.storage.sqlite.engine.reads import Query, read_together
from sidecar.storage.sqlite.engine.unit_of_work import UnitResult

T = TypeVar("T")


class Readers:
    """The queue of queries, and those that run on their own."""

    def __init__(
        self, connections: Connections, clock: Clock, on_results: Callable[[Sequence[UnitResult]], None]
    ) -> None:
        """`on_results` is called on the event loop with the results of each group."""
        self.queue = GroupQueue[Query](self._read_group, lanes=connections.reader_count)
        self.long_reads = LongReads()
        self._connections = connections
        self._clock = clock
        self._on_results = on_results

    async def read_isolated(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `query`, on a connection of its own."""
        return await self.long_reads.run(self._connections.another_reader, query)

    async def _read_group(self, lane: int, group: Sequence[Query]) -> Sequence[UnitResult]:
        with translate_errors():
            reader = await self._connections.reader(lane)
        self._connections.file.report_loss()
        results = await reader.run(read_together, group, self._clock)
        self._on_results(results)
        return results
