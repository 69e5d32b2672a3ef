"""Taking over a database that one of the seeds' systems made, in place and in one transaction.

The old tables are renamed, ours are made by the ordinary migrations, the rows are carried over, the old tables are
dropped. Rows keep their ids. What cannot be kept in its place is kept in `adopted_orphans`, with the reason: rows whose
parent is not there, and the original of every row that had a value which does not fit. Tables, views and triggers of
others stay as they are.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import tzinfo
from typing import Any, NamedTuple

from sidecar.errors import InvalidInput, StorageError
from sidecar.storage.interfaces import StageListener
from sidecar.storage.sqlite import orphans, pragmas, search_index
from sidecar.storage.sqlite.orphans import ORPHANS, ORPHANS_TABLE
from sidecar.storage.sqlite.seed_tables import MARKS, Carried, Parent, carried_tables
from sidecar.storage.sqlite.seed_values import Unfit
from sidecar.storage.sqlite.transaction import transaction

log = logging.getLogger(__name__)

_ASIDE = "adopting_"

Row = Mapping[str, Any]


class Adoption(NamedTuple):
    """What was carried over."""

    rows: dict[str, int]
    """How many rows of each of our tables."""
    set_aside: int
    """How many rows `adopted_orphans` holds."""


def is_seeds(connection: sqlite3.Connection) -> bool:
    """Whether one of the seeds' systems made this database."""
    return maker(connection) is not None


def maker(connection: sqlite3.Connection) -> str | None:
    """Which of the seeds' systems made this database, if one did: they mark theirs by nothing but its tables."""
    for pragma in ("application_id", "user_version"):
        if connection.execute(f"PRAGMA {pragma}").fetchone()[0] != 0:
            return None
    for system, tables in MARKS:
        if all(columns <= _columns_of(connection, table) for table, columns in tables.items()):
            return system
    return None


def adopt(
    connection: sqlite3.Connection,
    create: Callable[[sqlite3.Connection], None],
    announce: StageListener,
    zone: tzinfo | None = None,
) -> Adoption:
    """Bring a seed's database to our schema, which `create` makes; local times in it belong to `zone`, or to this
    computer's. What fails leaves the database as it was, and is raised."""
    ours = _tables_made_by(create)
    with _adopting(connection):
        renamed = _rename(connection, ours)
        create(connection)
        connection.execute(ORPHANS_TABLE)
        carrier = _Carrier(connection, renamed)
        for carried in carried_tables(zone):
            if carried.source in renamed:
                announce("adopting", f"the rows of {carried.source}")
                carrier.carry(carried)
        for table in renamed.keys() - carrier.sources:
            carrier.set_all_aside(table)
        for aside in renamed.values():
            connection.execute(f'DROP TABLE "{aside}"')
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise StorageError("The adopted database would have rows that refer to rows that are not there.")
        if search_index.is_there(connection):
            # What was noted for it, taken in at once, would hold up the first write.
            search_index.empty(connection)
        adoption = Adoption(carrier.rows, carrier.set_aside)
    announce("adopting", "giving back the space of the old tables")
    _give_back_space(connection)
    summary = ", ".join(f"{count} {table}" for table, count in adoption.rows.items() if count)
    if adoption.set_aside:
        announce("adopting", f"{adoption.set_aside} rows were set aside in {ORPHANS}")
    log.warning("adopted %s; set aside in %s: %d rows", summary or "no rows", ORPHANS, adoption.set_aside)
    return adoption


class _Carrier:
    """Carries the rows of one database, and counts."""

    def __init__(self, connection: sqlite3.Connection, renamed: Mapping[str, str]) -> None:
        self.rows: dict[str, int] = {}
        self.set_aside = 0
        self.sources: set[str] = set()
        self._connection = connection
        self._renamed = renamed

    def carry(self, carried: Carried) -> None:
        """All rows of the source, each to its place or aside."""
        aside = self._renamed[carried.source]
        self.sources.add(carried.source)
        if carried.needs is not None and carried.needs not in _columns_of(self._connection, aside):
            return
        for row in self._source_rows(carried):
            if self._carry_row(carried, row):
                self.rows[carried.table] = self.rows.get(carried.table, 0) + 1
        for parent in carried.parents:
            if parent.lift:
                self._lift(carried, parent)
        if carried.key not in carried.columns:
            self._continue_ids(carried)

    def _source_rows(self, carried: Carried) -> Iterator[Row]:
        aside = self._renamed[carried.source]
        if carried.newest_first is None:
            yield from _rows(self._connection, f'SELECT * FROM "{aside}"')
            return
        # The places are sorted and not the rows, which would be sorted in memory.
        order = f'"{carried.newest_first}" DESC, rowid DESC'
        for (place,) in self._connection.execute(f'SELECT rowid FROM "{aside}" ORDER BY {order}'):
            yield from _rows(self._connection, f'SELECT * FROM "{aside}" WHERE rowid = ?', (place,))

    def set_all_aside(self, table: str) -> None:
        """For a table of another form that has one of our names."""
        for row in _rows(self._connection, f'SELECT * FROM "{self._renamed[table]}"'):
            self._set_aside(table, row, "the table has another form")

    def _carry_row(self, carried: Carried, row: Row) -> bool:
        essential = {carried.key} | {parent.column for parent in carried.parents if not parent.lift}
        columns = {} if carried.key in carried.columns else {carried.key: row.get(carried.key)}
        misfits = []
        for name, column in carried.columns.items():
            given = [row.get(source) for source in column.sources or (name,)]
            value = next((value for value in given if value is not None), None)
            try:
                converted = column.convert(value)
            except (Unfit, InvalidInput) as misfit:
                misfits.append(f"{name}: {misfit}")
                converted = None
                if name in essential:
                    break
            columns[name] = column.default if converted is None else converted
        else:
            problem = self._missing_parent(carried, columns) or self._insert(carried.table, columns)
            if problem is None:
                if misfits:
                    self._set_aside(carried.source, row, "; ".join(misfits), is_carried=True)
                return True
            misfits.append(problem)
        self._set_aside(carried.source, row, "; ".join(misfits))
        return False

    def _missing_parent(self, carried: Carried, columns: Row) -> str | None:
        for parent in carried.parents:
            if not parent.lift:
                value = columns[parent.column]
                sql = f"SELECT 1 FROM {parent.table} WHERE id = ?"
                if self._connection.execute(sql, (value,)).fetchone() is None:
                    return f"{parent.column}: there is no row {value!r} in {parent.table}"
        return None

    def _insert(self, table: str, columns: Row) -> str | None:
        """Why the row does not fit; `None` if it does and is in."""
        names = ", ".join(f'"{name}"' for name in columns)
        values = ", ".join("?" for _ in columns)
        try:
            self._connection.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", tuple(columns.values()))
        except sqlite3.IntegrityError as conflict:
            return str(conflict)
        return None

    def _lift(self, carried: Carried, parent: Parent) -> None:
        """Take rows out of a parent that is not there, and one row out of every circle of parents."""
        table, column = carried.table, parent.column
        same = f"AND parent.{parent.within} = child.{parent.within}" if parent.within else ""
        lost = f"""
            SELECT id FROM {table} AS child WHERE {column} IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM {table} AS parent WHERE parent.id = CAST(child.{column} AS INTEGER) {same}
            ) ORDER BY id
        """
        for (row_id,) in self._connection.execute(lost).fetchall():
            self._lift_row(carried, column, row_id, "the row it belongs to is not there")
        circle = f"""
            WITH RECURSIVE reached (id) AS (
                SELECT id FROM {table} WHERE {column} IS NULL
                UNION SELECT child.id FROM reached JOIN {table} AS child ON child.{column} = reached.id
            )
            SELECT min(id) FROM {table} WHERE id NOT IN reached
        """
        if parent.within is None:
            while (row_id := self._connection.execute(circle).fetchone()[0]) is not None:
                self._lift_row(carried, column, row_id, "it lies, over others, in itself")

    def _lift_row(self, carried: Carried, column: str, row_id: int, why: str) -> None:
        aside = self._renamed[carried.source]
        (row,) = _rows(self._connection, f'SELECT * FROM "{aside}" WHERE "{carried.key}" = ?', (row_id,))
        self._set_aside(carried.source, row, f"{column}: {why}", is_carried=True)
        self._connection.execute(f"UPDATE {carried.table} SET {column} = NULL WHERE id = ?", (row_id,))

    def _continue_ids(self, carried: Carried) -> None:
        """New rows get ids that no row ever had, set aside or deleted ones included."""
        (last,) = self._connection.execute(
            f"""
            SELECT max(
                (SELECT coalesce(max("{carried.key}"), 0) FROM "{self._renamed[carried.source]}"),
                (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name IN (?, ?))
            )
            """,
            (self._renamed[carried.source], carried.table),
        ).fetchone()
        self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (carried.table,))
        if last:
            self._connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (carried.table, last))

    def _set_aside(self, table: str, row: Row, reason: str, *, is_carried: bool = False) -> None:
        orphans.keep(self._connection, table, row, reason, is_carried=is_carried)
        self.set_aside += 1


@contextmanager
def _adopting(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Foreign keys are only checked at the end, and text that is not UTF-8 is read all the same."""
    (enforced,) = connection.execute("PRAGMA foreign_keys").fetchone()
    text_factory = connection.text_factory
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        with transaction(connection):
            connection.text_factory = lambda encoded: encoded.decode("utf-8", "replace")
            yield
    finally:
        connection.text_factory = text_factory
        connection.execute(f"PRAGMA foreign_keys = {enforced}")


def _give_back_space(connection: sqlite3.Connection) -> None:
    """Half of the file is free now; rewriting it also makes it one that can be vacuumed in steps, as new ones are."""
    try:
        pragmas.vacuum_in_steps(connection)
        connection.execute("VACUUM")
    except sqlite3.Error as error:
        log.warning("the adopted database keeps the space of its old tables: %s", error)


def _rename(connection: sqlite3.Connection, names: set[str]) -> dict[str, str]:
    """Rename the tables that have these names and drop their indexes and triggers; returns the new names by the old.

    In the way of old SQLite, which leaves what refers to them alone: it shall refer to the new ones.
    """
    connection.execute("PRAGMA legacy_alter_table = ON")
    try:
        renamed = {}
        for kind, name, table in connection.execute(
            "SELECT type, name, lower(tbl_name) FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name"
        ).fetchall():
            if table in names and kind in ("index", "trigger"):
                connection.execute(f'DROP {kind} "{name}"')
            elif table in names and kind == "table":
                renamed[table] = _ASIDE + table
                connection.execute(f'ALTER TABLE "{name}" RENAME TO "{renamed[table]}"')
        return renamed
    finally:
        connection.execute("PRAGMA legacy_alter_table = OFF")


def _tables_made_by(create: Callable[[sqlite3.Connection], None]) -> set[str]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        create(scratch)
        names = scratch.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        return {name for (name,) in names}


def _columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[0].lower() for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def _rows(connection: sqlite3.Connection, sql: str, values: tuple[Any, ...] = ()) -> Iterator[Row]:
    cursor = connection.execute(sql, values)
    cursor.row_factory = None
    names = [column[0].lower() for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))
