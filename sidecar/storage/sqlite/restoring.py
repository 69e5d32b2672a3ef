"""Putting a backup in the database's place: plain steps on files, each of which leaves the old database or the new one.

The order matters: a database file under the write-ahead log of another one is a damaged database. So the old one gets
rid of its log first, while it still has its name; then one rename replaces it, and it stays as a backup under the name
that it was given before.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sidecar.errors import Conflict, DatabaseDamaged, StartRefused, StorageBusy
from sidecar.models.backups import Restored
from sidecar.storage.sqlite import files, identity, log_file, pragmas, schema, snapshot
from sidecar.storage.sqlite.background import Job
from sidecar.storage.sqlite.backup_directory import BackupDirectory, backup_name
from sidecar.storage.sqlite.failures import translating

BEFORE_RESTORE = "before-restore"

_BLOCK = 1024 * 1024
_COMPANIONS = ("-wal", "-shm", "-journal")


def copy_beside(database: Path) -> Path:
    """Where the copy lies that is going to replace the database."""
    return database.with_name(database.name + ".restoring")


def ready_copy(backup: Path, database: Path, job: Job) -> Path:
    """A copy of the backup beside the database, brought up to date, complete in its one file and on the disk.

    Raises `Conflict` when this program cannot open the backup, `DiskFull` before anything is written.
    """
    copy = copy_beside(database)
    discard(copy)
    snapshot.need_room(database.parent, backup.stat().st_size)
    try:
        with backup.open("rb") as source, os.fdopen(files.create(copy), "wb") as target:
            while block := source.read(_BLOCK):
                target.write(block)
                job.go_on()
        schema.check_version(copy, backup.parent)
        with translating(), closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            with job.watching(connection):
                pragmas.prepare_writer(connection)
                schema.bring_up_to_date(connection, None, lambda *_: None)
                connection.execute("PRAGMA journal_mode = DELETE")
        files.sync(copy)
    except (StartRefused, DatabaseDamaged) as error:
        discard(copy)
        raise Conflict(f"The backup {backup.name} cannot be opened by this program: {error.message}") from error
    except BaseException:
        discard(copy)
        raise
    return copy


def restore_at_rest(directory: BackupDirectory, database: Path, name: str) -> Restored:
    """Replace a database that nobody has open, whatever state it is in, by the backup of this name.

    Raises `NotFound`; `Conflict` when the backup is damaged or this program cannot open it; `DiskFull`.
    """
    job = Job()
    directory.clear_leftovers(database)
    backup = directory.prove(name, job)
    copy = ready_copy(directory.path_of(backup), database, job)
    try:
        if not database.exists():
            _discard_companions(database)
            copy.replace(database)
            files.sync(database.parent)
            return Restored(restored=backup, kept=None)
        kept = directory.path / backup_name(_version(database), BEFORE_RESTORE)
        put_in_place(copy, database, kept)
    finally:
        discard(copy)
    try:
        return Restored(restored=backup, kept=directory.prove(kept.name, job))
    except Conflict:
        return Restored(restored=backup, kept=directory.find(kept.name))


def _version(database: Path) -> int:
    try:
        with closing(sqlite3.connect(database)) as connection:
            return identity.version_of(connection)
    except (sqlite3.Error, UnicodeDecodeError):
        return 0


def put_in_place(copy: Path, database: Path, kept: Path) -> None:
    """Replace the database, which nobody may have open, by `copy`; from then on it is `kept`.

    Raises `StorageBusy` when another program has it open; nothing is changed then. One that is damaged is kept as it
    is, with its write-ahead log beside it.
    """
    try:
        _settle(database)
    except DatabaseDamaged:
        _keep_companions(database, kept)
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _give_second_name(database, kept)
        copy.replace(database)
    except BaseException:
        kept.unlink(missing_ok=True)
        raise
    files.sync(database.parent)


def put_back(database: Path, kept: Path) -> None:
    """Undo `put_in_place`; what was written to the new database is lost. Does nothing if it has not come to that."""
    if kept.exists():
        _discard_companions(database)
        kept.replace(database)
        files.sync(database.parent)


def discard(copy: Path) -> None:
    """Remove a copy, and what SQLite may have made beside it."""
    _discard_companions(copy)
    copy.unlink(missing_ok=True)


def _settle(database: Path) -> None:
    """Have everything in the one file; only possible while no other connection is open."""
    with translating(), closing(sqlite3.connect(database, isolation_level=None)) as connection:
        pragmas.wait_for_locks(connection)
        pragmas.commit_durably(connection)
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    if mode != "delete" or log_file.log_path(database).exists():
        raise StorageBusy("Another program has the database open; close it and try again.")


def _give_second_name(file: Path, name: Path) -> None:
    """A second name of the same file, or where the file system has no such thing, a copy."""
    try:
        os.link(file, name)
    except OSError:
        partial = files.partial_of(name)
        shutil.copyfile(file, partial)
        files.sync(partial)
        partial.replace(name)
    files.sync(name.parent)


def _keep_companions(database: Path, kept: Path) -> None:
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for suffix in _COMPANIONS:
        companion = database.with_name(database.name + suffix)
        if companion.exists():
            companion.replace(kept.with_name(kept.name + suffix))


def _discard_companions(database: Path) -> None:
    for suffix in _COMPANIONS:
        database.with_name(database.name + suffix).unlink(missing_ok=True)
