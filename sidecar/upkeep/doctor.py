"""`sidecar doctor`: a look at everything around a database that goes wrong in practice. Changes nothing.

What the file itself says comes from the storage; this is about the place where it lies, what lies beside it, and the
backups.
"""

import asyncio
import os
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath

from sidecar.models import timestamps
from sidecar.models.doctor import DoctorReport, Finding, Level
from sidecar.storage.sqlite import schema
from sidecar.storage.sqlite.backup_directory import BackupDirectory
from sidecar.storage.sqlite.examination import examine_file
from sidecar.storage.unified import UnifiedStorage

OLDEST_BACKUP = timedelta(days=3)
SCARCE_BYTES = 64 * 1024 * 1024

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "afpfs", "webdav", "davfs", "ncpfs", "9p"}
)
NETWORK_FUSE = ("sshfs", "rclone", "s3fs", "davfs", "gvfsd", "gcsfuse", "glusterfs", "cephfs")
SYNCED_FOLDERS = {
    "onedrive": "OneDrive",
    "dropbox": "Dropbox",
    "mobile documents": "iCloud Drive",
    "icloud drive": "iCloud Drive",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "cloudstorage": "a cloud's sync",
    "nextcloud": "Nextcloud",
}
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
    return DoctorReport(findings=[*findings, *await asyncio.to_thread(surroundings, file)])


def examine_at_rest(file: Path) -> DoctorReport:
    """The report on a database file that nobody has open."""
    return DoctorReport(findings=[*examine_file(file), *surroundings(file)])


def surroundings(file: Path) -> list[Finding]:
    """Where the file lies, and what lies beside it."""
    directory = file.parent
    if not directory.is_dir():
        message = f"There is no directory {directory} any more; the health check of its sidecar says what to do."
        return [Finding(level=Level.PROBLEM, subject="permissions", message=message)]
    found = [
        *_permissions(directory, file),
        _space(directory, file),
        file_system(_file_system_type(directory)),
        synced_folder(directory),
        _backups(BackupDirectory.beside(file)),
    ]
    return [*found, *_leftovers(directory, file.name)]


def file_system(kind: str | None) -> Finding:
    """Whether a file system of this type keeps SQLite's locks."""
    name = (kind or "").lower()
    is_remote = name in NETWORK_FILE_SYSTEMS or (name.startswith("fuse") and any(part in name for part in NETWORK_FUSE))
    if is_remote:
        message = (
            f"The database is on a network file system ({kind}), whose locks SQLite cannot rely on; move it to a local "
            "disk."
        )
        return Finding(level=Level.PROBLEM, subject="file system", message=message)
    return Finding(
        level=Level.OK, subject="file system", message=f"The database is on a local disk ({kind or 'unknown'})."
    )


def synced_folder(directory: PurePath) -> Finding:
    """Whether a program that syncs folders has this one."""
    for part in directory.parts:
        for beginning, name in SYNCED_FOLDERS.items():
            if part.lower().startswith(beginning):
                message = (
                    f"{directory} is kept in sync by {name}, which copies a database in the middle of changes and can "
                    "put an old one back; move the data directory elsewhere, and sync exports or backups."
                )
                return Finding(level=Level.WARNING, subject="synced folder", message=message)
    return Finding(
        level=Level.OK, subject="synced folder", message="No program that syncs folders is known to have it."
    )


def _permissions(directory: Path, file: Path) -> Iterator[Finding]:
    for path in (directory, file):
        if path.exists() and not os.access(path, os.W_OK):
            message = f"{path} cannot be written to; give yourself the permission to."
            yield Finding(level=Level.PROBLEM, subject="permissions", message=message)
            return
    if sys.platform != "win32" and stat.S_IMODE(directory.stat().st_mode) & 0o077:
        message = f"Others can look into {directory}; the next start closes it to them."
        yield Finding(level=Level.WARNING, subject="permissions", message=message)
    else:
        yield Finding(level=Level.OK, subject="permissions", message=f"{directory} can be written to.")


def _space(directory: Path, file: Path) -> Finding:
    free = shutil.disk_usage(directory).free
    size = file.stat().st_size if file.exists() else 0
    shown = f"{free / 2**20:,.0f} MiB are free"
    if free < SCARCE_BYTES:
        return Finding(level=Level.PROBLEM, subject="disk space", message=f"Only {shown}; make room.")
    if free < 2 * size:
        message = f"{shown}, less than twice the database: a backup or a recovery may find no room."
        return Finding(level=Level.WARNING, subject="disk space", message=message)
    return Finding(level=Level.OK, subject="disk space", message=f"{shown}.")


def _file_system_type(directory: Path) -> str | None:
    import psutil

    there = directory.resolve()
    found = [
        (len(partition.mountpoint), partition.fstype)
        for partition in psutil.disk_partitions(all=True)
        if there.is_relative_to(partition.mountpoint)
    ]
    return max(found)[1] if found else None


def _backups(directory: BackupDirectory) -> Finding:
    newest = directory.newest_verified(schema.latest_version())
    if newest is None:
        return _no_backup(any(backup.damage for backup in directory.listed()))
    age = datetime.now(UTC) - timestamps.parse(newest.created_at)
    shown = f"The newest sound one, {newest.name}, is {age.days} days old and was last opened {newest.opened_at}"
    if newest.broken_references:
        shown += f"; {newest.broken_references} rows in it refer to rows that are not there"
    if age > OLDEST_BACKUP:
        return Finding(level=Level.WARNING, subject="backups", message=f"{shown}; make one with `sidecar backup`.")
    return Finding(level=Level.OK, subject="backups", message=f"{shown}.")


def _no_backup(has_damaged: bool) -> Finding:
    if has_damaged:
        message = "None of the backups can be used; make one with `sidecar backup`."
        return Finding(level=Level.PROBLEM, subject="backups", message=message)
    message = "There is none that was verified; `sidecar backup` makes one."
    return Finding(level=Level.WARNING, subject="backups", message=message)


def _leftovers(directory: Path, database: str) -> Iterator[Finding]:
    names = [path.name for path in sorted(directory.iterdir()) if path.is_file()]
    unfinished = [name for name in names if name.endswith(LEFTOVERS) or name.startswith(f"{database}.reco")]
    if unfinished:
        message = f"{', '.join(unfinished)}: left by something that was cut off; the next start sees to it."
        yield Finding(level=Level.WARNING, subject="leftover files", message=message)
    rescued = [name for name in names if name.startswith(f"{database}.rescued-") and name.endswith(".db")]
    for name in rescued:
        message = (
            f"{name} holds everything that was stored when the database file was deleted, moved or replaced under a "
            f"running sidecar. `sidecar restore --data-dir DIR {shlex.quote(str(directory / name))}` brings it back; "
            "remove the file when you no longer need it."
        )
        level = Level.WARNING if database in names else Level.PROBLEM
        yield Finding(level=level, subject="rescued file", message=message)
    damaged = [name for name in names if name.startswith(f"{database}.damaged-")]
    if damaged:
        message = f"{', '.join(damaged)}: kept by a recovery; remove it when you no longer need it."
        yield Finding(level=Level.WARNING, subject="leftover files", message=message)
    if not unfinished and not damaged:
        yield Finding(level=Level.OK, subject="leftover files", message="There are none.")
