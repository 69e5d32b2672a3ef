"""The tables of extensions: numbered migrations for each namespace, in the same database as everything else.

The table `extension_migrations` is their history. It is made when the first one is applied, so that a database without
extensions has no trace of them.
"""

import sqlite3
import traceback
from collections.abc import Callable, Mapping, Sequence

from sidecar import __version__
from sidecar.clock import Clock
from sidecar.errors import DatabaseTooNew, ExtensionRefused, OutOfDescriptors, SidecarError, StorageError
from sidecar.models import timestamps
from sidecar.storage.interfaces import OwnMigration, OwnTables, StageListener
from sidecar.storage.sqlite.engine.errors import to_sidecar_error
from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.schema import own_search

_HISTORY = """
CREATE TABLE IF NOT EXISTS extension_migrations (
    namespace TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    program_version TEXT NOT NULL,
    PRIMARY KEY (namespace, version)
)
"""

_OTHERS = r"""
SELECT name, sql FROM sqlite_schema
WHERE name NOT LIKE ? ESCAPE '\' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name
"""


def versions(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the version of each namespace that has tables in the database."""
    has_history = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'extension_migrations'"
    if connection.execute(has_history).fetchone() is None:
        return {}
    return dict(connection.execute("SELECT namespace, max(version) FROM extension_migrations GROUP BY namespace"))


def require_known(
    connection: sqlite3.Connection,
    extensions: Sequence[OwnTables],
    way_back: Callable[[Mapping[str, int]], str],
) -> None:
    """Raise `DatabaseTooNew` for tables of a version that the loaded module does not know. Nothing is changed.

    `way_back` says what to do, for the versions that the modules know.
    """
    found = versions(connection)
    known = {tables.namespace: len(tables.migrations) for tables in extensions}
    for tables in extensions:
        version = found.get(tables.namespace, 0)
        if version > len(tables.migrations):
            raise DatabaseTooNew(
                f"The tables of the extension '{tables.namespace}' were written by a newer version of its module "
                f"(version {version}, this one knows {len(tables.migrations)}) and were left untouched; "
                f"{way_back(known)}"
            )


def bring_up_to_date(
    connection: sqlite3.Connection,
    extensions: Sequence[OwnTables],
    before_change: Callable[[sqlite3.Connection], object] | None,
    announce: StageListener,
    *,
    clock: Clock,
) -> int:
    """Apply the migrations that the extensions' tables have not had; return their number.

    If any is due, `before_change` is called first. Each migration is one transaction. Raises `ExtensionRefused` for one
    that fails or changes what is not the extension's; the database is then as it was before that migration.
    """
    found = versions(connection)
    due = [
        (tables.namespace, migration)
        for tables in extensions
        for migration in tables.migrations
        if migration.version > found.get(tables.namespace, 0)
    ]
    if due and before_change is not None:
        before_change(connection)
    for namespace, migration in due:
        detail = f"Bringing the tables of the extension {namespace} to version {migration.version}: {migration.name}"
        announce("migrating", detail)
        with transaction(connection):
            _apply(connection, namespace, migration, clock)
    for tables in extensions:
        _require_declared_columns(connection, tables)
    if extensions:
        own_search.bring_up_to_date(connection, extensions)
    return len(due)


def _apply(connection: sqlite3.Connection, namespace: str, migration: OwnMigration, clock: Clock) -> None:
    begins_with = namespace.replace("_", r"\_") + r"\_%"
    own_search.withdraw(connection, namespace)
    before = _others(connection, begins_with)
    if migration.version == 1:
        _require_unused(connection, namespace, begins_with)
    try:
        migration.apply(connection)
    except Exception as error:
        raise _failed(namespace, migration, error) from error
    if not connection.in_transaction:
        raise ExtensionRefused(f"{_named(namespace, migration)} commits; it must leave the transaction open.")
    changed = before.items() ^ _others(connection, begins_with).items()
    if changed:
        name = min(name for name, _ in changed)
        raise ExtensionRefused(
            f"{_named(namespace, migration)} creates, changes or removes '{name}'; the names of all that it touches "
            f"must begin with '{namespace}_'."
        )
    connection.execute(_HISTORY)
    connection.execute(
        "INSERT INTO extension_migrations (namespace, version, name, applied_at, program_version) "
        "VALUES (?, ?, ?, ?, ?)",
        (namespace, migration.version, migration.name, timestamps.now(clock), __version__),
    )


def _others(connection: sqlite3.Connection, begins_with: str) -> Mapping[str, str | None]:
    """Return the statement of everything in the schema that does not belong to the namespace."""
    return dict(connection.execute(_OTHERS, (begins_with,)).fetchall())


def _require_unused(connection: sqlite3.Connection, namespace: str, begins_with: str) -> None:
    sql = r"SELECT min(name) FROM sqlite_schema WHERE name LIKE ? ESCAPE '\'"
    (name,) = connection.execute(sql, (begins_with,)).fetchone()
    if name is not None:
        raise ExtensionRefused(
            f"The namespace '{namespace}' of an extension does not fit this database, which has '{name}' already; "
            "choose another one."
        )


def _require_declared_columns(connection: sqlite3.Connection, tables: OwnTables) -> None:
    for table in tables.declared:
        found = connection.execute("SELECT name, upper(type), pk FROM pragma_table_info(?)", (table.name,)).fetchall()
        if not found:
            raise ExtensionRefused(
                f"The extension '{tables.namespace}' declares the table '{table.name}', which no migration of it makes."
            )
        missing = sorted(table.columns.keys() - {name for name, _, _ in found})
        if missing:
            raise ExtensionRefused(
                f"The table '{table.name}' of the extension '{tables.namespace}' has no column '{missing[0]}', which "
                "its declaration names; add it by a migration."
            )
        if [(name, kind) for name, kind, pk in found if pk] != [(table.key, "INTEGER")]:
            raise ExtensionRefused(
                f"The table '{table.name}' of the extension '{tables.namespace}' needs the primary key "
                f"`{table.key} INTEGER PRIMARY KEY AUTOINCREMENT`."
            )


def _named(namespace: str, migration: OwnMigration) -> str:
    code = getattr(migration.apply, "__code__", None)
    place = "" if code is None else f" ({code.co_filename}, line {code.co_firstlineno})"
    return f"The migration {migration.version} of the extension '{namespace}'{place}"


def _failed(namespace: str, migration: OwnMigration, error: Exception) -> SidecarError:
    """Return the error for a migration that raised one: the extension's, unless the disk or the file is at fault."""
    if isinstance(error, sqlite3.Error):
        known = to_sidecar_error(error)
        if isinstance(known, StorageError | OutOfDescriptors) and type(known) is not StorageError:
            return known
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename}, line {frame.lineno}"
    return ExtensionRefused(
        f"{_named(namespace, migration)} failed: {type(error).__name__}: {error} ({place}); the database is as it was "
        "before it."
    )
