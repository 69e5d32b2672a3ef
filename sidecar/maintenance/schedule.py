"""When each task is due. Pure: the time, in seconds of any clock that never goes back, is handed in."""

from collections.abc import Mapping
from enum import Enum
from math import inf
from typing import NamedTuple

FIRST_RETRY_S = 60.0
LONGEST_RETRY_S = 3_600.0
"""A task that fails again and again is tried this often."""

GO_ON_S = 30.0
"""After a task has given way to writes."""


class Timing(NamedTuple):
    """When a task runs: some time after the start, then in intervals, or some time after something was changed."""

    first_s: float = inf
    every_s: float = inf
    after_change_s: float = inf


class Outcome(Enum):
    DONE = "done"
    PREEMPTED = "preempted"
    FAILED = "failed"


class Schedule:
    """The tasks, and the moment from which each one is due."""

    def __init__(self, timings: Mapping[str, Timing], now: float) -> None:
        self._timings = timings
        self._due = {name: now + timing.first_s for name, timing in timings.items()}
        self._failures = dict.fromkeys(timings, 0)

    def due(self, now: float) -> str | None:
        """The task that has been due for longest; `None` when none is."""
        name = min(self._due, key=self._due.__getitem__, default=None)
        return name if name is not None and self._due[name] <= now else None

    def next_due(self) -> float:
        """The moment at which a task will be due; infinite when none will."""
        return min(self._due.values(), default=inf)

    def due_in(self, name: str, now: float) -> float:
        """Seconds until the task is due: 0 when it is, infinite when it will not be."""
        return max(0.0, self._due[name] - now)

    def failures(self, name: str) -> int:
        """Number of consecutive failed runs."""
        return self._failures[name]

    def changed(self, now: float, by: str | None = None) -> None:
        """Something in the store has changed; what a task itself changes is no reason to run it again."""
        for name, timing in self._timings.items():
            if not self._failures[name] and name != by:
                self._due[name] = min(self._due[name], now + timing.after_change_s)

    def trigger(self, name: str, at: float) -> None:
        """Have the task run at this moment, unless it is due before; one that fails is retried at its own time."""
        if not self._failures[name]:
            self._due[name] = min(self._due[name], at)

    def begins(self, name: str) -> None:
        """A run begins; changes from now on are a reason for another one."""
        self._due[name] = inf

    def ran(self, name: str, now: float, outcome: Outcome) -> None:
        """A run has ended."""
        if outcome is Outcome.FAILED:
            self._due[name] = now + min(FIRST_RETRY_S * 2.0 ** min(self._failures[name], 16), LONGEST_RETRY_S)
            self._failures[name] += 1
        else:
            wait = GO_ON_S if outcome is Outcome.PREEMPTED else self._timings[name].every_s
            self._due[name] = min(self._due[name], now + wait)
            self._failures[name] = 0
