"""When the whole database file is checked: after it was left uncleanly or changed from outside, and once a week.

Damage that the check finds starts a recovery, as damage does that a unit of work or a query meets; how is the storage's
own affair (`storage/sqlite/recovery.py`).
"""

from collections.abc import Awaitable, Callable

from sidecar.storage.unified import UnifiedStorage
from sidecar.upkeep.steps import Steps


def check_integrity(storage: UnifiedStorage) -> Callable[[Steps], Awaitable[None]]:
    """The task. It reads on a connection of its own, so that no write waits for it."""

    async def run(steps: Steps) -> None:
        if storage.integrity_check_is_due():
            report = await storage.check_integrity()
            steps.did["checks"] = 1
            steps.did["problems"] = len(report.problems)

    return run
