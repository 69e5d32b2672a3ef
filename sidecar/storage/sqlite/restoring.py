"""Putting a backup in the database's place: plain steps on files, each of which leaves the old database or the new one.

The order matters: a database file under the write-ahead log of another one is a damaged database. So the old one gets
rid of its log first, while it still has its name; then one rename replaces it, and it stays as a backup under the name
that it was given before.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sidecar.clock import Clock
from sidecar.errors import Conflict, DatabaseDamaged, StartRefused, StorageBusy
from sidecar.models.backups import Restored
from sidecar.storage.sqlite import (
    companions,
    files,
    idempotency,
    identity,
    log_file,
    open_mark,
    pragmas,
    schema,
    snapshot,
)
from sidecar.storage.sqlite.background import Job
from sidecar.storage.sqlite.backup_directory import BEFORE_RESTORE, BackupDirectory
from sidecar.storage.sqlite.failures import translating
from sidecar.storage.sqlite.recovery import Recovery
from sidecar.storage.sqlite.transaction import transaction

_BLOCK = 1024 * 1024


def copy_beside(database: Path) -> Path:
    """Where the copy lies that is going to replace the database."""
    return database.with_name(database.name + ".restoring")


def ready_copy(
    backup: Path, database: Path, clock: Clock, job: Job, add: Callable[[sqlite3.Connection], object]
) -> Path:
    """A copy of the backup beside the database, brought up to date, complete in its one file and on the disk.

    `add` stores in it what must be there as soon as it is the database. Raises `Conflict` when this program cannot open
    the backup, `DiskFull` before anything is written.
    """
    copy = copy_beside(database)
    discard(copy)
    snapshot.need_room(database.parent, backup.stat().st_size)
    try:
        with backup.open("rb") as source, os.fdopen(files.create(copy), "wb") as target:
            while block := source.read(_BLOCK):
                target.write(block)
                job.go_on()
        schema.check_version(copy, backup.parent, clock)
        with translating(), closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            with job.watching(connection):
                pragmas.prepare_writer(connection)
                schema.bring_up_to_date(connection, None, lambda *_: None, clock=clock)
                with transaction(connection):
                    add(connection)
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
    # Otherwise the next start would finish it, and put the recovered store in place of the restored one.
    Recovery(database, directory.path, lambda *_: None, directory.clock).finish_interrupted()
    directory.clear_leftovers(database)
    backup = directory.prove(name, job)
    outliving = _outliving(database)
    backup_file = directory.path_of(backup)
    copy = ready_copy(backup_file, database, directory.clock, job, lambda new: idempotency.carry_over(new, outliving))
    directory.prove_unknown(job)
    marked = directory.note_restore(name)
    try:
        if not database.exists():
            open_mark.remove(database)
            companions.discard(database)
            files.sync(database.parent)
            copy.replace(database)
            files.sync(database.parent)
            return Restored(restored=backup, kept=None)
        kept = directory.next_path(_version(database), BEFORE_RESTORE)
        put_in_place(copy, database, kept)
    except BaseException:
        directory.forget_restore(marked)
        raise
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


def _outliving(database: Path) -> Sequence[tuple[Any, ...]]:
    """Return the keys that a restore carries over, as far as the database, which may be damaged, has any."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return idempotency.outliving(connection)
    except (sqlite3.Error, UnicodeDecodeError):
        return []


def put_in_place(copy: Path, database: Path, kept: Path) -> None:
    """Replace the database, which nobody may have open, by `copy`; from then on it is `kept`.

    Raises `StorageBusy` when another program has it open; nothing is changed then. One that is damaged is kept as it
    is, with its write-ahead log beside it.
    """
    open_mark.remove(database)
    files.make_directory(kept.parent)
    try:
        _settle(database)
    except DatabaseDamaged:
        companions.set_aside(database, kept)
    # Its log must not come back after a power cut and be played into the copy.
    files.sync(database.parent)
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
        companions.discard(database)
        files.sync(database.parent)
        kept.replace(database)
        companions.set_aside(kept, database)  # last: beside the copy, they would be played into it
        files.sync(database.parent)


def discard(copy: Path) -> None:
    """Remove a copy, and what SQLite may have made beside it."""
    companions.discard(copy)
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
