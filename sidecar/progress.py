"""The progress of long work: what is done, of how much, and the current activity."""

from collections.abc import Callable

Progress = Callable[[int, int | None, str], None]
"""Called now and then, from any thread, with what is done, the total where it is known, and the current activity.

It is cheap, since whoever shows it throttles. What it raises ends the work."""


def ignore_progress(done: int, total: int | None, activity: str) -> None:
    """For callers that do not ask."""


class ProgressCounter:
    """The progress of one piece of work that consists of several activities, added up."""

    def __init__(self, progress: Progress = ignore_progress, total: int | None = None) -> None:
        self._progress = progress
        self._done = 0
        self._total = total

    def expect(self, count: int) -> None:
        """Add to the total, which is unknown until then."""
        self._total = (self._total or 0) + count

    def begin(self, activity: str) -> None:
        """Report the next activity."""
        self.advance(0, activity)

    def advance(self, count: int, activity: str) -> None:
        """Report that so much more is done."""
        self._done += count
        if self._total is not None:
            self._total = max(self._total, self._done)  # a file may have grown since it was measured
        self._progress(self._done, self._total, activity)
