"""When to make a backup, when to prove that the newest one opens, and the removing of those that no slot needs."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from sidecar.config import BackupSettings
from sidecar.errors import Conflict
from sidecar.models import timestamps
from sidecar.models.backups import Backup
from sidecar.storage.unified import UnifiedStorage
from sidecar.upkeep.slots import superfluous
from sidecar.upkeep.steps import Steps

SCHEDULED = "scheduled"
DRILL_EVERY = timedelta(days=7)

Now = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


def back_up(storage: UnifiedStorage, settings: BackupSettings, now: Now = _now) -> Callable[[Steps], Awaitable[None]]:
    """The task that makes a backup when one is due, and thins what there is, whoever made it."""

    async def run(steps: Steps) -> None:
        changed_at = await storage.get_last_change()
        if changed_at is None:
            return
        every = timedelta(hours=settings.every_hours)
        if settings.enabled and is_due((await storage.get_backups()).items, changed_at, now(), every):
            await storage.create_backup(SCHEDULED)
            steps.did["made"] += 1
        for backup in superfluous((await storage.get_backups()).items, settings):
            await storage.delete_backup(backup.name)
            steps.did["removed"] += 1

    return run


def drill(storage: UnifiedStorage, now: Now = _now) -> Callable[[Steps], Awaitable[None]]:
    """The task that opens the newest backup once a week, and any that was never verified."""

    async def run(steps: Steps) -> None:
        failure: Conflict | None = None
        for backup in to_prove((await storage.get_backups()).items, now()):
            try:
                await storage.verify_backup(backup.name)
                steps.did["proved"] += 1
            except Conflict as damage:
                steps.did["damaged"] += 1
                failure = damage
        if failure is not None:
            raise failure

    return run


def is_due(backups: Sequence[Backup], changed_at: str, now: datetime, every: timedelta) -> bool:
    """Whether the newest verified one is old, and something was changed since."""
    newest = max((backup.created_at for backup in backups if backup.is_verified), default=None)
    return newest is None or (changed_at > newest and now - timestamps.parse(newest) >= every)


def to_prove(backups: Sequence[Backup], now: datetime) -> list[Backup]:
    """Those to open now; `backups` has the newest first."""
    never_opened = [backup for backup in backups if not backup.is_verified and backup.damage is None]
    verified = [backup for backup in backups if backup.is_verified]
    last = max((backup.proved_at for backup in verified if backup.proved_at), default=None)
    if verified and (last is None or now - timestamps.parse(last) >= DRILL_EVERY):
        return [verified[0], *never_opened]
    return never_opened
