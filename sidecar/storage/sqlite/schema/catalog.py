"""The tables of a database, their columns and their indexes, as SQLite lists them."""

import sqlite3
from typing import Any, NamedTuple

from sidecar.storage.resources.rows.names import quoted

BATCH_ROWS = 500
"""Rows that are in memory at a time."""

NOT_SALVAGED = frozenset(
    {
        "schema_migrations",
        "import_ids",
        "search_fill",
        "search_format",
        "search_pending",
        "search_places",
        "conversation_tags",
        "guard_values",
    }
)
"""Tables whose rows belong to one file: how it was made, and what its own indexes have."""

Row = tuple[Any, ...]
"""The row's key, then its columns."""


class TableInfo(NamedTuple):
    """A table as the schema has it."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    """`rowid`, or the primary key of a table that has none."""

    @property
    def has_row_ids(self) -> bool:
        return self.key == ("rowid",)

    def select(self, where: str = "TRUE", order: str = "") -> str:
        names = ", ".join((*self.key, *map(quoted, self.columns)))
        return f"SELECT {names} FROM {quoted(self.name)} NOT INDEXED WHERE {where} {order}"

    def comparison(self, operator: str) -> str:
        return f"({', '.join(self.key)}) {operator} ({', '.join('?' for _ in self.key)})"


def tables(connection: sqlite3.Connection) -> list[TableInfo]:
    """Ordinary tables, without those of SQLite itself and of virtual tables."""
    listed = connection.execute(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    ).fetchall()
    tables = []
    for name, without_row_id in listed:
        if name not in NOT_SALVAGED:
            infos = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (name,)).fetchall()
            key = sorted((pk, column) for column, pk in infos if pk)
            names = tuple(quoted(column) for _, column in key) if without_row_id else ("rowid",)
            tables.append(TableInfo(name, tuple(column for column, _ in infos), names))
    return tables


def whole_indexes(connection: sqlite3.Connection, table: str) -> list[str]:
    """Its indexes that have every row."""
    sql = "SELECT name FROM pragma_index_list(?) WHERE NOT partial"
    return [name for (name,) in connection.execute(sql, (table,)).fetchall()]
