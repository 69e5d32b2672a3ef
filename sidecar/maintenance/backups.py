"""When to make a backup, when to prove that the newest one opens, and the removing of those that no slot needs."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta

from sidecar.config import BackupSettings
from sidecar.errors import Conflict
from sidecar.jobs import Running
from sidecar.jobs.runner import JobRunner, WorkCancelled
from sidecar.maintenance.retention import expired_backups
from sidecar.maintenance.steps import Steps
from sidecar.models import timestamps
from sidecar.models.backups import Backup, newest_first
from sidecar.storage.unified import UnifiedStorage

SCHEDULED = "scheduled"
DRILL_EVERY = timedelta(days=7)


def back_up(
    storage: UnifiedStorage, settings: BackupSettings, jobs: JobRunner | None = None
) -> Callable[[Steps], Awaitable[None]]:
    """The task that makes a backup when one is due, and thins what there is, whoever made it."""

    async def make(job: Running) -> Backup:
        return await storage.create_backup(SCHEDULED, progress=job.progress)

    async def run(steps: Steps) -> None:
        if storage.database_file() is None:
            return
        every = timedelta(hours=settings.every_hours)
        backups = (await storage.get_backups()).items
        if (
            settings.enabled
            and is_due(backups, storage.clock.now(), every)
            and await storage.has_changed_since_backup()
        ):
            await _as_job(jobs, "backups.create", make, {"reason": SCHEDULED})
            steps.did["made"] += 1
        for backup in expired_backups((await storage.get_backups()).items, settings):
            await storage.delete_backup(backup.name)
            steps.did["removed"] += 1

    return run


def drill(storage: UnifiedStorage, jobs: JobRunner | None = None) -> Callable[[Steps], Awaitable[None]]:
    """The task that opens the newest backup once a week, and any that was never verified."""

    async def run(steps: Steps) -> None:
        failure: Conflict | None = None
        for backup in to_prove((await storage.get_backups()).items, storage.clock.now()):

            async def prove(job: Running, name: str = backup.name) -> Backup:
                return await storage.verify_backup(name, progress=job.progress)

            try:
                await _as_job(jobs, "backups.verify", prove, {"name": backup.name})
                steps.did["proved"] += 1
            except WorkCancelled:
                raise
            except Conflict as damage:
                steps.did["damaged"] += 1
                failure = damage
        if failure is not None:
            raise failure

    return run


async def _as_job(
    jobs: JobRunner | None, name: str, work: Callable[[Running], Awaitable[Backup]], arguments: Mapping[str, str]
) -> Backup:
    """Run the work as a job, or without a runner as it is."""
    return await (work(Running(None, name)) if jobs is None else jobs.run_now(name, work, arguments))


def is_due(backups: Iterable[Backup], now: datetime, every: timedelta) -> bool:
    """Return whether the newest verified backup is old."""
    newest = next((backup for backup in newest_first(backups) if backup.is_verified), None)
    return newest is None or timestamps.has_passed(newest.created_at, every, now)


def to_prove(backups: Iterable[Backup], now: datetime) -> list[Backup]:
    """Those to open now."""
    ordered = newest_first(backups)
    never_opened = [backup for backup in ordered if not backup.is_verified and backup.damage is None]
    verified = [backup for backup in ordered if backup.is_verified]
    # That of the newest one that has any: the largest may have been noted while the clock was wrong.
    last = next((backup.proved_at for backup in verified if backup.proved_at), None)
    if verified and (last is None or timestamps.has_passed(last, DRILL_EVERY, now)):
        return [verified[0], *never_opened]
    return never_opened
