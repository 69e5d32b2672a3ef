"""Findings about a database through a connection that only reads: versions, damage, references."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from sidecar.models.doctor import Finding, Level
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources.all import TABLES
from sidecar.storage.resources.rows.declaration import Declaration
from sidecar.storage.sqlite.adoption import store as adoptions
from sidecar.storage.sqlite.files import integrity
from sidecar.storage.sqlite.invalid_rows import store as invalid_rows
from sidecar.storage.sqlite.schema import own_tables, upgrade
from sidecar.storage.sqlite.schema.identity import version_of
from sidecar.storage.sqlite.search import index as search_index

OLDEST_SQLITE = (3, 37, 0)

Version = tuple[int, int, int]

FIXED_IN: tuple[Version, ...] = ((3, 51, 3),)
"""The versions from which the bug is gone that can damage a write-ahead log when two connections checkpoint or write at
the same moment (https://sqlite.org/wal.html, "The WAL-Reset Bug")."""


def examine(connection: sqlite3.Connection, tables: Mapping[str, Declaration] = TABLES) -> list[Finding]:
    """Everything, thoroughly: takes as long as reading the whole file. `tables` are looked through for invalid rows."""
    return [sqlite_version(sqlite3.sqlite_version_info), *_guarded(connection, tables)]


def examine_file(path: Path) -> list[Finding]:
    """The same for a file that nobody has open."""
    if not path.exists():
        return [Finding(level=Level.OK, subject="database", message=f"There is none yet at {path}.")]
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        return [_cannot_be_read(error)]
    connection.row_factory = sqlite3.Row
    try:
        return examine(connection)
    finally:
        connection.close()


def sqlite_version(version: tuple[int, ...]) -> Finding:
    """Return whether this SQLite is new enough, and free of bugs that are known to damage files."""
    name = ".".join(str(part) for part in version[:3])
    if version < OLDEST_SQLITE:
        message = f"{name} is older than this program works with; use a Python that comes with 3.37 or newer."
        return Finding(level=Level.PROBLEM, subject="SQLite", message=message)
    if not any(version >= fixed for fixed in FIXED_IN):
        message = (
            f"{name} can damage a write-ahead log when two programs write to a database at once (fixed in 3.51.3). The "
            "sidecar itself writes through one connection only; do not open its database with another tool while it "
            "runs."
        )
        return Finding(level=Level.WARNING, subject="SQLite", message=message)
    return Finding(level=Level.OK, subject="SQLite", message=f"{name} has no bug that is known to damage files.")


def _guarded(connection: sqlite3.Connection, tables: Mapping[str, Declaration]) -> list[Finding]:
    try:
        return [
            _schema(connection),
            _integrity(connection),
            _references(connection),
            _search_index(connection),
            _rows_set_aside(connection),
            _invalid_rows(connection, tables),
            *_extensions(connection),
        ]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return [_cannot_be_read(error)]


def _cannot_be_read(error: Exception) -> Finding:
    message = (
        f"The database cannot be read ({error}). Start the sidecar: it recovers the rows, and keeps the damaged file."
    )
    return Finding(level=Level.PROBLEM, subject="database", message=message)


def _schema(connection: sqlite3.Connection) -> Finding:
    if not upgrade.is_known(connection) and connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        message = "The file is the database of another program; choose another path for the sidecar's."
        return Finding(level=Level.PROBLEM, subject="schema", message=message)
    version = version_of(connection)
    latest = upgrade.latest_version()
    if version > latest:
        message = f"The database has version {version}, and this program knows {latest}; update the program."
        return Finding(level=Level.PROBLEM, subject="schema", message=message)
    note = "" if version == latest else f"; the next start upgrades it to {latest}"
    return Finding(level=Level.OK, subject="schema", message=f"The database has version {version}{note}.")


def _integrity(connection: sqlite3.Connection) -> Finding:
    problems = integrity.problems(connection)
    if not problems:
        return Finding(level=Level.OK, subject="integrity", message="Every page was read; the file is sound.")
    message = (
        f"The file is damaged ({'; '.join(problems[:3])}). Start the sidecar, or restart it: it recovers the rows, and "
        "keeps the damaged file."
    )
    return Finding(level=Level.PROBLEM, subject="integrity", message=message)


def _references(connection: sqlite3.Connection) -> Finding:
    lost = connection.execute("PRAGMA foreign_key_check").fetchmany(1)
    if not lost:
        return Finding(level=Level.OK, subject="references", message="Every row that refers to another finds it.")
    message = f"Rows of {lost[0][0]} refer to missing rows. Export everything, and import it into a new data directory."
    return Finding(level=Level.PROBLEM, subject="references", message=message)


def _invalid_rows(connection: sqlite3.Connection, tables: Mapping[str, Declaration]) -> Finding:
    subject = "invalid rows"
    if version_of(connection) != upgrade.latest_version():
        return Finding(level=Level.OK, subject=subject, message="Invalid rows can be looked for after the next start.")
    try:
        message = invalid_rows.sentence(invalid_rows.examine(connection, tables))
    except sqlite3.DatabaseError:
        return Finding(
            level=Level.WARNING, subject=subject, message="Invalid rows cannot be looked for in a damaged file."
        )
    if message is None:
        return Finding(level=Level.OK, subject=subject, message="Every value can be read.")
    return Finding(level=Level.WARNING, subject=subject, message=message)


def _search_index(connection: sqlite3.Connection) -> Finding:
    subject = "search index"
    if not search_index.is_there(connection):
        return Finding(
            level=Level.OK, subject=subject, message="There is no search index yet; the next start creates it."
        )
    if not search_index.is_usable(connection):
        message = "The search index cannot be read; the next start rebuilds it. No row is lost."
        return Finding(level=Level.WARNING, subject=subject, message=message)
    if not search_index.is_filled(connection):
        message = "The search index is being filled; searches are incomplete until then."
        return Finding(level=Level.OK, subject=subject, message=message)
    return Finding(level=Level.OK, subject=subject, message="The search index has every row.")


def _rows_set_aside(connection: sqlite3.Connection) -> Finding:
    subject = "rows set aside"
    sql = "SELECT 1 FROM pragma_table_info(?) WHERE name = 'acknowledged_at'"
    if connection.execute(sql, (orphans.ORPHANS,)).fetchone() is None:
        return Finding(level=Level.OK, subject=subject, message="The next start makes the table that lists them.")
    found = adoptions.sentence(adoptions.not_acknowledged(connection))
    if found is None:
        return Finding(level=Level.OK, subject=subject, message="Every row set aside is acknowledged.")
    return Finding(level=Level.WARNING, subject=subject, message=found)


def _extensions(connection: sqlite3.Connection) -> list[Finding]:
    """Return the extensions that have tables in the database, as one finding; nothing where there are none."""
    listed = ", ".join(f"{name} (version {version})" for name, version in own_tables.versions(connection).items())
    message = f"The database has tables of {listed}; backups and exports hold their rows."
    return [Finding(level=Level.OK, subject="extensions", message=message)] if listed else []
