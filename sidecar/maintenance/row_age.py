"""The time by which rows are removed for their age."""

from datetime import datetime, timedelta

from sidecar.clock import Clock

LONGEST_ABSENCE = timedelta(days=1)
"""Time since the last run that is believed at once."""

FASTEST = 4
"""How many times as fast as the monotonic clock it goes at most: enough to catch up with the nights of a computer."""


class RetentionTime:
    """Never later than the wall clock, and never far from the time that has really passed.

    So a wall clock that is years ahead, at the start or from some moment on, makes no row old. What is to be removed
    for its age is then removed later.
    """

    def __init__(self, clock: Clock, last_used_at: datetime | None) -> None:
        now = clock.now()
        self._clock = clock
        self._time = now if last_used_at is None else min(now, last_used_at + LONGEST_ABSENCE)
        self._looked_at = clock.monotonic()

    def now(self) -> datetime:
        """Return the present time."""
        looked_at = self._clock.monotonic()
        passed = timedelta(seconds=looked_at - self._looked_at)
        now = self._clock.now()
        # A clock that was wrong for a while by years does not take the time back for good.
        self._time = max(self._time, min(now, self._time + FASTEST * passed))
        self._looked_at = looked_at
        return min(now, self._time)
