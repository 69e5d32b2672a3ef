"""Work that waits for a connection, and is taken up in groups: each is one hop to the connection's thread and back.

One mechanism for both kinds of work: a group of the writer is one commit (`unit_of_work.py`), a group of a reader is
several queries in a row (`reads.py`). What waited longest is done first; a hop costs as much as a small query, so under
load it is shared.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sidecar.storage.sqlite.engine.unit_of_work import UnitResult

log = logging.getLogger(__name__)

S = TypeVar("S")

LARGEST_GROUP = 256
"""Items in one group at most, so that the first of a flood does not wait for the last."""

PATIENCE_S = 0.005
"""How long a group may keep others waiting before they get another lane."""


class _Waiting(NamedTuple, Generic[S]):
    item: S
    answer: "asyncio.Future[Any]"


class GroupQueue(Generic[S]):
    """The waiting items, and the lanes that serve them: one for each connection that may be used.

    `run` gets the number of the lane and a group. It returns an outcome for each, in order, or for the first ones only;
    the others are then the first of the next group.
    """

    def __init__(self, run: Callable[[int, Sequence[S]], Awaitable[Sequence[UnitResult]]], lanes: int = 1) -> None:
        self._run = run
        self._waiting: deque[_Waiting[S]] = deque()
        self._lanes: list[asyncio.Task[None] | None] = [None] * lanes
        self._another_lane: asyncio.TimerHandle | None = None
        self._is_held = False

    @property
    def is_busy(self) -> bool:
        """Return whether any lane is at work."""
        return any(self._lanes)

    @property
    def waiting(self) -> int:
        """The number of items that no group has taken up yet."""
        return len(self._waiting)

    async def submit(self, item: S) -> Any:
        """The result of `item`'s turn; its error is raised. Cancelled before its turn, it has none."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, answer))
        self._begin()
        return await answer

    async def hold(self) -> None:
        """Take up nothing new until `go_on`; returns when what runs has ended."""
        self._is_held = True
        await self.finish()

    def go_on(self) -> None:
        """Take up what waits."""
        self._is_held = False
        self._begin()

    async def finish(self) -> None:
        """Return when no lane is at work: everything is done, or held."""
        while running := [lane for lane in self._lanes if lane is not None]:
            await asyncio.wait(running)

    def fail_all(self, error: Exception) -> None:
        """Answer everything that waits with `error`."""
        while self._waiting:
            _answer(self._waiting.popleft().answer, UnitResult(error=error))

    def _begin(self) -> None:
        """Have a free lane take up what waits: the first one at once, others only where that one takes long.

        Two threads that run Python wait for each other's turns at every row: two lanes are slower than one, unless one
        would wait long.
        """
        if not self._waiting or self._is_held:
            return
        if not self.is_busy:
            self._start_lane()
        elif self._another_lane is None and None in self._lanes:
            self._another_lane = asyncio.get_running_loop().call_later(PATIENCE_S, self._start_another)

    def _start_another(self) -> None:
        self._another_lane = None
        if self._waiting and not self._is_held and None in self._lanes:
            self._start_lane()
        self._begin()

    def _start_lane(self) -> None:
        lane = self._lanes.index(None)
        self._lanes[lane] = asyncio.create_task(self._drain(lane))

    async def _drain(self, lane: int) -> None:
        """Take up group by group until nothing waits, or is held."""
        while not self._is_held and (group := self._next_group()):
            try:
                outcomes = await self._run(lane, [waiting.item for waiting in group])
            except Exception as error:
                log.exception("a group of work failed")
                outcomes = [UnitResult(error=error) for _ in group]
            for waiting, outcome in zip(group, outcomes, strict=False):
                _answer(waiting.answer, outcome)
            self._waiting.extendleft(reversed(group[len(outcomes) :]))
        self._lanes[lane] = None

    def _next_group(self) -> list[_Waiting[S]]:
        group: list[_Waiting[S]] = []
        while self._waiting and len(group) < LARGEST_GROUP:
            waiting = self._waiting.popleft()
            if not waiting.answer.cancelled():
                group.append(waiting)
        return group


def _answer(answer: "asyncio.Future[Any]", outcome: UnitResult) -> None:
    if answer.cancelled():
        return
    if isinstance(outcome.error, StopIteration):
        # A future refuses it.
        answer.set_exception(RuntimeError(f"the work ended with {outcome.error!r}"))
    elif outcome.error is not None:
        answer.set_exception(outcome.error)
    else:
        answer.set_result(outcome.result)
