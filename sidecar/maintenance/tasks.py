"""The maintenance tasks."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sidecar.config import BackupSettings, UpkeepSettings
from sidecar.jobs.runner import JobRunner
from sidecar.maintenance.backups import back_up, drill
from sidecar.maintenance.batch_size import AdaptiveBatchSize
from sidecar.maintenance.row_age import RetentionTime
from sidecar.maintenance.schedule import Timing
from sidecar.maintenance.search_index import batch_of_rows
from sidecar.maintenance.steps import Steps
from sidecar.models import timestamps
from sidecar.models.upkeep import UpkeepTaskName
from sidecar.storage.interfaces import Change
from sidecar.storage.unified import UnifiedStorage

MINUTE_S = 60.0
HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S

SEARCH_AFTER_CHANGE_S = 2.0
"""A batch leaves its words to the index's upkeep, and the index may have been emptied."""

ATTEMPTS_BEFORE_MERGE = 1
"""Every commit adds a part to the index, and FTS5 holds up a write for as long as it takes to merge 512 of them."""

FREE_PAGES_WORTH_GIVING_BACK = 1_024
FREE_PAGES_KEPT = 256
"""New rows go there first, which is faster than growing the file."""


@dataclass(frozen=True)
class Task:
    """Something to do now and then. `run` may take as long as it needs, as long as it does so in steps."""

    name: str
    timing: Timing
    run: Callable[[Steps], Awaitable[None]]
    has_own_turn: bool = False
    """True if other tasks do not wait for it: a function of an extension may wait for a network."""
    is_last: bool = False
    """True if it runs once, when the scheduler is closed."""
    heed: Callable[[Sequence[Change]], bool] | None = None
    """Called with what each commit changed; returns whether the task is to run for it."""


def all_tasks(
    storage: UnifiedStorage, settings: UpkeepSettings, backups: BackupSettings, jobs: JobRunner | None = None
) -> list[Task]:
    """Every task, over this storage. `jobs` makes jobs of those that take long."""
    first = settings.first_after_s
    retention = RetentionTime(storage.clock, storage.last_used_at())
    return [
        Task(
            UpkeepTaskName.IDEMPOTENCY_KEYS,
            Timing(first, HOUR_S),
            _prune(retention, storage.prune_idempotency_keys, settings.idempotency_key_days),
        ),
        Task(
            UpkeepTaskName.MONITORING,
            Timing(first, HOUR_S),
            _prune(retention, storage.prune_monitoring, settings.monitoring_days),
        ),
        Task(UpkeepTaskName.JOBS, Timing(first, HOUR_S), _prune(retention, storage.prune_jobs, settings.job_days)),
        Task(
            UpkeepTaskName.SEARCH_INDEX,
            Timing(min(first, MINUTE_S), MINUTE_S, SEARCH_AFTER_CHANGE_S),
            _search_index(storage),
        ),
        Task(UpkeepTaskName.VACUUM, Timing(first, HOUR_S), _vacuum(storage)),
        Task(UpkeepTaskName.STATISTICS, Timing(first * 5, DAY_S), _statistics(storage)),
        Task(UpkeepTaskName.CHECKPOINT, Timing(after_change_s=settings.checkpoint_after_s), _checkpoint(storage)),
        Task(UpkeepTaskName.INTEGRITY, Timing(first, HOUR_S), _integrity(storage)),
        Task(UpkeepTaskName.INVALID_ROWS, Timing(first, HOUR_S), _invalid_rows(storage)),
        Task(UpkeepTaskName.BACKUP, Timing(first * 2, HOUR_S), back_up(storage, backups, jobs)),
        Task(UpkeepTaskName.BACKUP_DRILL, Timing(first * 10, HOUR_S), drill(storage, jobs)),
    ]


def _prune(
    retention: RetentionTime, remove: Callable[[str, int], Awaitable[int]], days: int
) -> Callable[[Steps], Awaitable[None]]:
    batch_size = AdaptiveBatchSize(first=16, least=8, most=1_000)

    async def run(steps: Steps) -> None:
        before = timestamps.render(retention.now() - timedelta(days=days))
        await steps.repeat("removed", lambda limit: remove(before, limit), batch_size)

    return run


def _search_index(storage: UnifiedStorage) -> Callable[[Steps], Awaitable[None]]:
    rows, pages = batch_of_rows(), AdaptiveBatchSize(first=16, least=4, most=256)

    async def fill(limit: int) -> int:
        return int(await storage.fill_search_index(limit))

    async def merge(limit: int) -> int:
        return int(await storage.merge_search_index(limit))

    async def run(steps: Steps) -> None:
        await steps.repeat("steps", fill, rows)
        await steps.repeat("merges", merge, pages, ATTEMPTS_BEFORE_MERGE)

    return run


def _invalid_rows(storage: UnifiedStorage) -> Callable[[Steps], Awaitable[None]]:
    batch_size = AdaptiveBatchSize(first=200, least=50, most=2_000)

    async def run(steps: Steps) -> None:
        if await storage.invalid_rows_scan_is_due():
            await steps.look(storage.scan_for_invalid_rows, batch_size)

    return run


def _vacuum(storage: UnifiedStorage) -> Callable[[Steps], Awaitable[None]]:
    batch_size = AdaptiveBatchSize(first=16, least=8, most=1_000)

    async def run(steps: Steps) -> None:
        if await storage.count_free_pages() < FREE_PAGES_WORTH_GIVING_BACK:
            return
        await steps.repeat("pages", lambda limit: storage.give_back_pages(limit, FREE_PAGES_KEPT), batch_size)

    return run


def _statistics(storage: UnifiedStorage) -> Callable[[Steps], Awaitable[None]]:
    async def run(steps: Steps) -> None:
        for table in await storage.find_outdated_statistics():
            await steps.once(partial(storage.refresh_statistics, table))
            steps.did["tables"] += 1

    return run


def _checkpoint(storage: UnifiedStorage) -> Callable[[Steps], Awaitable[None]]:
    async def run(steps: Steps) -> None:
        checkpoint = await steps.once(storage.checkpoint)
        if checkpoint.pages:
            steps.did["pages"] = checkpoint.pages
        if checkpoint.freed_bytes > 0:
            steps.did["freed_bytes"] = checkpoint.freed_bytes

    return run


def _integrity(storage: UnifiedStorage) -> Callable[[Steps], Awaitable[None]]:
    """Check the whole database file: after it was left uncleanly or changed from outside, and once a week.

    The check reads on a connection of its own, so that no write waits for it. Damage that it finds starts a recovery,
    as damage does that a unit of work or a query meets (`storage/sqlite/recovery/ladder.py`).
    """

    async def run(steps: Steps) -> None:
        if storage.integrity_check_is_due():
            report = await storage.check_integrity()
            steps.did["checks"] = 1
            steps.did["problems"] = len(report.problems)

    return run
