"""Rows whose parent is not there, or that are their own ancestors: the reference to the parent becomes NULL."""

import sqlite3
from collections.abc import Callable, Iterator

from sidecar.storage.sqlite.adoption.mapping import Carried, Parent

_ROWS_AT_ONCE = 500
_LEAST = -(2**63)
_WALKED = "adopting_walked"
_CIRCLE = "it lies, through others, in itself"

Keep = Callable[[int, str], None]
"""Keeps the original of the row with this id, with the reason."""


def lift(connection: sqlite3.Connection, carried: Carried, parent: Parent, keep: Keep) -> None:
    """Clear the parent of each row whose parent is wrong, and of one row in every circle."""
    table, column = carried.table, parent.column
    wrong = f"""
        {column} IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM {parent.table} AS parent
            WHERE parent.id = CAST(child.{column} AS INTEGER) AND {parent.must}
        )
    """

    def lift_row(row_id: int, why: str) -> None:
        keep(row_id, f"{column}: {why}")
        connection.execute(f"UPDATE {table} SET {column} = NULL WHERE id = ?", (row_id,))

    for row_id in _ids(connection, table, wrong):
        lift_row(row_id, str(parent.lift))
    # Every circle has a row whose parent is not older than itself, and other rows of that kind are few.
    connection.execute(f"CREATE TABLE {_WALKED} (id INTEGER PRIMARY KEY, walk INTEGER NOT NULL)")
    for start in _ids(connection, table, f"CAST({column} AS INTEGER) >= id"):
        for row_id in _least_of_circle(
            connection, f"SELECT CAST({column} AS INTEGER) FROM {table} WHERE id = ?", start
        ):
            lift_row(row_id, _CIRCLE)
    connection.execute(f"DROP TABLE {_WALKED}")


def _ids(connection: sqlite3.Connection, table: str, condition: str) -> Iterator[int]:
    """Yield the ids of the rows that meet the condition. The caller may change the rows between two ids."""
    first = _LEAST
    sql = f"SELECT id FROM {table} AS child WHERE id >= ? AND {condition} ORDER BY id LIMIT {_ROWS_AT_ONCE}"
    while found := connection.execute(sql, (first,)).fetchall():
        for (row_id,) in found:
            first = row_id + 1
            yield row_id


def _least_of_circle(connection: sqlite3.Connection, parent_sql: str, start: int) -> list[int]:
    """Return the least id in the circle that is reached from `start`; nothing for no circle, or for a known one.

    The walks together visit every row once.
    """

    def parent_of(row_id: int) -> int | None:
        row = connection.execute(parent_sql, (row_id,)).fetchone()
        return None if row is None else row[0]

    row_id: int | None = start
    while row_id is not None:
        known = connection.execute(f"SELECT walk FROM {_WALKED} WHERE id = ?", (row_id,)).fetchone()
        if known is not None:
            if known[0] != start:
                return []
            least, other = row_id, parent_of(row_id)
            while other is not None and other != row_id:
                least, other = min(least, other), parent_of(other)
            return [least]
        connection.execute(f"INSERT INTO {_WALKED} VALUES (?, ?)", (row_id, start))
        row_id = parent_of(row_id)
    return []
