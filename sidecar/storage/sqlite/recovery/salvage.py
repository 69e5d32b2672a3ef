"""Merging what a damaged database can still tell into another one. Changes nothing in the damaged database.

The rule: the damaged file is the newer one, so where it can be read it is right, about rows that it has and about rows
that it no longer has. Where its pages are damaged (`page_scan.py`) the other database (a backup, or an empty one) keeps
what it has. A table's indexes are a second source for which rows it should have: a row that only they know is not taken
for deleted, and is looked for by its id.

Never are fewer rows reported as lost than are lost (`lost_rows.py`): the count is exact where an index with sound pages
has the ids of all rows; where there is none, every id that may have been on a damaged page counts; and where those have
no end, the report says that the number is not known.

SQLite keeps no checksums: a byte that was changed inside a text is read as it is. So is a page that has become an older
state of itself, in a table without an index that knows better.
"""

import sqlite3
from collections.abc import Callable, Sequence
from itertools import pairwise

from sidecar.models.recovery import SalvagedTable
from sidecar.storage.resources import rows_set_aside
from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.sqlite.engine.encoding import Undecodable, any_text
from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.recovery import orphans, own_objects
from sidecar.storage.sqlite.recovery.damaged_reader import READ_ERRORS, DamagedTable
from sidecar.storage.sqlite.recovery.lost_rows import LostRows
from sidecar.storage.sqlite.recovery.page_scan import Range
from sidecar.storage.sqlite.recovery.repaired_copy import Condition, RepairedCopy
from sidecar.storage.sqlite.schema import guards
from sidecar.storage.sqlite.schema.catalog import Row, TableInfo, tables
from sidecar.storage.sqlite.schema.migrations import m0008_set_aside
from sidecar.storage.sqlite.search import index as search_index


def salvage(
    damaged: RepairedCopy,
    target: sqlite3.Connection,
    now: str,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, SalvagedTable]:
    """Merge what the damaged database can still tell into `target`, in one transaction; return what became of each
    table's rows.

    `target` is a sound database of the same schema version. Raises `sqlite3.Error` when not even the list of the tables
    can be read.
    """
    source, condition = damaged.connection, damaged.condition
    target.execute("PRAGMA foreign_keys = OFF")
    target.execute("PRAGMA recursive_triggers = ON")  # a row that is replaced is deleted, for triggers too
    with transaction(target), any_text(target):
        # Rows are put back as they were: a value that nobody can read is no damage.
        guarding = guards.remove(target)
        watching = own_objects.remove_triggers(target)
        _make_tables_of_others(source, target)
        m0008_set_aside.make_table(target)
        readable = {table.name: table for table in tables(source)}
        report = {}
        # Rows that were set aside come first: what other tables' rows add to them is no row that the source has lost.
        for table in sorted(tables(target), key=lambda table: table.name != rows_set_aside.ORPHANS):
            progress(table.name)
            known = readable.get(table.name)
            if known is None:
                report[table.name] = SalvagedTable(from_backup=_count(target, table.name), lost=None)
                continue
            shared = tuple(column for column in table.columns if column in known.columns)
            merge = _Merge(source, target, table._replace(columns=shared), condition, now)
            report[table.name] = merge.run()
        _continue_ids(source, target)
        for name, count in orphans.set_aside(target, now).items():
            report[name] = report[name].model_copy(update={"set_aside": report[name].set_aside + count})
        if search_index.is_there(target):
            search_index.empty(target)
        guards.add_again(target, guarding)
        own_objects.add(target, (own_objects.of(source), watching))
    return report


class _Merge:
    """One table."""

    def __init__(
        self, source: sqlite3.Connection, target: sqlite3.Connection, table: TableInfo, condition: Condition, now: str
    ) -> None:
        self._damaged = DamagedTable(source, table)
        self._target = target
        self._table = table
        self._condition = condition
        self._now = now
        self._lost_rows = LostRows(self._damaged, target, condition) if table.has_row_ids else None
        self._is_whole_by_key = not table.has_row_ids and self._has_all_rows(condition.whole)
        self._saved = 0
        self._set_aside = 0
        self._apart: list[tuple[Row, str]] = []

    def run(self) -> SalvagedTable:
        lost = self._merge_by_key() if self._lost_rows is None else self._merge_by_row_id(self._lost_rows)
        kept = max(0, _count(self._target, self._table.name) - self._saved)
        for row, reason in self._apart:
            self._keep(row, reason)
        doubtful = 0 if self._lost_rows is None else len(self._lost_rows.doubtful)
        return SalvagedTable(
            saved=self._saved, from_backup=kept, lost=lost, set_aside=self._set_aside, doubtful=doubtful
        )

    def _merge_by_row_id(self, lost_rows: LostRows) -> int | None:
        for piece in self._damaged.pieces():
            if piece.rows is not None:
                self._replace(piece.rows, (piece.first,), (piece.last,))
            else:
                ids = Range(piece.first, piece.last)
                lost_rows.cannot_be_read(ids)
                self._look_for_single_rows(ids, lost_rows)
        return lost_rows.count()

    def _look_for_single_rows(self, ids: Range, lost_rows: LostRows) -> None:
        """Rows amid damage, whose ids an index or the other database knows."""
        sql = f"SELECT rowid FROM {quoted(self._table.name)} WHERE rowid BETWEEN ? AND ?"
        there = [row_id for (row_id,) in self._target.execute(sql, ids)]
        for row_id in sorted({*there, *lost_rows.known_to_indexes(ids)}):
            row = self._damaged.row(row_id)
            if row is not None:
                self._replace([row], (row_id,), (row_id,))

    def _has_all_rows(self, whole: frozenset[str]) -> bool:
        """Return whether no page of this table without row ids is damaged, and no sound index contradicts its keys."""
        indexes = [index for index in self._damaged.indexes() if index in whole]
        try:
            return self._table.name in whole and all(map(self._damaged.has_all_keys, indexes))
        except READ_ERRORS:
            return False

    def _merge_by_key(self) -> int | None:
        """A table without row ids: from its beginning, and after damage from its end."""
        after: Row | None = None
        while not (batch := self._damaged.by_key(after)).has_failed:
            self._is_whole_by_key &= _ascend([self._key_of(row) for row in batch.rows])
            last = None if batch.at_end else self._key_of(batch.rows[-1])
            self._replace(batch.rows, after, last)
            if batch.at_end:
                return 0 if self._is_whole_by_key else None
            after = last
        for row in batch.rows:
            self._put(row)
        self._merge_backwards(self._key_of(batch.rows[-1]) if batch.rows else after)
        return None

    def _merge_backwards(self, end: Row | None) -> None:
        """Rows from the table's end down to damage, or to the key where reading from the beginning came to its end."""
        before: Row | None = None
        while True:
            batch = self._damaged.by_key_backwards(before, end)
            for row in batch.rows:
                self._put(row)
            if batch.has_failed or batch.at_end:
                return
            before = self._key_of(batch.rows[-1])

    def _key_of(self, row: Row) -> Row:
        return row[: len(self._table.key)]

    def _replace(self, rows: Sequence[Row], first: Row | None, last: Row | None) -> None:
        """Make the target's rows of this stretch these; but keep there what only an index of the source knows."""
        bounds: list[str] = []
        values: Row = ()
        if first is not None:
            bounds.append(self._table.comparison(">=" if self._table.has_row_ids else ">"))
            values += first
        if last is not None:
            bounds.append(self._table.comparison("<="))
            values += last
        width = len(self._table.key)
        ours = {row[:width]: row for row in rows}
        there = self._target.execute(self._table.select(" AND ".join(bounds) or "TRUE"), values)
        same, gone = set(), []
        for row in there:
            key = row[:width]
            if key not in ours:
                gone.append(key)
            elif row == ours[key]:
                same.add(key)
        for key in gone:
            self._delete(key)
        for key, row in ours.items():
            if key in same:
                self._saved += 1
            else:
                self._put(row)

    def _delete(self, key: Row) -> None:
        """But not where the damaged database does not tell what was there."""
        is_known = self._is_whole_by_key if self._lost_rows is None else not self._lost_rows.may_have_been(key[0])
        if is_known:
            self._target.execute(f"DELETE FROM {quoted(self._table.name)} WHERE {self._table.comparison('=')}", key)

    def _put(self, row: Row) -> None:
        """Store the row, or set it aside where it does not fit."""
        names = (("rowid",) if self._table.has_row_ids else ()) + tuple(map(quoted, self._table.columns))
        values = row if self._table.has_row_ids else row[len(self._table.key) :]
        places = ", ".join("CAST(? AS TEXT)" if isinstance(value, Undecodable) else "?" for value in values)
        sql = f"INTO {quoted(self._table.name)} ({', '.join(names)}) VALUES ({places})"
        try:
            self._store(sql, values, row)
        except sqlite3.IntegrityError as misfit:
            self._keep_apart(row, str(misfit))
            return
        self._saved += 1

    def _store(self, sql: str, values: Row, row: Row) -> None:
        try:
            self._target.execute(f"INSERT {sql}", values)
        except sqlite3.IntegrityError as conflict:
            if conflict.sqlite_errorcode not in _TAKEN or self._takes_the_place_of_another(row):
                raise
            # What is in its place, or has its unique values, comes from the older database.
            self._target.execute(f"REPLACE {sql}", values)

    def _takes_the_place_of_another(self, row: Row) -> bool:
        """Return whether another row of the damaged database has its unique values."""
        if not self._table.has_row_ids:
            return False
        content = dict(zip(self._table.columns, row[1:], strict=True))
        for columns in self._damaged.unique_columns():
            if any(content.get(column) is None for column in columns):
                continue  # NULL is like no other value
            where = " AND ".join(f"{quoted(column)} IS ?" for column in columns)
            sql = f"SELECT rowid FROM {quoted(self._table.name)} WHERE {where} AND rowid != ?"
            values = [content.get(column) for column in columns]
            for (row_id,) in self._target.execute(sql, (*values, row[0])).fetchall():
                if self._damaged.row(row_id) is not None:
                    return True
        return False

    def _keep_apart(self, row: Row, reason: str) -> None:
        self._set_aside += 1
        if self._table.name == rows_set_aside.ORPHANS:
            self._apart.append((row, reason))  # it would be taken for a row of the stretch that is merged
        else:
            self._keep(row, reason)

    def _keep(self, row: Row, reason: str) -> None:
        names = (*self._table.key, *self._table.columns)
        content = dict(zip(names, row, strict=True))
        rows_set_aside.keep(self._target, self._table.name, content, reason, self._now, origin="recovery")


_TAKEN = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}


def _ascend(keys: list[Row]) -> bool:
    """Return whether the keys are in order; those of different types are not compared, and count as in disorder."""
    try:
        return all(first < second for first, second in pairwise(keys))
    except TypeError:
        return False


def _make_tables_of_others(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Tables that no migration makes, and their indexes: of other programs, or of an adoption."""
    ours = {name for (name,) in target.execute("SELECT name FROM sqlite_schema")}
    ordinary = {table.name for table in tables(source)}
    statements = source.execute(
        "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL "
        "ORDER BY type DESC"
    ).fetchall()
    for name, table, sql in statements:
        if table in ordinary and table not in ours and name not in ours:
            target.execute(sql)


def _continue_ids(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """New rows get ids that no row ever had."""
    try:
        sequences = source.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    except READ_ERRORS:
        return  # the largest ids that were salvaged must do, which SQLite sees to itself
    for name, last in sequences:
        if isinstance(last, int) and isinstance(name, str) and _has_table(target, name):
            present = target.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)).fetchone()
            if present is None:
                target.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, last))
            else:
                sql = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?"
                target.execute(sql, (last, name))


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return connection.execute(sql, (name,)).fetchone() is not None


def _count(connection: sqlite3.Connection, table: str) -> int:
    count: int = connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0]
    return count
