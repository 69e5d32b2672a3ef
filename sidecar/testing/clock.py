"""A clock that a test sets."""

from datetime import datetime, timedelta
from itertools import count

from sidecar.models import timestamps


class SetClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, now: str = "2026-01-31T09:30:00.000Z") -> None:
        self._now = timestamps.parse(now)
        self._monotonic = 0.0
        self._ids = count(1)

    def now(self) -> datetime:
        """Return the wall clock's time in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._monotonic

    def new_id(self) -> str:
        """Return the next id: 32 hexadecimal digits."""
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
