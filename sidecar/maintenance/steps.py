"""One run of a task, step by step: each waits for a moment without writes, is timed, and is followed by a pause."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sidecar.maintenance.batch_size import AdaptiveBatchSize
from sidecar.storage.unified import UnifiedStorage

T = TypeVar("T")

LOOK_AGAIN_S = 0.05
ATTEMPTS = 100
"""Under writes without a gap, a step is taken all the same after so many looks: a store that is always busy needs its
upkeep most, and one small step in five seconds is not felt."""

LEAST_PAUSE_S = 0.005


class Steps:
    """The interface of a task to its run: it does steps and counts results."""

    def __init__(self, storage: UnifiedStorage, *, look_again_s: float = LOOK_AGAIN_S) -> None:
        self.did: Counter[str] = Counter()
        self.longest_ms = 0.0
        self._storage = storage
        self._look_again_s = look_again_s
        self._monotonic = storage.clock.monotonic

    async def until_idle(self) -> None:
        """Return when no write waits, or after 5 s."""
        await self._for_a_gap()

    async def once(self, step: Callable[[], Awaitable[T]]) -> T:
        """Run `step` when no write waits, and return its result."""
        await self._for_a_gap()
        started = self._monotonic()
        try:
            return await step()
        finally:
            self.longest_ms = max(self.longest_ms, (self._monotonic() - started) * 1000)

    async def repeat(
        self, name: str, step: Callable[[int], Awaitable[int]], batch_size: AdaptiveBatchSize, attempts: int = ATTEMPTS
    ) -> None:
        """Call `step` with the size of each step until it says that it did nothing; `name` is what it does.

        Fewer `attempts` are for what must keep up with the writes themselves.
        """
        while True:
            await self._for_a_gap(attempts)
            started = self._monotonic()
            count = await step(batch_size.size)
            took = self._monotonic() - started
            self.longest_ms = max(self.longest_ms, took * 1000)
            batch_size.took(took * 1000)
            if not count:
                return
            self.did[name] += count
            await asyncio.sleep(max(took, LEAST_PAUSE_S))

    async def look(self, step: Callable[[int], Awaitable[bool]], batch_size: AdaptiveBatchSize) -> None:
        """Call `step`, which only reads, with the size of each step until it says that there is nothing more."""
        is_more = True
        while is_more:
            started = self._monotonic()
            is_more = await step(batch_size.size)
            took = self._monotonic() - started
            batch_size.took(took * 1000)
            await asyncio.sleep(max(took, LEAST_PAUSE_S))

    async def _for_a_gap(self, attempts: int = ATTEMPTS) -> None:
        for _ in range(attempts):
            if self._storage.writer_is_idle():
                return
            await asyncio.sleep(self._look_again_s)
