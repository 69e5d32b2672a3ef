"""Long work in a thread of its own that stays out of the way: low priority, pauses, and an end when it is asked for."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sidecar import platform
from sidecar.errors import StorageBusy
from sidecar.progress import Progress, ProgressCounter, ignore_progress

T = TypeVar("T")

NICENESS = 5
"""How much later than others the thread gets a processor where all are busy (Linux counts it for each thread)."""


class CancellationToken:
    """Something long that is under way, as seen from its own thread and from those that want it to end."""

    def __init__(self, progress: Progress = ignore_progress) -> None:
        self.progress = ProgressCounter(progress)
        self._stopped = threading.Event()
        self._connection: sqlite3.Connection | None = None
        self._guard = threading.Lock()

    def stop(self) -> None:
        """Have it end soon, by raising `StorageBusy`. Called from any thread."""
        with self._guard:
            self._stopped.set()
            if self._connection is not None:
                self._connection.interrupt()

    def raise_if_cancelled(self, after_s: float = 0.0) -> None:
        """Pause that long. Raises `StorageBusy` as soon as it should end."""
        if self._stopped.wait(after_s) if after_s else self._stopped.is_set():
            raise StorageBusy("The backup was interrupted; try again in a moment.")

    @contextmanager
    def watching(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Have `stop` interrupt what runs on `connection`, too; that then raises `StorageBusy`."""
        with self._guard:
            self._connection = connection
        try:
            self.raise_if_cancelled()
            yield
        except sqlite3.OperationalError:
            self.raise_if_cancelled()
            raise
        finally:
            with self._guard:
                self._connection = None


async def in_background(function: Callable[[], T]) -> T:
    """Run `function` in a thread of low priority; return its result."""
    from concurrent.futures import ThreadPoolExecutor  # nothing at start-up needs it

    executor = ThreadPoolExecutor(1, "background", initializer=yield_to_others)
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, function)
    finally:
        executor.shutdown(wait=False)


def yield_to_others() -> None:
    """Give the calling thread, which must not be one that others share, a low priority where that is possible."""
    platform.lower_thread_priority(NICENESS)
