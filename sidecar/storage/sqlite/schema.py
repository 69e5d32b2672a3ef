"""Bringing a database's schema up to date: numbered migrations, each in one transaction with its number.

The number of the newest one is the database's `user_version`; the history is the table `schema_migrations`.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar import __version__
from sidecar.clock import Clock
from sidecar.errors import BadConfiguration, DatabaseDamaged, DatabaseTooNew
from sidecar.models import timestamps
from sidecar.storage.interfaces import StageListener
from sidecar.storage.sqlite import log_file, snapshot
from sidecar.storage.sqlite.failures import translated
from sidecar.storage.sqlite.identity import APPLICATION_ID, is_ours, recorded_version, version_of
from sidecar.storage.sqlite.migrations import MIGRATIONS, Migration
from sidecar.storage.sqlite.transaction import transaction

if TYPE_CHECKING:
    from sidecar.storage.sqlite.backup_directory import BackupDirectory

_FIRST_BYTES = b"SQLite format 3\x00"

_WRITE_VERSION_AT = 18
_LAST_WRITE_VERSION = b"\x02"

_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    program_version TEXT NOT NULL
)
"""


def latest_version(migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """The version that this program brings databases to."""
    return migrations[-1].version


def check_version(path: Path, backups: Path, clock: Clock, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Refuse, without changing a byte of it, a database that this program must not open.

    Raises `DatabaseTooNew`, naming the newest backup that this program can open; `BadConfiguration` for another
    program's database; `DatabaseDamaged` for what is not, or no longer, a database.
    """
    if path.is_dir():
        raise BadConfiguration(f"{path} is a directory, not a database; choose another path.")
    if path.exists() and not path.is_file():
        raise BadConfiguration(f"{path} is not a regular file; choose another path.")
    if not path.exists() or path.stat().st_size == 0:
        return
    damaged = f"{path} is damaged or not a database."
    if not _begins_like_a_database(path):
        raise DatabaseDamaged(damaged)
    try:
        with closing(_open_untouched(path)) as connection:
            version, recorded = version_of(connection), recorded_version(connection, migrations)
            has_tables = connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None
            is_understood = recorded is not None or is_known(connection)
    except UnicodeDecodeError as error:  # Python cannot decode SQLite's message when that quotes damaged text
        raise DatabaseDamaged(damaged) from error
    except sqlite3.Error as error:
        # A header that asks for another file format is, in a file that was ours, a damaged one.
        if isinstance(translated(error), DatabaseDamaged) or error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise DatabaseDamaged(damaged) from error
        raise translated(error) from error
    if has_tables and not is_understood:
        raise BadConfiguration(f"{path} is the database of another program; choose another path.")
    newest = version if recorded is None else recorded
    if newest > latest_version(migrations):
        usable = _backups(backups, clock).newest_usable(latest_version(migrations))
        advice = "no backup for this one was found"
        if usable is not None:
            advice = f"the backup {backups / usable.name} can be opened by this one"
        raise DatabaseTooNew(
            f"{path} was written by a newer version of this program (schema {newest}, this one knows "
            f"{latest_version(migrations)}) and was left untouched; update the program, or {advice}."
        )
    if newest != version:
        raise DatabaseDamaged(
            f"The header of {path} is damaged: it says schema {version}, and the history of the database {newest}."
        )


def bring_up_to_date(
    connection: sqlite3.Connection,
    backups: Path | None,
    announce: StageListener,
    migrations: Sequence[Migration] = MIGRATIONS,
    *,
    clock: Clock,
    zone: tzinfo | None = None,
    source: str | None = None,
    keeps_columns: bool = True,
) -> int:
    """Apply the migrations that the database has not had; returns how many.

    If any is due and the database holds rows, a verified copy is put into `backups` first. A migration that fails
    leaves the database as it was before that migration, and its error is raised. Making a new database is one step
    whatever the number of migrations, and so is adopting a seed's: its local times belong to `zone`, or to this
    machine's, and its report names it `source`, or else by its file. With `keeps_columns`, columns that others added to
    it are added here; else their values are set aside.
    """
    version = version_of(connection)
    due = [migration for migration in migrations if migration.version > version]
    is_seeds = bool(due) and _is_seeds(connection)
    if due and backups is not None and any(snapshot.count_rows(connection).values()):
        announce("backing_up", f"Copying the database before changing its schema from version {version}")
        directory = _backups(backups, clock)
        directory.record(snapshot.make_snapshot(connection, directory.next_path(version, "before-migration")))
    if is_seeds:
        from sidecar.storage.sqlite import adoption

        adoption.adopt(
            connection,
            lambda created: _apply_each(created, due, clock),
            announce,
            clock,
            zone,
            source,
            keeps_columns=keeps_columns,
        )
        return len(due)
    if due and version == 0:
        announce("migrating", "Making the database")
        with transaction(connection):
            _apply_each(connection, due, clock)
        return len(due)
    for migration in due:
        announce("migrating", f"Bringing the database to schema version {migration.version}: {migration.name}")
        with transaction(connection):
            _apply_each(connection, [migration], clock)
    return len(due)


def _backups(path: Path, clock: Clock) -> "BackupDirectory":
    from sidecar.storage.sqlite import backup_directory  # seldom needed at a start

    return backup_directory.BackupDirectory(path, clock)


def _apply_each(connection: sqlite3.Connection, migrations: Sequence[Migration], clock: Clock) -> None:
    """Inside a transaction that is open."""
    for migration in migrations:
        migration.apply(connection)
        connection.execute(_HISTORY)
        connection.execute(
            "INSERT INTO schema_migrations (version, name, applied_at, program_version) VALUES (?, ?, ?, ?)",
            (migration.version, migration.name, timestamps.now(clock), __version__),
        )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {migration.version}")


def _begins_like_a_database(path: Path) -> bool:
    """SQLite itself takes a file of a few bytes for an empty database, and overwrites it."""
    with path.open("rb") as file:
        start = file.read(_WRITE_VERSION_AT + 1)
    # SQLite reads a file whose write version it does not know, and refuses to write to it.
    return start.startswith(_FIRST_BYTES) and start[_WRITE_VERSION_AT:] <= _LAST_WRITE_VERSION


def _open_untouched(path: Path) -> sqlite3.Connection:
    """Reading a database that has a log makes two files beside it; one without is read as if it could not change."""
    if log_file.has_content(path):
        return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    return snapshot.open_at_rest(path)


def is_known(connection: sqlite3.Connection) -> bool:
    """Return whether the database is this project's or a seed's, and not another program's."""
    return is_ours(connection) or _is_seeds(connection)


def _is_seeds(connection: sqlite3.Connection) -> bool:
    from sidecar.storage.sqlite import seed_makers  # only for a file that is not ours yet

    return seed_makers.is_seeds(connection)
