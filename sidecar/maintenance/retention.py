"""Which backups are kept. Pure: names and times in, names out."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sidecar.config import BackupSettings
from sidecar.models import timestamps
from sidecar.models.backups import Backup, newest_first


def expired_backups(backups: Iterable[Backup], keep: BackupSettings) -> list[Backup]:
    """Those that no slot needs, the oldest first.

    The slots are filled by verified ones only: the latest, the last of each day and of each week (UTC), and of each
    schema version the last, which is what an older program can open. What is the last goes by the order in which
    they were made, not by their times. One that is not verified goes when it comes before every verified one that is
    kept and has an earlier time; without any verified one, nothing goes.
    """
    ordered = newest_first(backups)
    verified = [backup for backup in ordered if backup.is_verified]
    if not verified:
        return []
    kept = {
        *_names(verified[: keep.keep_latest]),
        *_names(_last_of_each(verified, _day, keep.keep_daily)),
        *_names(_last_of_each(verified, _week, keep.keep_weekly)),
        *_names(_last_of_each(verified, lambda backup: backup.schema_version, len(verified))),
    }
    places = [place for place, backup in enumerate(ordered) if backup.name in kept]
    earliest = min(ordered[place].created_at for place in places)
    gone = [
        backup
        for place, backup in enumerate(ordered)
        if backup.name not in kept and (backup.is_verified or (place > places[-1] and backup.created_at < earliest))
    ]
    return gone[::-1]


def _last_of_each(ordered: Sequence[Backup], period: Callable[[Backup], object], count: int) -> list[Backup]:
    """The newest one of each of the latest `count` periods that have any."""
    found: dict[object, Backup] = {}
    for backup in ordered:
        found.setdefault(period(backup), backup)
    return list(found.values())[:count]


def _names(backups: Iterable[Backup]) -> set[str]:
    return {backup.name for backup in backups}


def _day(backup: Backup) -> object:
    return _moment(backup).date()


def _week(backup: Backup) -> object:
    return _moment(backup).isocalendar()[:2]


def _moment(backup: Backup) -> datetime:
    return timestamps.parse(backup.created_at)
