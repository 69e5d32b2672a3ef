"""Rows of a repaired file whose parent is lost: they are set aside, or lose their reference where that is optional."""

import sqlite3
from collections.abc import Iterator

from sidecar.storage.resources import rows_set_aside
from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.sqlite.schema.catalog import BATCH_ROWS, Row, TableInfo, tables


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
            rows_set_aside.keep(target, table.name, content, reason, now, is_carried=can_do_without, origin="recovery")
            name = quoted(table.name)
            change = f"UPDATE {name} SET {quoted(column)} = NULL" if can_do_without else f"DELETE FROM {name}"
            target.execute(f"{change} WHERE {table.comparison('=')}", row[:width])
            counts[table.name] = counts.get(table.name, 0) + (0 if can_do_without else 1)
    return counts


def _orphans(target: sqlite3.Connection, table: TableInfo) -> Iterator[tuple[str, Row]]:
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
