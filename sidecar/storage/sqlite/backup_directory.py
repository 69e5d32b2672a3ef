"""The directory of backups: one file each, and beside it, once it has been verified, a manifest of what it holds.

Nothing here needs the database: recovery reads it while there is none. Names come from requests; only one that is
listed becomes a path.
"""

import logging
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from sidecar import __version__
from sidecar.errors import Conflict, DatabaseDamaged, NotFound, SidecarError, StorageError
from sidecar.models import timestamps
from sidecar.models.backups import Backup, Manifest
from sidecar.storage.sqlite import files, identity, snapshot
from sidecar.storage.sqlite.background import Job
from sidecar.storage.sqlite.failures import reported, translated
from sidecar.storage.sqlite.snapshot import Snapshot

log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3})Z(?:-schema-(\d{1,9})-([a-z0-9-]+))?\.db")
BACKUPS = "backups"
"""The directory's name, beside the database."""

_UNKNOWN = "unknown"


def backup_name(version: int, reason: str) -> str:
    """The file name of a copy that is made now: sorts by time, tells the schema it holds and why it was made."""
    return f"{timestamps.for_file_names()}-schema-{version}-{reason}.db"


class BackupDirectory:
    """The backups in one directory, which need not be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, database: Path) -> "BackupDirectory":
        """The one of this database."""
        return cls(database.parent / BACKUPS)

    def listed(self) -> list[Backup]:
        """All backups, the newest first."""
        if not self.path.is_dir():
            return []
        found = [self._described(file) for file in self.path.glob("*.db") if file.is_file() and not file.is_symlink()]
        return sorted(found, key=lambda backup: (backup.created_at, backup.name), reverse=True)

    def find(self, name: str) -> Backup:
        """The backup that is listed under this name. Raises `NotFound`."""
        for backup in self.listed():
            if backup.name == name:
                return backup
        raise NotFound("There is no backup of this name; the list of backups has those that there are.")

    def path_of(self, backup: Backup) -> Path:
        """The file of a backup that is listed."""
        return self.path / backup.name

    def newest_verified(self, version: int) -> Backup | None:
        """The newest one of this schema version or an older one that was found sound when it was last opened."""
        return next((one for one in self._openable(version) if one.is_verified), None)

    def newest_usable(self, version: int) -> Backup | None:
        """The same; those without a manifest, as older programs left them, are opened. Changes nothing."""
        return next((one for one in self._openable(version) if one.is_verified or self._opens(one, version)), None)

    def newest_proven(self, version: int) -> Backup | None:
        """The same, each opened again now: what damaged the database may have damaged its backups."""
        for backup in self._openable(version):
            try:
                proven = self.prove(backup.name)
            except (SidecarError, OSError) as problem:
                log.warning("the backup %s cannot be used: %s", backup.name, problem)
            else:
                if (proven.schema_version or 0) <= version:
                    return proven
        return None

    def record(self, made: Snapshot, job: Job | None = None) -> Backup:
        """Write the manifest of a copy that has just been verified and lies in the directory."""
        described = self._described(made.path)
        manifest = Manifest(
            created_at=described.created_at,
            reason=described.reason,
            schema_version=made.schema_version,
            program_version=__version__,
            bytes=described.bytes,
            rows=made.rows,
            broken_references=made.broken_references,
            blake2b=snapshot.digest(made.path, job),
            verified_at=timestamps.now(),
        )
        self._write_manifest(made.path, manifest)
        return self._described(made.path)

    def prove(self, name: str, job: Job | None = None) -> Backup:
        """Open the backup and compare it with its manifest; one that had none gets one.

        Raises `NotFound`; `Conflict` when it is damaged, which the list then says, too.
        """
        path = self.path_of(self.find(name))
        known = self._manifest(path)
        try:
            found = self._sound(path, known, job)
        except Conflict as damage:
            if known is not None:
                self._write_manifest(path, known.model_copy(update={"damage": damage.message}))
            raise
        if known is None:
            return self.record(found, job)
        now = timestamps.now()
        self._write_manifest(path, known.model_copy(update={"verified_at": now, "proved_at": now, "damage": None}))
        return self._described(path)

    def adopt(self, file: Path, reason: str) -> Backup:
        """A backup like any other of the database at `file`, which stays as it is.

        Raises `Conflict` when it is not a sound database of this program.
        """
        from sidecar.storage.sqlite import others_files  # it and psutil are 8 ms of a start

        foreign = f"{file} is not a database that this program can open"
        try:
            with others_files.scratch_in(self.path.parent) as scratch, others_files.reading(file, scratch) as source:
                version = identity.version_of(source)
                _require_openable(file, source, version)
                destination = self.path / backup_name(version, reason)
                made = snapshot.make_snapshot(source, destination)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise Conflict(f"{foreign}: {reported(error)}") from error
        return self.record(made)

    def delete(self, name: str) -> None:
        """Remove the backup. Raises `NotFound`, and `Conflict` for the only verified one."""
        backup = self.find(name)
        if backup.is_verified and not any(other.is_verified and other.name != name for other in self.listed()):
            raise Conflict("This is the only verified backup; make another one before you remove it.")
        path = self.path_of(backup)
        path.unlink()
        _manifest_of(path).unlink(missing_ok=True)

    def clear_leftovers(self, database: Path) -> None:
        """Remove what a process that was killed has left: half-made files, and a second name of the open database."""
        if not self.path.is_dir():
            return
        for file in [*self.path.glob("*.db.partial"), *self.path.glob("*.json.partial")]:
            file.unlink(missing_ok=True)
        if database.exists() and database.stat().st_nlink > 1:
            for file in self.path.glob("*.db"):
                if file.samefile(database):
                    file.unlink()

    def _openable(self, version: int) -> list[Backup]:
        """Those of this schema version or an older one, as far as is known, that were not found damaged."""
        return [one for one in self.listed() if one.damage is None and (one.schema_version or 0) <= version]

    def _opens(self, backup: Backup, version: int) -> bool:
        try:
            return self._sound(self.path_of(backup), None, None).schema_version <= version
        except (SidecarError, OSError):
            return False

    def _sound(self, path: Path, known: Manifest | None, job: Job | None) -> Snapshot:
        """Raises `Conflict` when the file is not what it should be."""
        damaged = f"The backup {path.name} is damaged"
        if known is not None and snapshot.digest(path, job) != known.blake2b:
            raise Conflict(f"{damaged}: it is not the file that was made; choose another one.")
        try:
            found = snapshot.verify(path, job=job)
            if known is None:
                _require_ours(path)
        except sqlite3.Error as error:
            if isinstance(translated(error), DatabaseDamaged):
                raise Conflict(f"{damaged} and cannot be opened; choose another one.") from error
            raise translated(error) from error
        except StorageError as error:
            if error.retryable:
                raise
            raise Conflict(f"{damaged}; choose another one. {error.message}") from error
        if known is not None and found.rows != known.rows:
            raise Conflict(f"{damaged}: it does not hold the rows that it was made with; choose another one.")
        return found

    def _described(self, path: Path) -> Backup:
        size = path.stat().st_size
        manifest = self._manifest(path)
        if manifest is not None and manifest.bytes == size:
            verified_at = None if manifest.damage else manifest.verified_at
            told = manifest.model_dump(exclude={"blake2b", "verified_at"})
            return Backup(name=path.name, verified_at=verified_at, **told)
        created_at, version, reason = _told_by_name(path)
        damage = None if manifest is None else "It does not have the size that it was made with."
        return Backup(
            name=path.name, created_at=created_at, reason=reason, bytes=size, schema_version=version, damage=damage
        )

    def _manifest(self, path: Path) -> Manifest | None:
        """What the manifest says; `None` if there is none that can be read."""
        try:
            return Manifest.model_validate_json(_manifest_of(path).read_bytes())
        except (OSError, ValidationError):
            return None

    def _write_manifest(self, path: Path, manifest: Manifest) -> None:
        files.write_whole(_manifest_of(path), manifest.model_dump_json(indent=2))


def _require_openable(file: Path, source: sqlite3.Connection, version: int) -> None:
    """Raises `Conflict` for a database that a restore would refuse: of another program, or of a newer version."""
    from sidecar.storage.sqlite import schema  # which makes backups itself

    if not schema.is_known(source):
        raise Conflict(f"{file} is the database of another program; give a backup of this one.")
    if version > schema.latest_version():
        raise Conflict(f"{file} was written by a newer version of this program; update the program first.")


def _require_ours(path: Path) -> None:
    from sidecar.storage.sqlite import schema  # which makes backups itself

    with closing(snapshot.open_at_rest(path)) as connection:
        if not schema.is_known(connection):
            raise Conflict(f"{path.name} is the database of another program; choose another one.")


def _manifest_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _told_by_name(path: Path) -> tuple[str, int | None, str]:
    """When the backup was made, the schema version it holds, and why it was made, as far as its name tells."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return timestamps.render(datetime.fromtimestamp(path.stat().st_mtime, UTC)), None, _UNKNOWN
    year, month, day, hour, minute, second, version, reason = match.groups()
    moment = f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"
    return moment, None if version is None else int(version), reason or _UNKNOWN
