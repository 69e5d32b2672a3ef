"""Statistics of the latest commits: how long each took, and why the disk refused one."""

import math
from collections import deque
from collections.abc import Sequence

from sidecar.errors import DiskFull, StorageReadOnly
from sidecar.storage.sqlite.engine.unit_of_work import UnitResult

REMEMBERED_COMMITS = 512
"""How many of the latest commits that changed something tell how long one takes."""


class CommitStats:
    """The commits of one database."""

    def __init__(self) -> None:
        self.last_ms = 0.0
        self.recent_ms: deque[float] = deque(maxlen=REMEMBERED_COMMITS)
        """Of those that changed something."""
        self.refusal: str | None = None
        """Why the disk has refused a write, until one that changes something succeeds."""

    def note(self, took_ms: float, outcomes: Sequence[UnitResult]) -> None:
        """A commit has ended."""
        self.last_ms = took_ms
        if any(outcome.changes for outcome in outcomes):
            self.recent_ms.append(took_ms)
        for outcome in outcomes:
            if isinstance(outcome.error, DiskFull | StorageReadOnly):
                self.refusal = outcome.error.message
            elif outcome.changes:
                self.refusal = None

    def quantile(self, share: float) -> float | None:
        """Return the smallest duration, in milliseconds, that at least this share of the latest commits kept to.

        `None` before the first commit that changed something.
        """
        ordered = sorted(self.recent_ms)
        return round(ordered[math.ceil(share * len(ordered)) - 1], 3) if ordered else None
