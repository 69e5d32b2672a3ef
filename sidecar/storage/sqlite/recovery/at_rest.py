"""The restore of a backup in place of a database that nobody has open, whatever state that is in."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sidecar.errors import Conflict
from sidecar.models.backups import Restored
from sidecar.progress import Progress, ProgressCounter, ignore_progress
from sidecar.storage.sqlite.adoption.upgrade import adopt_or_upgrade
from sidecar.storage.sqlite.backup import jobs, restore
from sidecar.storage.sqlite.backup.cancellation import CancellationToken
from sidecar.storage.sqlite.backup.directory import BEFORE_RESTORE, BackupDirectory
from sidecar.storage.sqlite.engine import idempotency
from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.files import atomic, companions, open_mark
from sidecar.storage.sqlite.recovery.ladder import Recovery
from sidecar.storage.sqlite.schema import identity


def restore_at_rest(
    directory: BackupDirectory, database: Path, name: str, progress: Progress = ignore_progress
) -> Restored:
    """Replace a database that nobody has open, whatever state it is in, by the backup of this name.

    Raises `NotFound`; `Conflict` when the backup is damaged or this program cannot open it; `DiskFull`.
    """
    job = CancellationToken(progress)
    # Otherwise the next start would finish it, and put the recovered store in place of the restored one.
    Recovery(database, directory.path, lambda *_: None, directory.clock).finish_interrupted()
    directory.clear_leftovers(database)
    job.progress.expect(directory.bytes_to_restore(name))
    backup = directory.prove(name, job)
    outliving = _outliving(database)
    backup_file = directory.path_of(backup)

    def prepare(new: sqlite3.Connection) -> None:
        adopt_or_upgrade(new, None, lambda *_: None, clock=directory.clock)
        with transaction(new):
            idempotency.carry_over(new, outliving)
            jobs.settle(new, directory.clock)

    copy = restore.ready_copy(backup_file, database, job, prepare, directory.usable_file)
    directory.prove_unknown(job)
    job.progress.begin("replacing the database")
    job.progress = ProgressCounter()
    try:
        with directory.noting_restore(name, copy):
            if not database.exists():
                open_mark.remove(database)
                companions.discard(database)
                atomic.sync(database.parent)
                copy.replace(database)
                atomic.sync(database.parent)
                return Restored(restored=backup, kept=None)
            kept = directory.next_path(_version(database), BEFORE_RESTORE)
            restore.put_in_place(copy, database, kept)
    finally:
        restore.discard(copy)
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
