"""One run of a task, step by step: each waits for a moment without writes, is timed, and is followed by a pause."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sidecar.storage.unified import UnifiedStorage
from sidecar.upkeep.pace import Pace

T = TypeVar("T")

LOOK_AGAIN_S = 0.05
LOOKS = 100
"""Under writes without a gap, a step is taken all the same after so many looks: a store that is always busy needs its
upkeep most, and one small step in five seconds is not felt."""

LEAST_PAUSE_S = 0.005


class Steps:
    """What a task is handed: the way to do things, and to say what was done."""

    def __init__(self, storage: UnifiedStorage) -> None:
        self.did: Counter[str] = Counter()
        self.longest_ms = 0.0
        self._storage = storage
        self._monotonic = storage.clock.monotonic

    async def once(self, step: Callable[[], Awaitable[T]]) -> T:
        """What `step` returns, begun when no write waits."""
        await self._for_a_gap()
        started = self._monotonic()
        try:
            return await step()
        finally:
            self.longest_ms = max(self.longest_ms, (self._monotonic() - started) * 1000)

    async def repeat(self, name: str, step: Callable[[int], Awaitable[int]], pace: Pace, looks: int = LOOKS) -> None:
        """Call `step` with the size of each step until it says that it did nothing; `name` is what it does.

        Fewer `looks` are for what must keep up with the writes themselves.
        """
        while True:
            await self._for_a_gap(looks)
            started = self._monotonic()
            count = await step(pace.size)
            took = self._monotonic() - started
            self.longest_ms = max(self.longest_ms, took * 1000)
            pace.took(took * 1000)
            if not count:
                return
            self.did[name] += count
            await asyncio.sleep(max(took, LEAST_PAUSE_S))

    async def look(self, step: Callable[[int], Awaitable[bool]], pace: Pace) -> None:
        """Call `step`, which only reads, with the size of each step until it says that there is nothing more."""
        is_more = True
        while is_more:
            started = self._monotonic()
            is_more = await step(pace.size)
            took = self._monotonic() - started
            pace.took(took * 1000)
            await asyncio.sleep(max(took, LEAST_PAUSE_S))

    async def _for_a_gap(self, looks: int = LOOKS) -> None:
        for _ in range(looks):
            if self._storage.writer_is_idle():
                return
            await asyncio.sleep(LOOK_AGAIN_S)
