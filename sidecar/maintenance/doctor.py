"""`sidecar doctor`: a look at everything around a database that goes wrong in practice. Changes nothing.

What the file itself says comes from the storage; this is about the place where it lies, what lies beside it, and the
backups.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sidecar import platform
from sidecar.clock import Clock
from sidecar.maintenance.folders import place
from sidecar.models import timestamps
from sidecar.models.doctor import DoctorReport, Finding, Level
from sidecar.sentences import counted
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.maintenance.diagnostics import examine_file
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.unified import UnifiedStorage

OLDEST_BACKUP = timedelta(days=3)
SCARCE_BYTES = 64 * 1024 * 1024

LEFTOVERS = (".partial", ".pending")


async def examine(storage: UnifiedStorage) -> DoctorReport:
    """The report on a store that this process has open."""
    file = storage.database_file()
    findings = await storage.examine_database()
    if file is None:
        note = "Everything is kept in memory and ends with the sidecar."
        return DoctorReport(findings=[*findings, Finding(level=Level.OK, subject="database", message=note)])
    unread = [report for report in (await storage.get_recoveries()).items if report.acknowledged_at is None]
    findings += [
        Finding(
            level=Level.WARNING, subject="recovery", message=f"{report.sentence()} Acknowledge it to end this note."
        )
        for report in unread
    ]
    return DoctorReport(findings=[*findings, *await asyncio.to_thread(surroundings, file, storage.clock)])


def examine_at_rest(file: Path, clock: Clock) -> DoctorReport:
    """The report on a database file that nobody has open."""
    return DoctorReport(findings=[*examine_file(file), *surroundings(file, clock)])


def surroundings(file: Path, clock: Clock) -> list[Finding]:
    """Where the file lies, and what lies beside it."""
    directory = file.parent
    if not directory.is_dir():
        message = f"The directory {directory} no longer exists; the health check of its sidecar says what to do."
        return [Finding(level=Level.PROBLEM, subject="permissions", message=message)]
    found = [
        *_permissions(directory, file),
        _space(directory, file),
        *place(directory),
        _backups(BackupDirectory.beside(file, clock)),
    ]
    return [*found, *_leftovers(directory, file.name)]


def _permissions(directory: Path, file: Path) -> Iterator[Finding]:
    for path in (directory, file):
        if path.exists() and not os.access(path, os.W_OK):
            message = f"{path} cannot be written to; give yourself write permission."
            yield Finding(level=Level.PROBLEM, subject="permissions", message=message)
            return
    if platform.is_open_to_others(directory):
        message = f"Other users can read {directory}; the next start removes their permission."
        yield Finding(level=Level.WARNING, subject="permissions", message=message)
    else:
        yield Finding(level=Level.OK, subject="permissions", message=f"{directory} can be written to.")


def _space(directory: Path, file: Path) -> Finding:
    free = shutil.disk_usage(directory).free
    size = file.stat().st_size if file.exists() else 0
    shown = f"{free / 2**20:,.0f} MiB are free"
    if free < SCARCE_BYTES:
        return Finding(level=Level.PROBLEM, subject="disk space", message=f"Only {shown}; free some space.")
    if free < 2 * size:
        message = f"{shown}, less than twice the size of the database: a backup or a recovery may need more."
        return Finding(level=Level.WARNING, subject="disk space", message=message)
    return Finding(level=Level.OK, subject="disk space", message=f"{shown}.")


def _backups(directory: BackupDirectory) -> Finding:
    newest = directory.newest_verified(upgrade.latest_version())
    if newest is None:
        return _no_backup(any(backup.damage for backup in directory.listed()))
    age = directory.clock.now() - timestamps.parse(newest.created_at)
    name, age_in_days = f"The newest verified backup, {newest.name},", counted(age.days, "day")
    shown = f"{name} is {age_in_days} old and was last opened {newest.opened_at}"
    if age < timedelta():
        shown = f"{name} has a time in the future: check the date of this computer"
    if newest.broken_references:
        shown += f"; it has {counted(newest.broken_references, 'reference')} to missing rows"
    if age < timedelta():
        return Finding(level=Level.WARNING, subject="backups", message=f"{shown}.")
    if age > OLDEST_BACKUP:
        return Finding(level=Level.WARNING, subject="backups", message=f"{shown}; make one with `sidecar backup`.")
    return Finding(level=Level.OK, subject="backups", message=f"{shown}.")


def _no_backup(has_damaged: bool) -> Finding:
    if has_damaged:
        message = "No backup is usable; make one with `sidecar backup`."
        return Finding(level=Level.PROBLEM, subject="backups", message=message)
    message = "There is no verified backup; `sidecar backup` makes one."
    return Finding(level=Level.WARNING, subject="backups", message=message)


def _leftovers(directory: Path, database: str) -> Iterator[Finding]:
    names = [path.name for path in sorted(directory.iterdir()) if path.is_file()]
    unfinished = [name for name in names if name.endswith(LEFTOVERS) or name.startswith(f"{database}.reco")]
    if unfinished:
        message = f"{', '.join(unfinished)}: left by an interrupted task; the next start removes or completes it."
        yield Finding(level=Level.WARNING, subject="leftover files", message=message)
    rescued = [name for name in names if name.startswith(f"{database}.rescued-") and name.endswith(".db")]
    for name in rescued:
        message = (
            f"{name} holds everything that was stored when the database file was deleted, moved or replaced under a "
            f"running sidecar. `sidecar restore --data-dir DIR {platform.shell_word(str(directory / name))}` restores "
            "it; delete the file when you no longer need it."
        )
        level = Level.WARNING if database in names else Level.PROBLEM
        yield Finding(level=level, subject="rescued file", message=message)
    damaged = [name for name in names if name.startswith(f"{database}.damaged-")]
    if damaged:
        message = f"{', '.join(damaged)}: kept by a recovery; delete it when you no longer need it."
        yield Finding(level=Level.WARNING, subject="leftover files", message=message)
    if not unfinished and not damaged:
        yield Finding(level=Level.OK, subject="leftover files", message="There are no leftover files.")
