"""The writer of a database: units of work are committed in groups, on the one connection that writes."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sidecar.clock import Clock
from sidecar.storage.sqlite.engine.commit_stats import CommitStats
from sidecar.storage.sqlite.engine.connections import Connections
from sidecar.storage.sqlite.engine.exclusive import ExclusiveSlot
from sidecar.storage.sqlite.engine.group_queue import GroupQueue
from sidecar.storage.sqlite.engine.unit_of_work import Hooks, Submission, UnitResult, commit_together

T = TypeVar("T")


class Writer:
    """The queue of units of work, and the slot for work that runs between them."""

    def __init__(
        self,
        connections: Connections,
        clock: Clock,
        hooks: Hooks,
        on_results: Callable[[Sequence[UnitResult]], None],
    ) -> None:
        """`on_results` is called on the event loop with the results of each commit."""
        self.commits = CommitStats()
        self.changes = 0
        """Number of commits with a change, bookkeeping left out."""
        self.queue = GroupQueue[Submission](self._commit)
        self._connections = connections
        self._file = connections.file
        self._clock = clock
        self._hooks = hooks
        self._on_results = on_results
        self._slot = ExclusiveSlot()

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is written, and nothing runs in the slot."""
        return not self.queue.is_busy and not self._slot.is_open

    async def run_when_idle(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `work`, run outside any transaction; the next unit interrupts it with SQLite's error."""
        return await self._slot.run(self._connections.writer, work)

    async def _commit(self, _lane: int, group: Sequence[Submission]) -> Sequence[UnitResult]:
        """Commit a group and report what it changed; return the result of each unit."""
        self._slot.end()
        if self._file.loss is not None:
            return [UnitResult(error=self._file.error) for _ in group]
        started = self._clock.monotonic()
        results: Sequence[Any] = await self._connections.writer.run(self._commit_to_file, group)
        self.changes += any(result.is_change for result in results)
        self.commits.note((self._clock.monotonic() - started) * 1000, results)
        self._on_results(results)
        self._file.report_loss()
        return results

    def _commit_to_file(self, connection: sqlite3.Connection, group: Sequence[Submission]) -> Sequence[UnitResult]:
        """In the writer's thread. What was committed to a lost file is gone after a restart, so it has failed."""
        results = commit_together(connection, group, self._clock, self._hooks)
        if self._file.is_lost():
            return [UnitResult(error=self._file.error) for _ in group]
        return results
