"""Rows on their way out of the store and into it, for every kind alike.

Going out: all rows of all kinds as of one moment. Coming in: one unit of work, which adds the rows that are not there
yet. A row of an archive is there already

- when the archive comes from this very store, and a row has the same key and the same `birth` columns;
- when an earlier import of that row of that store made a row which is still there;
- when a row has the same key and is equal in every column, and so is what it belongs to;
- when a row has the same external id: a conversation at the same source, or a message in the same conversation;
- when a step of thinking belongs to a message that is there, and has the same place and text;
- when the kind has text keys, which are the callers' own names, and a row has the same one;
- when it has no place, and an earlier import has set it aside.

Such a row stays as the store has it. Any other row is added: under its own id where its table was empty, under a new
one elsewhere, and whatever refers to it follows. Rows are changed one by one: a statement that changed many would keep
their old pages in memory.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from sidecar.models.base import MAX_INTEGER
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import MessageStatus
from sidecar.models.states import MAX_THREAD_ID
from sidecar.models.transfer import ImportReport, KindReport, Row
from sidecar.storage.capabilities import ITransfer, OwnRows, RowsOf, StoreRows
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources.rows.columns import read_row, usual_json
from sidecar.storage.resources.rows.declaration import Lift, Reference
from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.resources.rows.validation import json_text
from sidecar.storage.resources.rows_set_aside import as_json
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.encoding import Undecodable
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.schema import own_tables
from sidecar.storage.sqlite.transfer import ids as set_aside_ids
from sidecar.storage.sqlite.transfer import own_rows
from sidecar.storage.sqlite.transfer import sources as seed_sources
from sidecar.storage.sqlite.transfer.ids import LARGEST_KEPT_ID
from sidecar.storage.sqlite.transfer.kinds import BUILT_IN, ODD, Kind, TransferKinds

T = TypeVar("T")

CUT_OFF = "This message was still being written when it was exported."
TOPIC = "imports"
"""A whole import has one notice: one for each row would fill any buffer of notices, and end in a reset."""


class Transfer(ITransfer):
    """The exports and imports of one database."""

    def __init__(self, database: Database, kinds: TransferKinds = BUILT_IN) -> None:
        self._database = database
        self._kinds = kinds

    async def export_rows(self, take: Callable[[StoreRows, str], T]) -> T:
        def query(connection: sqlite3.Connection) -> T:
            return take(rows_of(connection), store_id(connection))

        return await self._database.read_isolated(query)

    async def import_rows(
        self, rows: RowsOf, store_id: str, dry_run: bool = False, *, key: IdempotencyKey | None = None
    ) -> ImportReport:
        def unit(work: SQLiteWork) -> ImportReport:
            source = seed_sources.source_of(work.connection, rows, store_id, rows_of(work.connection))
            readable, not_imported = own_rows.readable(rows, self._kinds)
            kinds = {kind.name: _import(work, kind, readable, source, self._kinds) for kind in self._kinds.ordered}
            work.connection.execute("DELETE FROM import_ids")
            report = ImportReport(dry_run=dry_run, kinds=kinds, not_imported=not_imported)
            if dry_run:
                raise DryRunRollback(report)
            if report.added:
                work.changed(TOPIC, "import", {name: kind.added for name, kind in kinds.items()})
            return report

        try:
            return await self._database.write(unit, None if dry_run else key, ImportReport)
        except DryRunRollback as tried:
            return tried.report

    def scratch_directory(self) -> Path | None:
        location = self._database.location
        return None if location is None else location.parent


class DryRunRollback(Exception):
    """Ends the unit of work of a dry run, which undoes it."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__()
        self.report = report


def rows_of(connection: sqlite3.Connection) -> StoreRows:
    """A way to read all rows of each kind; the connection must give rows by name."""
    own = own_rows.tables_of(connection)

    def read(kind: str) -> Iterator[Row]:
        return _rows(connection, BUILT_IN.named[kind]) if kind not in own else own_rows.rows(connection, own[kind])

    def count() -> int:
        tables = (*(kind.table for kind in BUILT_IN.ordered), *(table.name for table in own.values()))
        counts = (connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone() for table in tables)
        return sum(count for (count,) in counts)

    return StoreRows(read, OwnRows(tuple(own), own_tables.versions(connection)), count)


def store_id(connection: sqlite3.Connection) -> str:
    """The id of the store, which copies of it share."""
    (found,) = connection.execute("SELECT id FROM store_identity").fetchone()
    return str(found)


def _rows(connection: sqlite3.Connection, kind: Kind) -> Iterator[Row]:
    # By rowid or primary key, so that no row waits for others to be sorted.
    for found in connection.execute(f"{kind.select} ORDER BY {kind.table}.{kind.key}"):
        yield _row(kind, found)


def _row(kind: Kind, found: sqlite3.Row) -> Row:
    """Return a selected row as it is in a line. Values that cannot be read are under `invalid`, as they are stored."""
    row = dict(found)
    is_odd = row.pop(ODD)
    if not is_odd and Undecodable not in map(type, row.values()):
        with suppress(ValueError):
            for column in kind.json_columns:
                row[column] = usual_json(row[column] or "null")
            for column in kind.booleans:
                row[column] = bool(row[column])
            for column in kind.ids_as_text:
                row[column] = None if row[column] is None else int(row[column])
            return row
    stored = dict(found)
    row, invalid = read_row(kind.stored, {column: stored[column] for column in kind.columns})
    row |= {column: None for column in kind.json_columns if stored[column] is None}  # a record has an empty object
    return {**row, "invalid": json.loads(as_json({name: stored[name] for name in invalid}))} if invalid else row


def _import(work: SQLiteWork, kind: Kind, rows: RowsOf, source: str, kinds: TransferKinds) -> KindReport:
    connection = work.connection
    is_own = source == store_id(connection)
    added = skipped = aside = 0
    is_new_table: bool | None = None
    refers_ahead = False
    first_added: Any = None
    for line in rows(kind.name):
        row = {column: line[column] for column in kind.columns}
        identity = _identity(kind, row, source)
        # New ids are larger than all that were there, so a row from there on is no other than this import's own.
        is_own_addition = first_added is not None and row[kind.key] >= first_added
        row_id = None if is_own_addition else _find_by_key(connection, kind, row, is_own)
        if row_id is None and not kind.has_text_key:
            row_id = _find_imported(connection, kind, identity)
            if row_id is None and kind.earlier_birth:
                row_id = _find_imported(connection, kind, _identity_by(kind, row, source, kind.earlier_birth))
            while row_id is not None and first_added is not None and row_id >= first_added:
                identity = blake2b(identity, digest_size=16).digest()  # a twin: equal, and not the same
                row_id = _find_imported(connection, kind, identity)
        references: Row = {}
        if row_id is None:
            references = _references(connection, kind, row)
            row_id = _find_same(connection, kind, row | references, first_added)
        is_added = row_id is None
        if row_id is None:
            if is_new_table is None:
                is_new_table = _is_empty(connection, kind)
            keeps_key = kind.has_text_key or (is_new_table and row[kind.key] <= LARGEST_KEPT_ID)
            misfit = _why_it_has_no_place(kind, line, references)
            if misfit is not None:
                is_new = _is_new_misfit(connection, kind, identity)
                if is_new:
                    _set_aside(work, kind, line, misfit)
                aside, skipped = aside + is_new, skipped + (not is_new)
                continue
            columns = row | references
            if kind.name == "set_aside" and not is_own:
                columns |= set_aside_ids.followed(connection, row, source, kinds)
            row_id = _insert(connection, kind, columns, keeps_key)
            _keep_what_changed(work, kind, line, references)
            refers_ahead = refers_ahead or bool(_ahead(kind, row))
            if not kind.has_text_key:
                first_added = row_id if first_added is None else first_added
                remembered = (kind.name, identity, row_id)
                connection.execute("INSERT OR REPLACE INTO imported_rows VALUES (?, ?, ?)", remembered)
        seed_sources.note(connection, kind, row, source)
        added, skipped = added + is_added, skipped + (not is_added)
        connection.execute("INSERT INTO import_ids VALUES (?, ?, ?, ?)", (kind.name, row[kind.key], row_id, is_added))
    if refers_ahead:
        # Read once more rather than kept: any number of rows may refer to one that comes later.
        for line in rows(kind.name):
            _refer_ahead(work, kind, line)
    if added and kind.lift is not None:
        _lift(work, kind, kind.lift)
    return KindReport(added=added, skipped=skipped, set_aside=aside)


def _identity(kind: Kind, row: Row, source: str) -> bytes:
    of_seed = seed_sources.identity(kind, row, source)
    return of_seed if of_seed is not None else _identity_by(kind, row, source, kind.birth_of(row))


def _identity_by(kind: Kind, row: Row, source: str, columns: Sequence[str]) -> bytes:
    known = [source, row[kind.key], *(row[column] for column in columns)]
    return blake2b(json.dumps(known).encode(), digest_size=16).digest()


def _find_by_key(connection: sqlite3.Connection, kind: Kind, row: Row, is_own: bool) -> int | str | None:
    """The key of the row, if the store has that very row under it."""
    key: int | str = row[kind.key]
    sql = f"{kind.select} WHERE {kind.table}.{kind.key} = ?"
    found = connection.execute(sql, (key,)).fetchone()
    if found is None:
        return None
    there = _row(kind, found)
    there.pop("invalid", None)
    is_same = is_own and all(there[column] == row[column] for column in kind.birth_of(row))
    if kind.has_text_key or is_same or (there == row and _belongs_alike(connection, kind, row)):
        return key
    return None


def _find_imported(connection: sqlite3.Connection, kind: Kind, identity: bytes) -> int | None:
    """The key of the row that an earlier import made of this one, if it is still there or is not to come back."""
    there = f"JOIN {kind.table} ON {kind.table}.{kind.key} = row_id" if kind.comes_back else ""
    sql = f"SELECT row_id FROM imported_rows {there} WHERE kind = ? AND identity = ?"
    remembered = connection.execute(sql, (kind.name, identity)).fetchone()
    return None if remembered is None else int(remembered[0])


def _find_same(connection: sqlite3.Connection, kind: Kind, row: Row, first_added: Any) -> int | None:
    """The key of the row that is the same by its own names, whatever store it comes from."""
    values = [row[column] for column in kind.same]
    if not values or None in values:
        return None
    where = " AND ".join(f"{quoted(column)} = ?" for column in kind.same)
    if not kind.is_same_unique and first_added is not None:
        # Rows of one archive may be equal, and are as many as there are.
        where, values = f"{where} AND {kind.key} < ?", [*values, first_added]
    found = connection.execute(f"SELECT min({kind.key}) FROM {kind.table} WHERE {where}", values).fetchone()
    return None if found[0] is None else int(found[0])


def _is_new_misfit(connection: sqlite3.Connection, kind: Kind, identity: bytes) -> bool:
    """Return whether no earlier import has set this row aside, and remember that this one has."""
    sql = "INSERT OR IGNORE INTO imported_rows VALUES (?, ?, 0)"
    return connection.execute(sql, (f"{kind.name} set aside", identity)).rowcount == 1


def _belongs_alike(connection: sqlite3.Connection, kind: Kind, row: Row) -> bool:
    """Return whether the rows of earlier kinds that this one names kept their keys."""
    sql = "SELECT 1 FROM import_ids WHERE kind = ? AND source_id = ? AND row_id = source_id"
    return all(
        connection.execute(sql, (reference.kind, row[reference.column])).fetchone() is not None
        for reference in kind.references
        if reference.kind != kind.name and row[reference.column] is not None
    )


def _is_empty(connection: sqlite3.Connection, kind: Kind) -> bool:
    if kind.placeholder is not None:
        connection.execute(*kind.placeholder)
    return connection.execute(f"SELECT 1 FROM {kind.table} LIMIT 1").fetchone() is None


def _insert(connection: sqlite3.Connection, kind: Kind, row: Row, keeps_key: bool) -> int | str:
    """The key of the new row."""
    columns = dict(row)
    for column in kind.json_columns:
        value = columns[column]
        columns[column] = None if value is None else json_text(column, value, most=MAX_INTEGER)
    if columns.get("status") == MessageStatus.STREAMING:
        # Nobody is left who could go on writing it.
        columns |= {"status": MessageStatus.FAILED, "error_message": CUT_OFF, "completed_at": columns["updated_at"]}
    if not keeps_key:
        del columns[kind.key]
    names, values = ", ".join(map(quoted, columns)), ", ".join("?" for _ in columns)
    sql = f"INSERT INTO {kind.table} ({names}) VALUES ({values}) RETURNING {kind.key}"
    (row_id,) = connection.execute(sql, tuple(columns.values())).fetchone()
    return row_id  # type: ignore[no-any-return]


def _references(connection: sqlite3.Connection, kind: Kind, row: Row) -> Row:
    """The columns that refer to rows, with what became of those; NULL for a row that is still to come, or not there."""
    ahead = _ahead(kind, row)
    named = [reference for reference in kind.references if row[reference.column] is not None]
    return {
        reference.column: None if reference in ahead else _what_became(connection, reference, row)
        for reference in named
    }


def _why_it_has_no_place(kind: Kind, line: Row, references: Row) -> str | None:
    """Return the reason why the row cannot be in its table, if any: its key or its parent is missing."""
    if kind.has_text_key and not (
        1 <= len(line[kind.key]) <= MAX_THREAD_ID and kind.key not in (line.get("invalid") or ())
    ):
        return f"{kind.key}: must be a text of 1 to {MAX_THREAD_ID} characters"
    for reference in kind.references:
        is_home = reference.required and reference.is_home
        if is_home and references.get(reference.column) is None:
            return f"{reference.column}: there is no row {line[reference.column]!r} in {reference.kind}"
    return None


def _keep_what_changed(work: SQLiteWork, kind: Kind, line: Row, references: Row) -> None:
    """Set aside the original of a row that lost values on its way."""
    ahead = {reference.column for reference in _ahead(kind, line)}
    lost = [name for name, became in references.items() if became is None and name not in ahead]
    if line.get("invalid") or lost:
        _set_aside(work, kind, line, _reason(line, lost), is_carried=True)


def _reason(line: Row, lost: Sequence[str]) -> str:
    unreadable = line.get("invalid") or ()
    reasons = [orphans.unreadable(unreadable)] if unreadable else []
    return "; ".join([*reasons, *(f"{name}: the row that it names is missing" for name in lost)])


def _set_aside(work: SQLiteWork, kind: Kind, line: Row, reason: str, *, is_carried: bool = False) -> None:
    original = {column: line[column] for column in kind.columns} | (line.get("invalid") or {})
    orphans.keep(work.connection, kind.table, original, reason, work.now, is_carried=is_carried, origin="import")


def _ahead(kind: Kind, row: Row) -> list[Reference]:
    """The references to rows that come later in the archive, or to the row itself: its own kind is in key order."""
    own = [reference for reference in kind.references if reference.kind == kind.name]
    return [each for each in own if row[each.column] is not None and row[each.column] >= row[kind.key]]


def _refer_ahead(work: SQLiteWork, kind: Kind, line: Row) -> None:
    """Fill in the references that could not be known when the row was added."""
    for reference in _ahead(kind, line):
        is_itself = not reference.may_be_own and line[reference.column] == line[kind.key]
        became = None if is_itself else _what_became(work.connection, reference, line)
        sql = f"""
            UPDATE {kind.table} SET {reference.column} = ?
            WHERE {kind.key} = (SELECT row_id FROM import_ids WHERE kind = ? AND source_id = ? AND is_added)
        """
        is_added = work.connection.execute(sql, (became, kind.name, line[kind.key])).rowcount == 1
        if is_added and became is None:
            reason = f"{reference.column}: it names the row itself" if is_itself else _reason({}, [reference.column])
            _set_aside(work, kind, line, reason, is_carried=True)


def _what_became(connection: sqlite3.Connection, reference: Reference, row: Row) -> int | str | None:
    """The key of the row that the archive's row refers to; `None` if the archive does not hold it."""
    sql = "SELECT row_id FROM import_ids WHERE kind = ? AND source_id = ?"
    found = connection.execute(sql, (reference.kind, row[reference.column])).fetchone()
    return None if found is None else found[0]


def _lift(work: SQLiteWork, kind: Kind, lift: Lift) -> None:
    """Clear the references of the rows that `lift` finds, one after the other."""
    connection = work.connection
    while (found := connection.execute(lift.query).fetchone()) is not None and found[0] is not None:
        sql = f"{kind.select} WHERE {kind.table}.{kind.key} = ?"
        row = _row(kind, connection.execute(sql, (found[0],)).fetchone())
        _set_aside(work, kind, row, f"{lift.column}: {lift.finding}", is_carried=True)
        connection.execute(f"UPDATE {kind.table} SET {lift.column} = NULL WHERE {kind.key} = ?", (found[0],))
