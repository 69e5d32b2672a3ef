"""Putting a backup in the database's place: plain steps on files, each of which leaves the old database or the new one.

The order matters: a database file under the write-ahead log of another one is a damaged database. So the old one gets
rid of its log first, while it still has its name; then one rename replaces it, and it stays as a backup under the name
that it was given before.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sidecar.errors import Conflict, DatabaseDamaged, StartRefused, StorageBusy
from sidecar.storage.sqlite.backup.cancellation import CancellationToken
from sidecar.storage.sqlite.engine import pragmas
from sidecar.storage.sqlite.engine.connections import Prepare
from sidecar.storage.sqlite.engine.errors import translate_errors
from sidecar.storage.sqlite.files import atomic, companions, open_mark, room, wal
from sidecar.storage.sqlite.schema import upgrade

_BLOCK = 1024 * 1024


def copy_beside(database: Path) -> Path:
    """Where the copy lies that is going to replace the database."""
    return database.with_name(database.name + ".restoring")


def ready_copy(
    backup: Path, database: Path, job: CancellationToken, prepare: Prepare, usable_backup: Callable[[int], Path | None]
) -> Path:
    """Make a copy of the backup beside the database, up to date, complete in its one file and on the disk.

    `prepare` brings it up to date and stores in it what must be there as soon as it is the database. Raises `Conflict`
    when this program cannot open the backup, `DiskFull` before anything is written.
    """
    copy = copy_beside(database)
    discard(copy)
    room.need_room(database.parent, backup.stat().st_size)
    try:
        with backup.open("rb") as source, os.fdopen(atomic.create(copy), "wb") as target:
            while block := source.read(_BLOCK):
                target.write(block)
                job.raise_if_cancelled()
                job.progress.advance(len(block), "copying the backup")
        job.progress.begin("upgrading the copy")
        upgrade.check_version(copy, usable_backup)
        with translate_errors(), closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            with job.watching(connection):
                pragmas.prepare_writer(connection)
                prepare(connection)
                connection.execute("PRAGMA journal_mode = DELETE")
        atomic.sync(copy)
    except (StartRefused, DatabaseDamaged) as error:
        discard(copy)
        raise Conflict(f"The backup {backup.name} cannot be opened by this program: {error.message}") from error
    except BaseException:
        discard(copy)
        raise
    return copy


def put_in_place(copy: Path, database: Path, kept: Path) -> None:
    """Replace the database, which nobody may have open, by `copy`; from then on it is `kept`.

    Raises `StorageBusy` when another program has it open; nothing is changed then. One that is damaged is kept as it
    is, with its write-ahead log beside it.
    """
    open_mark.remove(database)
    atomic.make_directory(kept.parent)
    try:
        _settle(database)
    except DatabaseDamaged:
        companions.set_aside(database, kept)
    # Its log must not come back after a power cut and be played into the copy.
    atomic.sync(database.parent)
    try:
        _give_second_name(database, kept)
        copy.replace(database)
    except BaseException:
        kept.unlink(missing_ok=True)
        raise
    atomic.sync(database.parent)


def put_back(database: Path, kept: Path) -> None:
    """Undo `put_in_place`; what was written to the new database is lost. Does nothing if it has not come to that."""
    if kept.exists():
        companions.discard(database)
        atomic.sync(database.parent)
        kept.replace(database)
        companions.set_aside(kept, database)  # last: beside the copy, they would be played into it
        atomic.sync(database.parent)


def discard(copy: Path) -> None:
    """Remove a copy, and what SQLite may have made beside it."""
    companions.discard(copy)
    copy.unlink(missing_ok=True)


def _settle(database: Path) -> None:
    """Have everything in the one file; only possible while no other connection is open."""
    with translate_errors(), closing(sqlite3.connect(database, isolation_level=None)) as connection:
        pragmas.wait_for_locks(connection)
        pragmas.commit_durably(connection)
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    if mode != "delete" or wal.wal_path(database).exists():
        raise StorageBusy("Another program has the database open; close it and try again.")


def _give_second_name(file: Path, name: Path) -> None:
    """A second name of the same file, or where the file system has no such thing, a copy."""
    try:
        os.link(file, name)
    except OSError:
        partial = atomic.partial_of(name)
        shutil.copyfile(file, partial)
        atomic.sync(partial)
        partial.replace(name)
    atomic.sync(name.parent)
