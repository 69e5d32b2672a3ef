"""Clocks that a test sets."""

from datetime import datetime, timedelta
from itertools import count

from sidecar.clock import SystemClock
from sidecar.models import timestamps

TEN_YEARS = timedelta(days=3653)


class SetClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, now: str = "2026-01-31T09:30:00.000Z") -> None:
        self._now = timestamps.parse(now)
        self._monotonic = 0.0
        self._ids = count(1)

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def new_id(self) -> str:
        return f"{next(self._ids):032x}"

    def wait(self, time: timedelta) -> None:
        """Let so much time pass."""
        self._now += time
        self._monotonic += time.total_seconds()

    def jump(self, by: timedelta) -> None:
        """Set the wall clock, as a person or a time server does."""
        self._now += by

    def set(self, now: str) -> None:
        """Set the wall clock to this time."""
        self._now = timestamps.parse(now)


class SlowMachineClock(SystemClock):
    """The clock of a machine so slow that ten seconds pass whenever the time that something takes is measured."""

    def __init__(self) -> None:
        self._seconds = count(step=10)

    def monotonic(self) -> float:
        return float(next(self._seconds))
