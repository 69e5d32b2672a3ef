"""Progress on its way to subscribers, at once, and to the row, now and then."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sidecar.jobs.running import Running

PUBLISH_EVERY_S = 0.02
"""A page draws 60 times a second at most; more events would only fill the ring that subscribers resume from."""

STORE_EVERY_S = 1.0
"""Each time costs a commit, and only a crash makes anyone read what was stored."""


class ProgressReporter:
    """Publishes and stores the latest progress of one running job. Lives on the event loop."""

    def __init__(self, running: Running, publish: Callable[[], object], store: Callable[[], Awaitable[object]]) -> None:
        self._running = running
        self._publish = publish
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._is_scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._next_publication = 0.0
        self._next_storing = self._loop.time() + STORE_EVERY_S
        self._storing: asyncio.Task[object] | None = None
        running.on_progress(self._on_progress)

    async def close(self) -> None:
        """Report nothing more, also of what was reported lately: the outcome says it."""
        self.stop()
        if self._storing is not None:
            await asyncio.wait([self._storing])

    def stop(self) -> None:
        """Do the same, without waiting for what is being stored."""
        self._running.on_progress(None)
        if self._timer is not None:
            self._timer.cancel()
        self._next_publication = float("inf")

    def _on_progress(self) -> None:
        """Called in any thread, with each report."""
        if not self._is_scheduled:
            self._is_scheduled = True
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._schedule)

    def _schedule(self) -> None:
        pause = self._next_publication - self._loop.time()
        if pause <= 0:
            self._report()
        elif pause <= PUBLISH_EVERY_S:
            self._timer = self._loop.call_later(pause, self._report)

    def _report(self) -> None:
        self._is_scheduled = False  # before the latest is read, so that a report of another thread is not missed
        now = self._loop.time()
        self._next_publication = now + PUBLISH_EVERY_S
        self._publish()
        if now >= self._next_storing and (self._storing is None or self._storing.done()):
            self._next_storing = now + STORE_EVERY_S
            self._storing = asyncio.ensure_future(self._store())
