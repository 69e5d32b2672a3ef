"""Rows that are set aside: kept apart from their tables, each with the reason.

An adoption sets rows aside, and so do a recovery, an import and a repair. `bring_back.py` returns them to their tables.
"""

import json
import math
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from sidecar.storage.sqlite.damaged import BATCH_ROWS, Row, Table, tables
from sidecar.storage.sqlite.names import quoted

ORPHANS = "adopted_orphans"

Origin = Literal["adoption", "recovery", "import", "repair"]

_BYTES, _REAL = "base64", "real"


def keep(
    connection: sqlite3.Connection,
    table: str,
    row: Mapping[str, Any],
    reason: str,
    now: str,
    *,
    is_carried: bool = False,
    origin: Origin = "adoption",
) -> None:
    """Set the row aside as it was at `now`; with `is_carried`, the row is also in its table with other values."""
    connection.execute(
        f"INSERT INTO {ORPHANS} (table_name, row, reason, is_carried, created_at, origin) VALUES (?, ?, ?, ?, ?, ?)",
        (table, as_json(row), reason, is_carried, now, origin),
    )


def unreadable(names: Iterable[str]) -> str:
    """Return the reason for which a row with unreadable values in these columns is set aside."""
    return "; ".join(f"{name}: the value cannot be read" for name in names)


def as_json(row: Mapping[str, Any]) -> str:
    """Return a row as JSON text: bytes are `{"base64": "…"}`, and an infinite number is `{"real": "inf"}`."""
    values = {name: _finite(value) for name, value in row.items()}
    return json.dumps(values, ensure_ascii=False, default=lambda value: {_BYTES: b64encode(value).decode()})


def _finite(value: Any) -> Any:
    return {_REAL: str(value)} if isinstance(value, float) and not math.isfinite(value) else value


def shown(text: str) -> dict[str, Any]:
    """Return the row that `as_json` wrote, as JSON for an answer; any other text is returned inside an object."""
    try:
        row = json.loads(text, parse_constant=lambda name: {_REAL: name})
    except (ValueError, TypeError, RecursionError):
        return {"text": str(text)}
    return row if isinstance(row, dict) else {"value": row}


def stored(text: str) -> dict[str, Any]:
    """Return the row that `as_json` wrote, with the values that it had in its table."""
    return {name: _stored_value(value) for name, value in shown(text).items()}


def _stored_value(value: Any) -> Any:
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((kind, text),) = value.items()
    try:
        if kind == _BYTES:
            return b64decode(text, validate=True)
        return float(text) if kind == _REAL else value
    except (ValueError, TypeError):
        return value


def set_aside(target: sqlite3.Connection, now: str) -> dict[str, int]:
    """Set aside the rows whose parent is missing; where the parent is optional, the reference becomes NULL instead.

    Return the number of rows removed from each table.
    """
    counts: dict[str, int] = {}
    while found := [(table, name, orphan) for table in tables(target) for name, orphan in _orphans(target, table)]:
        for table, column, row in found:
            width = len(table.key)
            content = dict(zip(table.columns, row[width:], strict=True))
            can_do_without = table.has_row_ids and not _is_required(target, table.name, column)
            reason = f"{column}: the row it belongs to is lost"
            keep(target, table.name, content, reason, now, is_carried=can_do_without, origin="recovery")
            name = quoted(table.name)
            change = f"UPDATE {name} SET {quoted(column)} = NULL" if can_do_without else f"DELETE FROM {name}"
            target.execute(f"{change} WHERE {table.comparison('=')}", row[:width])
            counts[table.name] = counts.get(table.name, 0) + (0 if can_do_without else 1)
    return counts


def _orphans(target: sqlite3.Connection, table: Table) -> Iterator[tuple[str, Row]]:
    # A table of another program may refer to one that there is not.
    keys = target.execute(
        """
        SELECT "table", "from", info.name FROM pragma_foreign_key_list(?), pragma_table_info("table") AS info
        WHERE lower(info.name) = lower(coalesce("to", 'id'))
        """,
        (table.name,),
    ).fetchall()
    for parent, column, referred in keys:
        lost = f"""
            {quoted(column)} IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM {quoted(parent)} AS parent
                WHERE parent.{quoted(referred)} = {quoted(table.name)}.{quoted(column)}
            )
        """
        for row in target.execute(table.select(lost, f"LIMIT {BATCH_ROWS}")).fetchall():
            yield column, row


def _is_required(target: sqlite3.Connection, table: str, column: str) -> bool:
    sql = 'SELECT "notnull" OR pk FROM pragma_table_info(?) WHERE name = ?'
    return bool(target.execute(sql, (table, column)).fetchone()[0])
