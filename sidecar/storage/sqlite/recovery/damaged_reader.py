"""Reading what can be read of a damaged database, through a connection that changes nothing in it.

The tables as they are known to the schema, the stretches of each that can be read, and what its indexes still know of
the others. What is done with the rows is in `salvage.py`.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.sqlite.engine.encoding import decode_or_keep
from sidecar.storage.sqlite.schema.catalog import BATCH_ROWS, Row, TableInfo, tables, whole_indexes

BATCH_BYTES = 4 * 1024 * 1024
"""Bytes that are in memory at a time, whatever the size of the table; a single row may be larger."""

_COUNTS_IDS = re.compile(r"\bPRIMARY\s+KEY\s+(?:ASC\s+)?AUTOINCREMENT\b", re.IGNORECASE)
READ_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""Errors of reading damage: Python cannot decode SQLite's message when that quotes damaged text."""


class Piece(NamedTuple):
    """The known rows from one row id to another, both included; `rows` is `None` where none can be read."""

    first: int
    last: int
    rows: list[Row] | None


class Batch(NamedTuple):
    """Some rows, and why there are no more in it: damage, or the end of the table, or neither."""

    rows: list[Row]
    has_failed: bool
    at_end: bool


def open_damaged(path: Path) -> sqlite3.Connection:
    """A connection that only reads. What it raises is raised later, by the first statement."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.text_factory = decode_or_keep
    return connection


class DamagedTable:
    """One table of a damaged database. Nothing here raises because of damage."""

    def __init__(self, source: sqlite3.Connection, table: TableInfo) -> None:
        self.table = table
        self._source = source

    def pieces(self) -> Iterator[Piece]:
        """The whole range of row ids, in order."""
        first = MIN_INTEGER
        while True:
            sql = self.table.select("rowid >= ?", "ORDER BY rowid")
            rows, has_failed, at_end = self._batch(sql, (first,), least=first)
            if at_end:
                yield Piece(first, MAX_INTEGER, rows)
                return
            if rows:
                yield Piece(first, rows[-1][0], rows)
                first = rows[-1][0] + 1
            if has_failed:
                readable = self._end_of_damage(first)
                if readable is None:
                    yield Piece(first, MAX_INTEGER, None)
                    return
                yield Piece(first, readable - 1, None)
                first = readable

    def _end_of_damage(self, first: int) -> int | None:
        """The least row id after `first` from which reading goes on, or `None`."""
        bad, step = first, 1
        while True:
            good = bad + step
            if good > MAX_INTEGER:
                return None
            if self._is_readable_from(good):
                break
            bad, step = good, step * 2
        while good - bad > 1:
            middle = (bad + good) // 2
            bad, good = (bad, middle) if self._is_readable_from(middle) else (middle, good)
        return good

    def _is_readable_from(self, row_id: int) -> bool:
        try:
            row = self._source.execute(self.table.select("rowid >= ?", "ORDER BY rowid LIMIT 1"), (row_id,)).fetchone()
        except READ_ERRORS:
            return False
        return row is None or row[0] >= row_id

    def row(self, row_id: int) -> Row | None:
        """The row with this id, if it can be read."""
        try:
            row: Row | None = self._source.execute(self.table.select("rowid = ?"), (row_id,)).fetchone()
        except READ_ERRORS:
            return None
        return row

    def by_key(self, after: Row | None) -> Batch:
        """The next rows of a table without row ids, in the order of its key."""
        where, values = ("TRUE", ()) if after is None else (self.table.comparison(">"), after)
        return self._batch(self.table.select(where, f"ORDER BY {', '.join(self.table.key)}"), values)

    def by_key_backwards(self, before: Row | None, end: Row | None) -> Batch:
        """The same from the table's end down to the key `end`, which is not included."""
        bounds = [(self.table.comparison("<"), before), (self.table.comparison(">"), end)]
        where = " AND ".join(bound for bound, key in bounds if key is not None) or "TRUE"
        values = (*(before or ()), *(end or ()))
        order = ", ".join(f"{column} DESC" for column in self.table.key)
        return self._batch(self.table.select(where, f"ORDER BY {order}"), values)

    def indexes(self) -> list[str]:
        """Those that should have every row."""
        return whole_indexes(self._source, self.table.name)

    def unique_columns(self) -> list[list[str]]:
        """The columns of each index in which no two rows are alike."""
        sql = 'SELECT name FROM pragma_index_list(?) WHERE "unique"'
        found = []
        for (index,) in self._source.execute(sql, (self.table.name,)).fetchall():
            columns = [name for (name,) in self._source.execute("SELECT name FROM pragma_index_info(?)", (index,))]
            found.append([column for column in columns if column in self.table.columns])
        return [columns for columns in found if columns]

    def tell_some_ids(self, tell: Callable[[int], object]) -> None:
        """Call `tell` with the row ids that can be read in any index."""
        for index in self.indexes():
            if not self.tell_ids(index, tell):
                self.tell_ids(index, tell, "DESC")

    def tell_ids(self, index: str, tell: Callable[[int], object], direction: str = "ASC") -> bool:
        """Call `tell` with the row ids that the index has; return whether it could be read to its end."""
        columns = self._columns_of(index)
        if columns is None:
            return False
        order = ", ".join(f"{column} {direction}" for column in columns)
        source = f"{quoted(self.table.name)} INDEXED BY {quoted(index)}"
        sql = f"SELECT rowid FROM {source} ORDER BY {order}, rowid {direction}"
        try:
            for (row_id,) in self._source.execute(sql):
                tell(row_id)
        except READ_ERRORS:
            return False
        return True

    def contradicted_by(self, index: str) -> set[int]:
        """Ids of rows that the index has with other values, or not at all."""
        names = ", ".join(["rowid", *(self._columns_of(index) or ())])
        return {row[0] for row in self._only_in_table(index, names)}

    def has_all_keys(self, index: str) -> bool:
        """Return whether the index has every row that can be read."""
        return not self._only_in_table(index, ", ".join(self.table.key))

    def _only_in_table(self, index: str, names: str) -> list[Row]:
        name = quoted(self.table.name)
        sql = f"SELECT {names} FROM {name} NOT INDEXED EXCEPT SELECT {names} FROM {name} INDEXED BY {quoted(index)}"
        return self._source.execute(sql).fetchall()

    def last_id_given(self) -> int | None:
        """The largest id that any row ever had; `None` where SQLite does not keep count."""
        try:
            sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?"
            (statement,) = self._source.execute(sql, (self.table.name,)).fetchone()
            if not _COUNTS_IDS.search(statement):
                return None
            row = self._source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (self.table.name,)).fetchone()
        except (*READ_ERRORS, TypeError):
            return None
        if row is None:
            return 0
        return row[0] if isinstance(row[0], int) else None

    def _columns_of(self, index: str) -> list[str] | None:
        """The columns of an index, quoted; `None` for one of expressions."""
        columns = [name for (name,) in self._source.execute("SELECT name FROM pragma_index_info(?)", (index,))]
        return None if None in columns else [quoted(column) for column in columns]

    def _batch(self, sql: str, values: Row, least: int | None = None) -> Batch:
        """With `least`, rows are in the order of their ids from there on, or are damaged."""
        rows: list[Row] = []
        size = 0
        try:
            for row in self._source.execute(sql, values):
                if least is not None:
                    if row[0] < least:
                        return Batch(rows, has_failed=True, at_end=False)
                    least = row[0] + 1
                rows.append(row)
                size += sum(len(value) for value in row if isinstance(value, str | bytes))
                if len(rows) >= BATCH_ROWS or size >= BATCH_BYTES:
                    return Batch(rows, has_failed=False, at_end=least is not None and row[0] == MAX_INTEGER)
        except READ_ERRORS:
            return Batch(rows, has_failed=True, at_end=False)
        return Batch(rows, has_failed=False, at_end=True)


def has_lost_rows(source: sqlite3.Connection) -> bool:
    """Return whether a row cannot be read, or an index that can be read contradicts its table.

    Raises one of `READ_ERRORS` when not even the list of the tables can be read.
    """
    return any(_cannot_be_read(source, table) or _is_contradicted(source, table) for table in tables(source))


def _cannot_be_read(source: sqlite3.Connection, table: TableInfo) -> bool:
    try:
        for _ in source.execute(table.select()):
            pass
    except READ_ERRORS:
        return True
    return False


def _is_contradicted(source: sqlite3.Connection, table: TableInfo) -> bool:
    """An index that only lacks rows can be built again from the table."""
    if not table.has_row_ids:
        return False
    for index in whole_indexes(source, table.name):
        columns = [name for (name,) in source.execute("SELECT name FROM pragma_index_info(?)", (index,))]
        names = ["rowid", *(quoted(column) for column in columns if column is not None)]
        sql = f"""
            SELECT 1 FROM {quoted(table.name)} AS entry INDEXED BY {quoted(index)} WHERE NOT EXISTS (
                SELECT 1 FROM {quoted(table.name)} AS found NOT INDEXED
                WHERE {" AND ".join(f"found.{name} IS entry.{name}" for name in names)}
            ) LIMIT 1
        """
        try:
            if source.execute(sql).fetchone() is not None:
                return True
        except READ_ERRORS:
            continue  # it can be built again from the table
    return False
