"""Bringing a database's schema up to date: numbered migrations, each in one transaction with its number.

The number of the newest one is the database's `user_version`; the history is the table `schema_migrations`.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from sidecar import __version__
from sidecar.clock import Clock
from sidecar.errors import BadConfiguration, DatabaseDamaged, DatabaseTooNew
from sidecar.models import timestamps
from sidecar.storage.interfaces import StageListener
from sidecar.storage.sqlite.engine.errors import to_sidecar_error
from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.files import at_rest, wal
from sidecar.storage.sqlite.schema import baseline, going_back
from sidecar.storage.sqlite.schema.identity import APPLICATION_ID, is_ours, recorded_version, version_of
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS, Migration

BeforeChange = Callable[[sqlite3.Connection], object]
"""Called before the first migration of a database: the place for a backup."""

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


def check_version(
    path: Path, usable_backup: Callable[[int], Path | None], migrations: Sequence[Migration] = MIGRATIONS
) -> None:
    """Refuse, without changing a byte of it, a database that this program must not open.

    `usable_backup` returns the newest backup that a program of this schema version can open.

    Raises `DatabaseTooNew`, with the command that restores the newest backup that this program can open;
    `BadConfiguration` for another program's database; `DatabaseDamaged` for what is not, or no longer, a database.
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
        if isinstance(to_sidecar_error(error), DatabaseDamaged) or error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise DatabaseDamaged(damaged) from error
        raise to_sidecar_error(error) from error
    if has_tables and not is_understood:
        raise BadConfiguration(f"{path} is the database of another program; choose another path.")
    newest = version if recorded is None else recorded
    if newest > latest_version(migrations):
        usable = usable_backup(latest_version(migrations))
        raise DatabaseTooNew(
            f"{path} was written by a newer version of this program (schema {newest}, this one knows "
            f"{latest_version(migrations)}) and was left untouched; {going_back.advice(path, usable)}"
        )
    if newest != version:
        raise DatabaseDamaged(
            f"The header of {path} is damaged: it says schema {version}, and the history of the database {newest}."
        )


def bring_up_to_date(
    connection: sqlite3.Connection,
    before_change: BeforeChange | None,
    announce: StageListener,
    migrations: Sequence[Migration] = MIGRATIONS,
    *,
    clock: Clock,
) -> int:
    """Apply the migrations that the database has not had; return their number.

    If any is due, `before_change` is called first. A migration that fails leaves the database as it was before that
    migration, and its error is raised. Making a new database is one step, whatever the number of migrations.
    """
    version = version_of(connection)
    due = due_for(connection, migrations)
    if due and before_change is not None:
        before_change(connection)
    if due and version == 0:
        announce("migrating", "Making the database")
        with transaction(connection):
            _make(connection, due, clock)
        return len(due)
    for migration in due:
        announce("migrating", f"Bringing the database to schema version {migration.version}: {migration.name}")
        with transaction(connection):
            apply_each(connection, [migration], clock)
    return len(due)


def due_for(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> list[Migration]:
    """Return the migrations that the database has not had."""
    version = version_of(connection)
    return [migration for migration in migrations if migration.version > version]


def apply_each(connection: sqlite3.Connection, migrations: Sequence[Migration], clock: Clock) -> None:
    """Apply these migrations and note them in the history, inside a transaction that is open."""
    for migration in migrations:
        migration.apply(connection)
        _note(connection, migration, clock)


def _make(connection: sqlite3.Connection, migrations: Sequence[Migration], clock: Clock) -> None:
    """Make a new database, by the baseline if all of its migrations are due and nothing else is there."""
    replaced = migrations[: baseline.VERSION]
    if replaced == list(MIGRATIONS[: baseline.VERSION]) and baseline.fits(connection):
        baseline.make(connection)
        for migration in replaced:
            _note(connection, migration, clock)
        migrations = migrations[baseline.VERSION :]
    apply_each(connection, migrations, clock)


def _note(connection: sqlite3.Connection, migration: Migration, clock: Clock) -> None:
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
    if wal.has_content(path):
        return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    return at_rest.open_at_rest(path)


def is_known(connection: sqlite3.Connection) -> bool:
    """Return whether the database is this project's or a seed's, and not another program's."""
    return is_ours(connection) or is_seeds(connection)


def is_seeds(connection: sqlite3.Connection) -> bool:
    """Return whether one of the seeds' systems made the database."""
    from sidecar.storage.sqlite.schema import makers  # only for a file that is not ours yet

    return makers.is_seeds(connection)
