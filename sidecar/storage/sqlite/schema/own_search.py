"""The search of extensions' tables: the views and triggers that the built-in ones have from migrations.

They are made after the migrations of an extension, and again when its declaration has changed. Until its next
migration they stay, with or without its module: whoever changes a row, the index hears of it. The table
`extension_search_kinds` has the number of each kind in the index, which no other kind ever gets.
"""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from sidecar.storage.interfaces import OwnTables
from sidecar.storage.resources.rows.declaration import Declaration
from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.schema.joined_text import joined
from sidecar.storage.sqlite.schema.migrations.m0004_search import SearchedTable, statements_for

FIRST_NUMBER = 1_000
"""The built-in kinds have smaller ones; the largest that a rowid of the index has room for is 32,767."""

_NUMBERS = """
CREATE TABLE IF NOT EXISTS extension_search_kinds (
    table_name TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    number INTEGER NOT NULL UNIQUE
)
"""

_NOTED = """
INSERT INTO search_pending (docid, title, content, tags, facets)
SELECT docid, title, content, tags, facets FROM {view} AS touched
WHERE EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
ON CONFLICT DO NOTHING
"""
"""The words that the index has of every row, as the trigger of a single row notes them: they are removed by them."""


class OwnKind(NamedTuple):
    """A kind of documents that an extension declared: its table, and its number in the index."""

    table: str
    namespace: str
    number: int


def kinds(connection: sqlite3.Connection) -> list[OwnKind]:
    """Return every kind that an extension ever declared, those included that are not searched any more."""
    if not _is_there(connection, "extension_search_kinds"):
        return []
    found = connection.execute("SELECT table_name, namespace, number FROM extension_search_kinds ORDER BY number")
    return [OwnKind(*row) for row in found.fetchall()]


def searched(connection: sqlite3.Connection) -> dict[int, str]:
    """Return the tables that are searched, by their numbers, whether their modules are loaded or not."""
    return {kind.number: kind.table for kind in kinds(connection) if _is_there(connection, _view(kind.table))}


def withdraw(connection: sqlite3.Connection, namespace: str) -> None:
    """Have no table of the namespace searched, inside a transaction that is open."""
    for kind in kinds(connection):
        if kind.namespace == namespace:
            _withdraw(connection, kind.table)


def bring_up_to_date(connection: sqlite3.Connection, extensions: Sequence[OwnTables]) -> None:
    """Have the tables searched that the extensions declare so, and no others of theirs."""
    wanted = {
        table.name: (tables.namespace, table)
        for tables in extensions
        for table in tables.declared
        if table.searched is not None
    }
    known = {kind.table: kind for kind in kinds(connection)}
    loaded = {tables.namespace for tables in extensions}
    dropped = [
        kind.table
        for kind in known.values()
        if kind.namespace in loaded and kind.table not in wanted and _objects(connection, kind.table)
    ]
    changed = [name for name, (_, table) in wanted.items() if not _is_current(connection, table, known.get(name))]
    if not dropped and not changed:
        return
    with transaction(connection):
        for name in (*dropped, *changed):
            _withdraw(connection, name)
        for name in changed:
            namespace, table = wanted[name]
            number = _number(connection, name, namespace)
            connection.execute("DELETE FROM search_fill WHERE kind = ?", (number,))
            for statement in statements_for(_document(table, number)):
                connection.execute(statement)


def _number(connection: sqlite3.Connection, table: str, namespace: str) -> int:
    """Return the number of the kind, which is a new one for a new kind."""
    connection.execute(_NUMBERS)
    connection.execute(
        """
        INSERT INTO extension_search_kinds (table_name, namespace, number)
        SELECT ?, ?, max(?, coalesce((SELECT max(number) + 1 FROM extension_search_kinds), 0))
        WHERE TRUE ON CONFLICT (table_name) DO NOTHING
        """,
        (table, namespace, FIRST_NUMBER),
    )
    sql = "SELECT number FROM extension_search_kinds WHERE table_name = ?"
    number: int = connection.execute(sql, (table,)).fetchone()[0]
    return number


def _document(table: Declaration, number: int) -> SearchedTable:
    """Return what the index takes of a row."""
    declared = table.searched
    assert declared is not None
    title = () if declared.title is None else (declared.title,)
    return SearchedTable(
        number,
        table.name,
        (*title, *declared.content),
        title=joined(table.columns, title),
        content=joined(table.columns, declared.content),
        key=table.key,
    )


def _is_current(connection: sqlite3.Connection, table: Declaration, kind: OwnKind | None) -> bool:
    """Return whether the view and the triggers are there as the declaration has them."""
    if kind is None:
        return False
    statements = {_plain(sql) for sql in statements_for(_document(table, kind.number)) if "CREATE" in sql}
    return statements == {_plain(sql) for sql in _objects(connection, table.name).values()}


def _plain(sql: str) -> str:
    return " ".join(sql.split())


def _objects(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Return the statements of the view and of the triggers by which a table is searched."""
    sql = "SELECT name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger')"
    endings = ("", "_inserted", "_changing", "_changed", "_deleting", "_replacing")
    names = {_view(table) + ending for ending in endings}
    return {name: text for name, text in connection.execute(sql).fetchall() if name in names}


def _withdraw(connection: sqlite3.Connection, table: str) -> None:
    """Remove the view and the triggers; the index drops the rows in steps, by what is noted of them here."""
    objects = _objects(connection, table)
    view = _view(table)
    if view in objects:
        try:
            connection.execute(_NOTED.format(view=view))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            # Without its table or a column, the view is of no use: the index is filled again, from the beginning.
            connection.execute("DELETE FROM search_format")
    for name in sorted(objects, reverse=True):
        connection.execute(f"DROP {'VIEW' if name == view else 'TRIGGER'} {name}")


def _view(table: str) -> str:
    return f"search_{table}"


def _is_there(connection: sqlite3.Connection, name: str) -> bool:
    """Return whether there is a table or a view of this name that can be read.

    A commit asks for it. SQLite has the columns in memory, so that this takes a microsecond; the rows of the schema are
    on several pages.
    """
    try:
        return connection.execute("SELECT 1 FROM pragma_table_info(?)", (name,)).fetchone() is not None
    except sqlite3.OperationalError as error:  # a view whose table somebody has dropped
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return False
