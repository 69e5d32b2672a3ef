"""Steps of a start that need room on the disk, done before the first write that finds some."""

import asyncio
from collections.abc import Awaitable, Callable

from sidecar.storage.sqlite.files import room


class Postponed:
    """`steps` that were not done at the start, since the disk was full."""

    def __init__(
        self, has_room: Callable[[], bool], steps: Callable[[], Awaitable[None]], end: Callable[[], None]
    ) -> None:
        """`end` is called when they are done."""
        self._has_room = has_room
        self._steps = steps
        self._end = end
        self._turn = asyncio.Lock()
        self._is_done = False
        self._doer: asyncio.Task[object] | None = None

    async def require_done(self) -> None:
        """Do the steps if there is room now; does nothing for writes of the steps themselves.

        Raises `DiskFull` when there is no room, and what the steps raise; they are then tried again by the next write.
        """
        if self._doer is not None and self._doer is asyncio.current_task():
            return
        async with self._turn:
            if self._is_done:
                return
            if not await asyncio.to_thread(self._has_room):
                raise room.error()
            # A task of its own: a caller that is cancelled must not leave half of it.
            self._doer = asyncio.ensure_future(self._do())
            await asyncio.shield(self._doer)

    async def _do(self) -> None:
        try:
            await self._steps()
            self._is_done = True
            self._end()
        finally:
            self._doer = None
