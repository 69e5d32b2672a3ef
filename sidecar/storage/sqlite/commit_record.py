"""What is remembered of the latest commits, for those who look after the database: how long, and whether refused."""

from collections import deque
from collections.abc import Sequence

from sidecar.errors import DiskFull, StorageReadOnly
from sidecar.storage.sqlite.work import Outcome

REMEMBERED_COMMITS = 512
"""How many of the latest commits that changed something tell how long one takes."""


class CommitRecord:
    """The commits of one database."""

    def __init__(self) -> None:
        self.last_ms = 0.0
        self.recent_ms: deque[float] = deque(maxlen=REMEMBERED_COMMITS)
        """Of those that changed something."""
        self.refusal: str | None = None
        """Why the disk has refused a write, until one that changes something succeeds."""

    def note(self, took_ms: float, outcomes: Sequence[Outcome]) -> None:
        """A commit has ended."""
        self.last_ms = took_ms
        if any(outcome.changes for outcome in outcomes):
            self.recent_ms.append(took_ms)
        for outcome in outcomes:
            if isinstance(outcome.error, DiskFull | StorageReadOnly):
                self.refusal = outcome.error.message
            elif outcome.changes:
                self.refusal = None
