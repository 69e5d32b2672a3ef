"""The transfer of rows from a seed's renamed tables into ours, in the transaction of an adoption."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sidecar.errors import InvalidInput
from sidecar.models.base import MAX_INTEGER
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources.first_request import first_request
from sidecar.storage.resources.rows.columns import UNKNOWN_TIME
from sidecar.storage.resources.rows.names import folded, quoted
from sidecar.storage.sqlite.adoption.conversions import Unfit
from sidecar.storage.sqlite.adoption.mapping import Carried
from sidecar.storage.sqlite.adoption.parents import lift
from sidecar.storage.sqlite.adoption.threads import Threads

Row = Mapping[str, Any]
RowListener = Callable[[str, int], None]
"""Called with the name of the table and the number of its rows that have been read so far."""

ANOTHER_FORM = "the table has another form"
OLDER = "a newer state of the same thread is in its place"


class SourceColumns(NamedTuple):
    """The columns of a seed's table that no mapping names."""

    kept: tuple[str, ...]
    """Folded names of the columns that were added to our table."""
    without_place: Mapping[str, str]
    """Folded names of the columns that could not be added, with the reasons."""


class Carrier:
    """Carries the rows of one database, and counts them."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        renamed: Mapping[str, str],
        on_row: RowListener,
        now: str,
    ) -> None:
        self.rows: Counter[str] = Counter()
        self.set_aside: Counter[str] = Counter()
        self.replaced: Counter[str] = Counter()
        self.added_up: Counter[str] = Counter()
        self._connection = connection
        self._renamed = renamed
        self._on_row = on_row
        self._now = now
        self._threads = Threads(connection)
        self._sources: set[str] = set()

    @property
    def threads_made(self) -> int:
        return self._threads.made

    def carry(self, carried: Carried, columns: SourceColumns) -> None:
        """Carry all rows of the source to our table; set aside those that have no place there."""
        insertion = _Insertion(carried, columns)
        for number, row in enumerate(self._source_rows(carried), 1):
            self._on_row(carried.source, number)
            self._carry_row(insertion, row)
        self._sources.add(carried.source)
        for parent in carried.parents:
            if parent.lift is not None:
                self._index_key(carried)
                lift(self._connection, carried, parent, lambda row_id, why: self._keep_lifted(carried, row_id, why))
        if carried.adds_up:
            (left,) = self._connection.execute(f"SELECT count(*) FROM {carried.table}").fetchone()
            self.added_up[carried.table] += self.rows[carried.table] - left
            self.rows[carried.table] = left
        if carried.key not in carried.columns:
            self._continue_ids(carried)

    def set_all_aside(self, table: str) -> None:
        """Set aside the rows of a table of another form that has one of our names."""
        for number, row in enumerate(read_rows(self._connection, f'SELECT * FROM "{self._renamed[table]}"'), 1):
            self._on_row(table, number)
            self._set_aside(table, row, ANOTHER_FORM)

    def close(self) -> None:
        """Remove what was only needed while rows were carried."""
        self._threads.close()

    def _source_rows(self, carried: Carried) -> Iterator[Row]:
        aside = self._renamed[carried.source]
        if carried.newest_by is None:
            yield from read_rows(self._connection, f'SELECT * FROM "{aside}"')
            return
        column, convert = carried.newest_by

        def order(value: Any) -> str:
            try:
                return convert(value) or UNKNOWN_TIME
            except Unfit:
                return UNKNOWN_TIME

        # The places are sorted and not the rows, which would be sorted in memory.
        self._connection.create_function("adopted_time", 1, order, deterministic=True)
        sql = f'SELECT rowid FROM "{aside}" ORDER BY adopted_time("{column}") DESC, rowid DESC'
        for (place,) in self._connection.execute(sql):
            yield from read_rows(self._connection, f'SELECT * FROM "{aside}" WHERE rowid = ?', (place,))

    def _carry_row(self, insertion: "_Insertion", row: Row) -> None:
        carried = insertion.carried
        values, misfits, is_whole = insertion.convert(row)
        problem = None
        if is_whole:
            misfits += _lifted_out_of_itself(carried, values)
            if carried.thread:
                self._need_thread(carried, values)
            problem = self._missing_parent(carried, values) or insertion.insert(self._connection, values)
        if problem is not None:
            misfits.append(problem)
        if not is_whole or problem is not None:
            # A row without a key, of which two rows would be made, is set aside when the first one is.
            if is_whole or carried.source not in self._sources:
                self._set_aside(carried.source, row, "; ".join(misfits))
            return
        self.rows[carried.table] += 1
        if misfits:
            self._set_aside(carried.source, row, "; ".join(misfits), is_carried=True)

    def _need_thread(self, carried: Carried, values: Row) -> None:
        first, last = (values[name] for name in carried.thread)
        request = values.get("request")
        if "messages" in values:
            request = first_request(json.loads(values["messages"]))
        self._threads.need(values["chat_id"], request or None, first, last or first)

    def _missing_parent(self, carried: Carried, values: Row) -> str | None:
        for parent in carried.parents:
            if parent.lift is None:
                value = values[parent.column]
                sql = f"SELECT 1 FROM {parent.table} WHERE id = ?"
                if self._connection.execute(sql, (value,)).fetchone() is None:
                    return f"{parent.column}: there is no row {value!r} in {parent.table}"
        return None

    def _index_key(self, carried: Carried) -> None:
        """Index the old table's key if it has no index: other programs may have made the table."""
        aside = self._renamed[carried.source]
        sql = "SELECT 1 FROM pragma_table_info(?) WHERE lower(name) = ? AND pk"
        if self._connection.execute(sql, (aside, carried.key)).fetchone() is None:
            self._connection.execute(f'CREATE INDEX "{aside}_key" ON "{aside}" ("{carried.key}")')

    def _keep_lifted(self, carried: Carried, row_id: int, why: str) -> None:
        sql = f'SELECT * FROM "{self._renamed[carried.source]}" WHERE "{carried.key}" = ?'
        row = next(read_rows(self._connection, sql, (row_id,)), {carried.key: row_id})
        self._set_aside(carried.source, row, why, is_carried=True)

    def _continue_ids(self, carried: Carried) -> None:
        """Have new rows get ids that no row ever had, not even one that was deleted or set aside."""
        aside = self._renamed[carried.source]
        (last,) = self._connection.execute(
            f"""
            SELECT max(
                (SELECT coalesce(max("{carried.key}"), 0) FROM "{aside}" WHERE typeof("{carried.key}") = 'integer'),
                (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name IN (?, ?))
            )
            """,
            (aside, carried.table),
        ).fetchone()
        self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (carried.table,))
        if last:
            # After the very largest there would be no other id.
            seq = min(last, MAX_INTEGER - 1)
            self._connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (carried.table, seq))

    def _set_aside(self, table: str, row: Row, reason: str, *, is_carried: bool = False) -> None:
        orphans.keep(self._connection, table, row, reason, self._now, is_carried=is_carried)
        (self.replaced if is_carried else self.set_aside)[table] += 1


class _Insertion:
    """The statement that adds the rows of one mapping, and the conversion of a row to its values."""

    def __init__(self, carried: Carried, columns: SourceColumns) -> None:
        self.carried = carried
        self._columns = columns
        self._has_own_key = carried.key in carried.columns
        self._required = {carried.key} | {parent.column for parent in carried.parents if parent.lift is None}
        if carried.thread:
            self._required.add("chat_id")
        names = [*([] if self._has_own_key else [carried.key]), *carried.columns, *columns.kept]
        listed = ", ".join(quoted(name) for name in names)
        values = ", ".join("?" for _ in names)
        self._sql = f"INSERT INTO {carried.table} ({listed}) VALUES ({values}) {carried.adds_up or ''}"

    def convert(self, row: Row) -> tuple[dict[str, Any], list[str], bool]:
        """Return the values to insert, the faults of the row, and whether it can be inserted in spite of them."""
        carried = self.carried
        misfits = [f"{name}: {why}" for name, why in self._columns.without_place.items() if row[name] is not None]
        values = {} if self._has_own_key else {carried.key: row.get(carried.key)}
        if values.get(carried.key) == MAX_INTEGER:
            return values, [*misfits, f"{carried.key}: no row could get an id after {MAX_INTEGER}"], False
        known: dict[tuple[Any, str], Any] = {}
        for name, column in carried.columns.items():
            source = column.source_in(row, name)
            # A time that stands in for another one is converted, and counted, once.
            use = (column.convert, source)
            if use not in known:
                try:
                    known[use] = column.convert(row.get(source))
                except (Unfit, InvalidInput) as misfit:
                    misfits.append(f"{source}: {misfit}")
                    if name in self._required:
                        return values, misfits, False
                    known[use] = misfit.instead if isinstance(misfit, Unfit) else None
            values[name] = column.default if known[use] is None else known[use]
        for name in self._columns.kept:
            values[name] = row[name]
        return values, misfits, True

    def insert(self, connection: sqlite3.Connection, values: Row) -> str | None:
        """Add the row and return `None`, or return the reason why it does not fit."""
        try:
            connection.execute(self._sql, tuple(values.values()))
        except sqlite3.IntegrityError as conflict:
            return OLDER if self.carried.newest_by else str(conflict)
        return None


def _lifted_out_of_itself(carried: Carried, values: dict[str, Any]) -> Iterator[str]:
    """Clear a parent that is the row itself, and yield the reason: the table's guards would do it silently."""
    for parent in carried.parents:
        may_be_itself = parent.lift is not None and values[parent.column] is not None
        if may_be_itself and str(values[parent.column]) == str(values[carried.key]):
            values[parent.column] = None
            yield f"{parent.column}: it lies in itself"


def read_rows(connection: sqlite3.Connection, sql: str, values: tuple[Any, ...] = ()) -> Iterator[Row]:
    """Return the rows that a query finds, each by the folded names of its columns."""
    cursor = connection.execute(sql, values)
    cursor.row_factory = None
    names = [folded(column[0]) for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))
