"""Scan of every table for rows with values that cannot be read, a limited number of rows at a time."""

import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from sidecar.errors import NotFound
from sidecar.models.base import MIN_INTEGER
from sidecar.models.invalid_rows import InvalidRow
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources.rows.columns import read_row, usual_json
from sidecar.storage.resources.rows.declaration import Declaration
from sidecar.storage.sqlite.engine.encoding import Undecodable, any_text
from sidecar.storage.sqlite.schema.odd_values import odd_row

Tables = Mapping[str, Declaration]
"""Every table that is declared, by name."""

# Only rows that others lie in can lie in a circle.
_LOST_FOLDERS = """
WITH RECURSIVE folders (id, parent_id) AS MATERIALIZED (
    SELECT id, parent_id FROM vaults WHERE id IN (SELECT parent_id FROM vaults WHERE parent_id IS NOT NULL)
), reached (id) AS (
    SELECT id FROM folders WHERE parent_id IS NULL OR parent_id NOT IN (SELECT id FROM folders)
    UNION
    SELECT folders.id FROM reached JOIN folders ON folders.parent_id = reached.id
)
SELECT id FROM folders WHERE id NOT IN (SELECT id FROM reached)
"""


class Place(NamedTuple):
    """The place where a scan continues: in this table, after this row id."""

    table: str
    after: int


def first(tables: Tables, table: str | None = None) -> Place:
    """Return the beginning of the table, or of the first table."""
    return Place(table or next(iter(tables)), MIN_INTEGER)


def _next_table(tables: Tables, table: str) -> Place | None:
    names = [*tables]
    number = names.index(table) + 1
    return first(tables, names[number]) if number < len(names) else None


class Invalid(NamedTuple):
    """An invalid row: its row id, all its columns as they are stored, and the readable values of the declared ones."""

    row_id: int
    stored: dict[str, Any]
    values: dict[str, Any]
    names: tuple[str, ...]


def look(
    connection: sqlite3.Connection, tables: Tables, place: Place, rows: int, most: int
) -> tuple[list[InvalidRow], Place | None]:
    """Check up to `rows` rows from `place` on; return up to `most` invalid ones, and the place to continue at."""
    found, after = find(connection, tables, place, rows, most)
    return [_record(tables[place.table], invalid) for invalid in found], after


def find(
    connection: sqlite3.Connection, tables: Tables, place: Place, rows: int, most: int
) -> tuple[list[Invalid], Place | None]:
    """Do the same as `look`, and return the invalid rows with everything that a repair needs."""
    with any_text(connection):
        found, after = _find_unreadable(connection, tables, place, rows, most)
        is_end_of_table = after is None or after.table != place.table
        if place.table != "vaults" or not (found or is_end_of_table):
            return found, after
        # A vault that opens a circle is found once, at the end of the table, whatever else is wrong with it.
        opening = _in_a_circle(connection, tables[place.table])
        ids = {vault.row_id for vault in opening}
        found = [vault for vault in found if vault.row_id not in ids]
        return [*found, *opening] if is_end_of_table else found, after


def _find_unreadable(
    connection: sqlite3.Connection, tables: Tables, place: Place, rows: int, most: int
) -> tuple[list[Invalid], Place | None]:
    """Find the rows with values that cannot be read."""
    found: list[Invalid] = []
    table = tables[place.table]
    sql, texts_of_json = _statement(table)
    batch = connection.execute(sql, (place.after, rows)).fetchall()
    for row in batch:
        place = place._replace(after=row[0])
        if _may_be_invalid(row, texts_of_json):
            invalid = _read(connection, table, row[0])
            if invalid is not None:
                found.append(invalid)
                if len(found) >= most:
                    return found, place
    return found, place if len(batch) == rows else _next_table(tables, table.name)


def find_one(connection: sqlite3.Connection, table: Declaration, key: int | str) -> Invalid | None:
    """Return the row with this key if it is invalid. Raises `NotFound`."""
    with any_text(connection):
        sql = f"SELECT rowid FROM {table.name} WHERE {table.key} = ?"
        row = connection.execute(sql, (key,)).fetchone()
        if row is None:
            raise NotFound(f"There is no row {key!r} in {table.name}.")
        circles = _in_a_circle(connection, table) if table.name == "vaults" else []
        lifted = next((vault for vault in circles if vault.row_id == row[0]), None)
        return lifted or _read(connection, table, row[0])


def _read(connection: sqlite3.Connection, table: Declaration, row_id: int) -> Invalid | None:
    row = connection.execute(f"SELECT * FROM {table.name} WHERE rowid = ?", (row_id,)).fetchone()
    stored = dict(row)
    values, names = read_row(table.columns, {name: stored[name] for name in table.columns})
    return Invalid(row_id, stored, values, names) if names else None


def _in_a_circle(connection: sqlite3.Connection, vaults: Declaration) -> list[Invalid]:
    """Return one vault of every circle of folders that lie in one another, with the parent that opens the circle."""
    lost = connection.execute(_LOST_FOLDERS).fetchall()
    return [
        _lifted(connection, vaults, vault_id)
        for vault_id in sorted({_circle_above(connection, row[0]) for row in lost})
    ]


def _lifted(connection: sqlite3.Connection, vaults: Declaration, vault_id: int) -> Invalid:
    stored = dict(connection.execute("SELECT * FROM vaults WHERE id = ?", (vault_id,)).fetchone())
    values, names = read_row(vaults.columns, {name: stored[name] for name in vaults.columns})
    return Invalid(vault_id, stored, {**values, "parent_id": None}, tuple(sorted({*names, "parent_id"})))


def _record(table: Declaration, invalid: Invalid) -> InvalidRow:
    key = invalid.stored[table.key]
    shown = orphans.shown(orphans.as_json(invalid.stored))
    return InvalidRow(
        table=table.name, id=key if isinstance(key, int | str) else invalid.row_id, invalid=invalid.names, row=shown
    )


def _circle_above(connection: sqlite3.Connection, vault_id: int) -> int:
    """Return the least id of the circle in which the folders above a vault end."""
    seen: list[int] = []
    while vault_id not in seen:
        seen.append(vault_id)
        (vault_id,) = connection.execute("SELECT parent_id FROM vaults WHERE id = ?", (vault_id,)).fetchone()
    return min(seen[seen.index(vault_id) :])


def _may_be_invalid(row: sqlite3.Row, texts_of_json: range) -> bool:
    _, is_odd, *values = row
    return (
        bool(is_odd) or Undecodable in map(type, values) or not all(_is_json(row[number]) for number in texts_of_json)
    )


def _is_json(text: Any) -> bool:
    if text in (None, "{}", "[]"):
        return True
    try:
        usual_json(text)
    except (TypeError, ValueError):
        return False
    return True


@cache
def _statement(table: Declaration) -> tuple[str, range]:
    """SQL for the next rows of a table, and the places of JSON in each, which are the last."""
    columns = table.columns
    names = sorted(columns, key=lambda name: columns[name].null is not None)
    first = 2 + sum(columns[name].null is None for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    sql = f"SELECT rowid, {odd_row(columns)}, {listed} FROM {table.name} WHERE rowid > ? ORDER BY rowid LIMIT ?"
    return sql, range(first, 2 + len(names))
