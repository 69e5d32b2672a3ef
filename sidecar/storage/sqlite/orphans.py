"""Rows that have no place any more, kept with the reason why in a table of their own: by an adoption or a recovery."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from sidecar.models import timestamps
from sidecar.storage.sqlite.damaged import BATCH_ROWS, Row, Table, tables

ORPHANS = "adopted_orphans"

ORPHANS_TABLE = f"""
CREATE TABLE IF NOT EXISTS {ORPHANS} (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name TEXT NOT NULL,
    row JSON TEXT NOT NULL,
    reason TEXT NOT NULL,
    is_carried BOOLEAN NOT NULL,
    created_at DATETIME NOT NULL
)
"""


def keep(
    connection: sqlite3.Connection, table: str, row: Mapping[str, Any], reason: str, *, is_carried: bool = False
) -> None:
    """Keep the row as it was; `is_carried` says that most of it is in its place, too."""
    connection.execute(ORPHANS_TABLE)
    text = json.dumps(dict(row), ensure_ascii=False, default=bytes.hex)
    connection.execute(
        f"INSERT INTO {ORPHANS} (table_name, row, reason, is_carried, created_at) VALUES (?, ?, ?, ?, ?)",
        (table, text, reason, is_carried, timestamps.now()),
    )


def set_aside(target: sqlite3.Connection) -> dict[str, int]:
    """Rows whose parent is not there are kept in `adopted_orphans`; those that need none lose it. How many of each."""
    counts: dict[str, int] = {}
    while found := [(table, name, orphan) for table in tables(target) for name, orphan in _orphans(target, table)]:
        for table, column, row in found:
            width = len(table.key)
            content = dict(zip(table.columns, row[width:], strict=True))
            can_do_without = table.has_row_ids and not _is_required(target, table.name, column)
            reason = f"{column}: the row it belongs to is lost"
            keep(target, table.name, content, reason, is_carried=can_do_without)
            change = f'UPDATE "{table.name}" SET "{column}" = NULL' if can_do_without else f'DELETE FROM "{table.name}"'
            target.execute(f"{change} WHERE {table.comparison('=')}", row[:width])
            counts[table.name] = counts.get(table.name, 0) + (0 if can_do_without else 1)
    return counts


def _orphans(target: sqlite3.Connection, table: Table) -> Iterator[tuple[str, Row]]:
    keys = target.execute(
        'SELECT "table", "from", coalesce("to", \'id\') FROM pragma_foreign_key_list(?)', (table.name,)
    ).fetchall()
    for parent, column, referred in keys:
        lost = f"""
            "{column}" IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM "{parent}" AS parent WHERE parent."{referred}" = "{table.name}"."{column}")
        """
        for row in target.execute(table.select(lost, f"LIMIT {BATCH_ROWS}")).fetchall():
            yield column, row


def _is_required(target: sqlite3.Connection, table: str, column: str) -> bool:
    sql = 'SELECT "notnull" OR pk FROM pragma_table_info(?) WHERE name = ?'
    return bool(target.execute(sql, (table, column)).fetchone()[0])
