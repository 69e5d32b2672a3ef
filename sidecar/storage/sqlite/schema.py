"""Bringing a database's schema up to date: numbered migrations, each in one transaction with its number.

The number of the newest one is the database's `user_version`; the history is the table `schema_migrations`.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sidecar import __version__
from sidecar.errors import BadConfiguration, DatabaseBeyondRepair, DatabaseDamaged, DatabaseTooNew, StorageError
from sidecar.models import timestamps
from sidecar.storage.interfaces import StageListener
from sidecar.storage.sqlite import snapshot
from sidecar.storage.sqlite.failures import translated
from sidecar.storage.sqlite.migrations import MIGRATIONS, Migration

APPLICATION_ID = 0x65534443
"""Marks the file as this project's, for `file` and for us (https://sqlite.org/fileformat.html, "Application ID")."""

_FIRST_BYTES = b"SQLite format 3\x00"

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


def check_version(path: Path, backups: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Refuse, without changing a byte of it, a database that this program must not open.

    Raises `DatabaseTooNew`, naming the newest backup that this program can open; `BadConfiguration` for another
    program's database; `DatabaseBeyondRepair` for what is not a database.
    """
    if path.is_dir():
        raise BadConfiguration(f"{path} is a directory, not a database; choose another path.")
    if not path.exists() or path.stat().st_size == 0:
        return
    damaged = f"{path} is damaged or not a database; it was left as it is."
    if not _begins_like_a_database(path):
        raise DatabaseBeyondRepair(damaged)
    try:
        with closing(_open_untouched(path)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            has_tables = connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None
            is_known = _is_ours(connection) or _is_seeds(connection)
    except sqlite3.Error as error:
        if isinstance(translated(error), DatabaseDamaged):
            raise DatabaseBeyondRepair(damaged) from error
        raise
    if has_tables and not is_known:
        raise BadConfiguration(f"{path} is the database of another program; choose another path.")
    if version > latest_version(migrations):
        usable = _newest_usable_backup(backups, latest_version(migrations))
        advice = f"the backup {usable} can be opened by this one" if usable else "no backup for this one was found"
        raise DatabaseTooNew(
            f"{path} was written by a newer version of this program (schema {version}, this one knows "
            f"{latest_version(migrations)}) and was left untouched; update the program, or {advice}."
        )


def bring_up_to_date(
    connection: sqlite3.Connection,
    backups: Path | None,
    announce: StageListener,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> int:
    """Apply the migrations that the database has not had; returns how many.

    If any is due and the database holds rows, a verified copy is put into `backups` first. A migration that fails
    leaves the database as it was before that migration, and its error is raised. A seed's database is adopted, which is
    one step whatever the number of migrations.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    due = [migration for migration in migrations if migration.version > version]
    is_seeds = bool(due) and _is_seeds(connection)
    if due and backups is not None and any(snapshot.count_rows(connection).values()):
        announce("backing_up", f"Copying the database before changing its schema from version {version}")
        # A seed's system never enforced foreign keys: its copy is good as it is.
        snapshot.make_snapshot(connection, backups / backup_name(version), check_references=not is_seeds)
    if is_seeds:
        from sidecar.storage.sqlite import adoption

        adoption.adopt(connection, lambda created: _apply_each(created, due), announce)
        return len(due)
    for migration in due:
        announce("migrating", f"Bringing the database to schema version {migration.version}: {migration.name}")
        _apply(connection, migration)
    return len(due)


def backup_name(version: int) -> str:
    """The file name of a copy that is made before a migration: sorts by time, tells the schema it holds."""
    moment = timestamps.now().replace("-", "").replace(":", "")
    return f"{moment}-schema-{version}-before-migration.db"


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        _apply_each(connection, [migration])
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _apply_each(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Inside a transaction that is open."""
    for migration in migrations:
        migration.apply(connection)
        connection.execute(_HISTORY)
        connection.execute(
            "INSERT INTO schema_migrations (version, name, applied_at, program_version) VALUES (?, ?, ?, ?)",
            (migration.version, migration.name, timestamps.now(), __version__),
        )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {migration.version}")


def _newest_usable_backup(backups: Path, version: int) -> Path | None:
    newest_first = sorted(backups.glob("*.db"), reverse=True)
    return next((path for path in newest_first if _is_usable(path, version)), None)


def _is_usable(backup: Path, version: int) -> bool:
    try:
        if snapshot.verify(backup).schema_version > version:
            return False
        with closing(snapshot.open_at_rest(backup)) as connection:
            return _is_ours(connection)
    except (sqlite3.Error, StorageError):
        return False


def _begins_like_a_database(path: Path) -> bool:
    """SQLite itself takes a file of a few bytes for an empty database, and overwrites it."""
    with path.open("rb") as file:
        return file.read(len(_FIRST_BYTES)) == _FIRST_BYTES


def _open_untouched(path: Path) -> sqlite3.Connection:
    """Reading a database that has a log makes two files beside it; one without is read as if it could not change."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size > 0:
        return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    return snapshot.open_at_rest(path)


def _is_seeds(connection: sqlite3.Connection) -> bool:
    from sidecar.storage.sqlite import adoption  # only for a file that is not ours yet

    return adoption.is_seeds(connection)


def _is_ours(connection: sqlite3.Connection) -> bool:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(application == APPLICATION_ID)
