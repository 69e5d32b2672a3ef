"""Reading what can be read of a damaged database, through a connection that changes nothing in it.

The tables as they are known to the schema, the stretches of each that can be read, and what its indexes still know of
the others. What is done with the rows is in `salvage.py`.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sidecar.storage.sqlite.encoding import decode_or_keep
from sidecar.storage.sqlite.names import quoted

BATCH_ROWS = 500
BATCH_BYTES = 4 * 1024 * 1024
"""What is in memory at a time, whatever the size of the table; a single row may be larger."""

LEAST, MOST = -(2**63), 2**63 - 1
"""The range of row ids."""

NOT_SALVAGED = frozenset({"schema_migrations", "import_ids", "search_fill", "search_pending", "search_places"})
"""Tables whose rows belong to one file: how it was made, and what its own search index has."""

READ_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What reading damage raises: Python cannot decode SQLite's message when that quotes damaged text."""

Row = tuple[Any, ...]
"""The row's key, then its columns."""


class Table(NamedTuple):
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


class Piece(NamedTuple):
    """What is known of the rows from one row id to another, both included; `rows` is `None` where nothing is."""

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

    def __init__(self, source: sqlite3.Connection, table: Table) -> None:
        self.table = table
        self._source = source

    def pieces(self) -> Iterator[Piece]:
        """The whole range of row ids, in order."""
        first = LEAST
        while True:
            sql = self.table.select("rowid >= ?", "ORDER BY rowid")
            rows, has_failed, at_end = self._batch(sql, (first,), least=first)
            if at_end:
                yield Piece(first, MOST, rows)
                return
            if rows:
                yield Piece(first, rows[-1][0], rows)
                first = rows[-1][0] + 1
            if has_failed:
                readable = self._end_of_damage(first)
                if readable is None:
                    yield Piece(first, MOST, None)
                    return
                yield Piece(first, readable - 1, None)
                first = readable

    def _end_of_damage(self, first: int) -> int | None:
        """The least row id after `first` from which reading goes on, or `None`."""
        bad, step = first, 1
        while True:
            good = bad + step
            if good > MOST:
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

    def tell_ids_of_an_index(self, tell: Callable[[int], object]) -> bool:
        """Call `tell` with the row ids that the indexes have; whether one of them could be read as a whole."""
        indexes = whole_indexes(self._source, self.table.name)
        return any(self._tell_ids(index, order, tell) for index in indexes for order in ("ASC", "DESC"))

    def _tell_ids(self, index: str, direction: str, tell: Callable[[int], object]) -> bool:
        columns = [name for (name,) in self._source.execute("SELECT name FROM pragma_index_info(?)", (index,))]
        if None in columns:  # an expression
            return False
        order = ", ".join(f"{column} {direction}" for column in map(quoted, columns))
        source = f"{quoted(self.table.name)} INDEXED BY {quoted(index)}"
        sql = f"SELECT rowid FROM {source} ORDER BY {order}, rowid {direction}"
        try:
            for (row_id,) in self._source.execute(sql):
                tell(row_id)
        except READ_ERRORS:
            return False
        return True

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
                    return Batch(rows, has_failed=False, at_end=least is not None and row[0] == MOST)
        except READ_ERRORS:
            return Batch(rows, has_failed=True, at_end=False)
        return Batch(rows, has_failed=False, at_end=True)


def has_lost_rows(source: sqlite3.Connection) -> bool:
    """Whether a row cannot be read, or only an index knows it. Raises one of `READ_ERRORS` when not even the list of
    the tables can be read."""
    return any(_cannot_be_read(source, table) or _is_shorter_than_an_index(source, table) for table in tables(source))


def _cannot_be_read(source: sqlite3.Connection, table: Table) -> bool:
    try:
        for _ in source.execute(table.select()):
            pass
    except READ_ERRORS:
        return True
    return False


def _is_shorter_than_an_index(source: sqlite3.Connection, table: Table) -> bool:
    if not table.has_row_ids:
        return False
    for index in whole_indexes(source, table.name):
        sql = f"""
            SELECT 1 FROM {quoted(table.name)} AS entry INDEXED BY {quoted(index)} WHERE NOT EXISTS (
                SELECT 1 FROM {quoted(table.name)} AS found NOT INDEXED WHERE found.rowid = entry.rowid
            ) LIMIT 1
        """
        try:
            if source.execute(sql).fetchone() is not None:
                return True
        except READ_ERRORS:
            continue  # it can be built again from the table
    return False


def tables(connection: sqlite3.Connection) -> list[Table]:
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
            tables.append(Table(name, tuple(column for column, _ in infos), names))
    return tables


def whole_indexes(connection: sqlite3.Connection, table: str) -> list[str]:
    """Its indexes that have every row."""
    sql = "SELECT name FROM pragma_index_list(?) WHERE NOT partial"
    return [name for (name,) in connection.execute(sql, (table,)).fetchall()]
