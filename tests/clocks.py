"""Clocks that a test sets."""

from datetime import timedelta
from itertools import count

from sidecar.clock import SystemClock
from sidecar.testing.clock import SetClock

__all__ = ["TEN_YEARS", "SetClock", "SlowMachineClock"]

TEN_YEARS = timedelta(days=3653)


class SlowMachineClock(SystemClock):
    """The clock of a machine so slow that ten seconds pass whenever the time that something takes is measured."""

    def __init__(self) -> None:
        self._seconds = count(step=10)

    def monotonic(self) -> float:
        return float(next(self._seconds))
