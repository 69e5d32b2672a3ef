"""The directory of backups: one file each, and beside it, once it has been verified, a manifest of what it holds.

Backups are in the order of their numbers, which their names and manifests have. The time of a backup is that of a clock
that may have been wrong; it puts only those in order that older programs made, without a number.
Nothing here needs the database: recovery reads it while there is none. Names come from requests; only one that is
listed becomes a path.
"""

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ValidationError

from sidecar import __version__
from sidecar.clock import Clock
from sidecar.errors import Conflict, DatabaseDamaged, DiskFailed, NotFound, SidecarError, StorageError
from sidecar.models import timestamps
from sidecar.models.backups import Backup, BackupManifest, FileStates, newest_first
from sidecar.storage.interfaces import StageListener
from sidecar.storage.sqlite.backup import names, snapshot
from sidecar.storage.sqlite.backup.cancellation import CancellationToken
from sidecar.storage.sqlite.backup.snapshot import Snapshot
from sidecar.storage.sqlite.engine.errors import to_sidecar_error, with_cause
from sidecar.storage.sqlite.files import at_rest, atomic, disk_reads
from sidecar.storage.sqlite.schema import identity, own_tables, upgrade

log = logging.getLogger(__name__)

BACKUPS = "backups"
"""The directory's name, beside the database."""

BEFORE_RESTORE = "before-restore"
"""The reason of a backup that is the store which a restore replaced."""


class _RestoreNote(BaseModel):
    """A restore that is under way: the file number of its copy, and which backups were marked as replaced before."""

    copy_number: int
    before: dict[str, bool]


class BackupDirectory:
    """The backups in one directory, which need not be there."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.clock = clock

    @classmethod
    def beside(cls, database: Path, clock: Clock) -> "BackupDirectory":
        """The one of this database."""
        return cls(database.parent / BACKUPS, clock)

    def listed(self) -> list[Backup]:
        """Backups, the newest first."""
        if not self.path.is_dir():
            return []
        found = [self._described(file) for file in self.path.glob("*.db") if file.is_file() and not file.is_symlink()]
        return newest_first(found)

    def next_path(self, version: int, reason: str) -> Path:
        """Return the path of a copy that is made now. Its name holds its number, schema version and reason."""
        sequence = 1 + max((backup.sequence or 0 for backup in self.listed()), default=0)
        return self.path / names.name_of(self.clock, sequence, version, reason)

    def back_up_before_change(self, connection: sqlite3.Connection, announce: StageListener) -> None:
        """Copy a database that holds rows into the directory, before its schema changes."""
        if any(snapshot.count_rows(connection).values()):
            version = identity.version_of(connection)
            announce("backing_up", f"Copying the database before changing its schema from version {version}")
            self.record(snapshot.make_snapshot(connection, self.next_path(version, "before-migration")))

    def usable_file(self, version: int, own_versions: Mapping[str, int] = MappingProxyType({})) -> Path | None:
        """Return the file of the newest backup that `newest_usable` returns, and whose extensions' tables are of these
        versions or older ones.
        """
        usable = self.newest_usable(version, own_versions)
        return None if usable is None else self.path_of(usable)

    def find(self, name: str) -> Backup:
        """The backup that is listed under this name. Raises `NotFound`."""
        for backup in self.listed():
            if backup.name == name:
                return backup
        raise NotFound("There is no backup of this name; the list of backups has those that there are.")

    def bytes_to_prove(self, name: str) -> int:
        """Return how many bytes `prove` reads. Raises `NotFound`."""
        return snapshot.PASSES_OF_PROOF * self.find(name).bytes

    def bytes_to_restore(self, name: str) -> int:
        """Return how many bytes it takes to prove the backup and copy it. Raises `NotFound`."""
        return snapshot.PASSES * self.find(name).bytes

    def path_of(self, backup: Backup) -> Path:
        """The file of a backup that is listed."""
        return self.path / backup.name

    def newest_verified(self, version: int) -> Backup | None:
        """The newest one of this schema version or an older one that was found sound when it was last opened."""
        return next((one for one in self._openable(version) if one.is_verified), None)

    def newest_usable(self, version: int, own_versions: Mapping[str, int] = MappingProxyType({})) -> Backup | None:
        """The same; those without a manifest, as older programs left them, are opened. Changes nothing."""
        for backup in self._openable(version):
            if self._are_known(backup, own_versions) and (backup.is_verified or self._opens(backup, version)):
                return backup
        return None

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

    def source_of(self, backup: Backup) -> FileStates | None:
        """How the files of the database were before the copy was begun; `None` where that was not noted."""
        manifest = self._manifest(self.path_of(backup))
        return None if manifest is None else manifest.source

    def note_source(self, name: str, source: FileStates) -> None:
        """Note how the files of the database are that the backup of this name still holds. Raises `OSError`."""
        manifest = self._manifest(self.path / name)
        if manifest is not None and manifest.source != source:
            self._write_manifest(self.path / name, manifest.model_copy(update={"source": source}))

    def record(
        self,
        made: Snapshot,
        job: CancellationToken | None = None,
        source: FileStates | None = None,
        *,
        is_others: bool = False,
    ) -> Backup:
        """Write the manifest of a copy that has just been verified and lies in the directory.

        `is_others` is for the copy of another store.
        """
        described = self._described(made.path)
        manifest = BackupManifest(
            sequence=described.sequence,
            created_at=described.created_at,
            reason=described.reason,
            schema_version=made.schema_version,
            program_version=__version__,
            bytes=described.bytes,
            rows=made.rows,
            own_versions=dict(made.own_versions),
            broken_references=made.broken_references,
            blake2b=snapshot.digest(made.path, job),
            verified_at=timestamps.now(self.clock),
            source=source,
            replaced=described.replaced or is_others,
        )
        self._write_manifest(made.path, manifest)
        return self._described(made.path)

    def prove(self, name: str, job: CancellationToken | None = None) -> Backup:
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
        now = timestamps.now(self.clock)
        self._write_manifest(path, known.model_copy(update={"verified_at": now, "proved_at": now, "damage": None}))
        return self._described(path)

    def prove_unknown(self, job: CancellationToken | None = None) -> None:
        """Give those without a manifest one, as far as they are sound: only a manifest can be marked by a restore."""
        for backup in self.listed():
            if self._manifest(self.path_of(backup)) is None:
                try:
                    self.prove(backup.name, job)
                except (SidecarError, OSError) as problem:
                    log.warning("the backup %s has no manifest and cannot be used: %s", backup.name, problem)

    def adopt(self, file: Path, reason: str) -> Backup:
        """A backup of the database at `file`, which stays as it is.

        It does not belong to the history of the store before it is restored, so a recovery must not prefer it. Raises
        `Conflict` when it is not a sound database of this program.
        """
        from sidecar.storage.sqlite.files import foreign as others_files  # it and psutil are 8 ms of a start

        foreign = f"{file} is not a database that this program can open"
        try:
            with others_files.scratch_in(self.path.parent) as scratch, others_files.reading(file, scratch) as source:
                version = identity.version_of(source)
                _require_openable(file, source, version)
                made = snapshot.make_snapshot(source, self.next_path(version, reason))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise Conflict(f"{foreign}: {with_cause(error)}") from error
        return self.record(made, is_others=True)

    def delete(self, name: str) -> None:
        """Remove the backup. Raises `NotFound`, and `Conflict` for the only verified one."""
        backup = self.find(name)
        if backup.is_verified and not any(other.is_verified and other.name != name for other in self.listed()):
            raise Conflict("This is the only verified backup; make another one before you remove it.")
        path = self.path_of(backup)
        path.unlink()
        _manifest_of(path).unlink(missing_ok=True)

    @contextmanager
    def noting_restore(self, name: str, copy: Path) -> Iterator[None]:
        """Mark the backups that do not belong to the history of this one, whose `copy` replaces the store meanwhile.

        Their rows may have the ids of rows that are made after the restore, so a recovery must not mix them. The marks
        are undone when the restore fails; when the process is killed, the next start undoes them, unless the copy is
        in place by then.
        """
        listed = self.listed()
        place = next(number for number, backup in enumerate(listed) if backup.name == name)
        # Of one that was replaced itself, nobody knows which of the older ones came before it.
        others = [*listed[:place], *(listed[place + 1 :] if listed[place].replaced else ())]
        marked = [backup for backup in others if not backup.replaced]
        marks = {backup.name: True for backup in marked} | {name: False}
        before = {backup.name: backup.replaced for backup in [*marked, listed[place]]}
        note = _RestoreNote(copy_number=copy.stat().st_ino, before=before)
        atomic.write_whole(self._restore_note, note.model_dump_json())
        self._mark(marks)
        try:
            yield
        except BaseException:
            self._mark(before)
            raise
        finally:
            self._restore_note.unlink(missing_ok=True)

    def _settle_restore(self, database: Path) -> None:
        """Undo the marks of a restore that was cut off before its copy was in place."""
        try:
            note = _RestoreNote.model_validate_json(self._restore_note.read_bytes())
        except (OSError, ValidationError):
            return
        if not database.exists() or database.stat().st_ino != note.copy_number:
            self._mark(note.before)
        self._restore_note.unlink()

    @property
    def _restore_note(self) -> Path:
        return self.path / "restore-under-way.json"

    def _mark(self, is_replaced: Mapping[str, bool]) -> None:
        """Have the manifests of these backups say whether they were replaced."""
        for name, value in is_replaced.items():
            manifest = self._manifest(self.path / name)
            if manifest is not None and manifest.replaced != value:
                self._write_manifest(self.path / name, manifest.model_copy(update={"replaced": value}))

    def clear_leftovers(self, database: Path) -> None:
        """Clear up behind a process that was killed: half-made files, marks, and a second name of the open database."""
        if not self.path.is_dir():
            return
        self._settle_restore(database)
        for file in [*self.path.glob("*.db.partial*"), *self.path.glob("*.json.partial")]:
            file.unlink(missing_ok=True)
        if database.exists() and database.stat().st_nlink > 1:
            for file in self.path.glob("*.db"):
                if file.samefile(database):
                    file.unlink()

    def _openable(self, version: int) -> list[Backup]:
        """Those of this schema version or an older one, as far as is known, that were not found damaged.

        Those that belong to the history of the store come first.
        """
        found = [one for one in self.listed() if one.damage is None and (one.schema_version or 0) <= version]
        return sorted(found, key=lambda one: one.replaced)

    def _are_known(self, backup: Backup, own_versions: Mapping[str, int]) -> bool:
        """Return whether the tables of these extensions are of a version in the backup that is known."""
        if not own_versions:
            return True
        path = self.path_of(backup)
        manifest = self._manifest(path)
        found = None if manifest is None else manifest.own_versions
        if found is None:
            try:
                with closing(at_rest.open_at_rest(path)) as connection:
                    found = own_tables.versions(connection)
            except (sqlite3.Error, UnicodeDecodeError):
                return False
        return all(found.get(namespace, 0) <= version for namespace, version in own_versions.items())

    def _opens(self, backup: Backup, version: int) -> bool:
        try:
            return self._sound(self.path_of(backup), None, None).schema_version <= version
        except (SidecarError, OSError):
            return False

    def _sound(self, path: Path, known: BackupManifest | None, job: CancellationToken | None) -> Snapshot:
        """Raises `Conflict` when the file is not what it should be, and `DiskFailed` when the disk does not give it."""
        try:
            with disk_reads.reporting_disk_errors(path):
                return self._checked(path, known, job)
        except (Conflict, DiskFailed) as failure:
            # SQLite reports an error of the disk as damage, too, so the file is read and checked once more.
            log.warning("%s It is checked once more.", failure.message)
        disk_reads.require_readable(path)
        with disk_reads.reporting_disk_errors(path):
            return self._checked(path, known, job)

    def _checked(self, path: Path, known: BackupManifest | None, job: CancellationToken | None) -> Snapshot:
        damaged = f"The backup {path.name} is damaged"
        if known is not None and snapshot.digest(path, job) != known.blake2b:
            raise Conflict(f"{damaged}: it is not the file that was made; choose another one.")
        try:
            found = snapshot.verify(path, job=job)
            if known is None:
                _require_ours(path)
        except sqlite3.Error as error:
            if isinstance(to_sidecar_error(error), DatabaseDamaged):
                raise Conflict(f"{damaged} and cannot be opened; choose another one.") from error
            raise to_sidecar_error(error) from error
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
        created_at, sequence, version, reason = names.parts_of(path)
        if manifest is not None and manifest.bytes == size:
            verified_at = None if manifest.damage else manifest.verified_at
            stored = manifest.model_dump(exclude={"blake2b", "verified_at", "source", "own_versions"})
            stored["sequence"] = manifest.sequence or sequence
            return Backup(name=path.name, verified_at=verified_at, **stored)
        damage = None if manifest is None else "It does not have the size that it was made with."
        return Backup(
            name=path.name,
            sequence=sequence,
            created_at=created_at,
            reason=reason,
            bytes=size,
            schema_version=version,
            damage=damage,
            replaced=reason == BEFORE_RESTORE,
        )

    def _manifest(self, path: Path) -> BackupManifest | None:
        """Return the manifest; `None` if there is none that can be read."""
        try:
            return BackupManifest.model_validate_json(_manifest_of(path).read_bytes())
        except (OSError, ValidationError):
            return None

    def _write_manifest(self, path: Path, manifest: BackupManifest) -> None:
        atomic.write_whole(_manifest_of(path), manifest.model_dump_json(indent=2))


def _require_openable(file: Path, source: sqlite3.Connection, version: int) -> None:
    """Raises `Conflict` for a database that a restore would refuse: of another program, or of a newer version."""
    if not upgrade.is_known(source):
        raise Conflict(f"{file} is the database of another program; give a backup of this one.")
    if version > upgrade.latest_version():
        raise Conflict(f"{file} was written by a newer version of this program; update the program first.")


def _require_ours(path: Path) -> None:
    with closing(at_rest.open_at_rest(path)) as connection:
        if not upgrade.is_known(connection):
            raise Conflict(f"{path.name} is the database of another program; choose another one.")


def _manifest_of(path: Path) -> Path:
    return path.with_suffix(".json")
