"""Rows on their way out of the store and into it, for every kind alike.

Going out: all rows of all kinds as of one moment. Coming in: one unit of work, which adds the rows that are not there
yet. A row of an archive is there already

- when the archive comes from this very store, and a row has the same key and the same `birth` columns;
- when an earlier import of that row of that store made a row which is still there;
- when a row has the same key and is equal in every column, and so is what it belongs to;
- when the kind has text keys, which are the callers' own names, and a row has the same one.

Such a row stays as the store has it. Any other row is added: under its own id where its table was empty, under a new
one elsewhere, and whatever refers to it follows. Rows are changed one by one: a statement that changed many would keep
their old pages in memory.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from sidecar.errors import ArchiveRefused
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import MessageStatus
from sidecar.models.transfer import ImportReport, KindReport, Row
from sidecar.storage.sqlite.table import Domain
from sidecar.storage.sqlite.transfer_kinds import KINDS, Kind, Reference, quoted
from sidecar.storage.sqlite.values import json_text
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.transfer import ITransferStore, RowsOf

T = TypeVar("T")

LARGEST_KEPT_ID = 2**52
"""A row with a larger id gets a new one: ids go on after the largest, and SQLite's and JavaScript's come to an end."""

CUT_OFF = "This message was still being written when it was exported."
TOPIC = "imports"
"""One notice tells of a whole import: one for each row would fill any buffer of notices, and then say no more."""


class Transfer(Domain, ITransferStore):
    async def export_rows(self, take: Callable[[RowsOf, str], T]) -> T:
        def query(connection: sqlite3.Connection) -> T:
            return take(lambda kind: _rows(connection, _KINDS[kind]), _store_id(connection))

        return await self._database.read_at_length(query)

    async def import_rows(
        self, rows: RowsOf, store_id: str, dry_run: bool = False, *, key: IdempotencyKey | None = None
    ) -> ImportReport:
        def unit(work: Work) -> ImportReport:
            kinds = {kind.name: _import(work.connection, kind, rows, store_id) for kind in KINDS}
            work.connection.execute("DELETE FROM import_ids")
            report = ImportReport(dry_run=dry_run, kinds=kinds)
            if dry_run:
                raise _OnlyTried(report)
            if report.added:
                work.changed(TOPIC, "import", {name: kind.added for name, kind in kinds.items()})
            return report

        try:
            return await self._database.write(unit, None if dry_run else key, ImportReport)
        except _OnlyTried as tried:
            return tried.report

    def scratch_directory(self) -> Path | None:
        location = self._database.location
        return None if location is None else location.parent


_KINDS = {kind.name: kind for kind in KINDS}


class _OnlyTried(Exception):
    """Ends the unit of work of a dry run, which undoes it."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__()
        self.report = report


def _store_id(connection: sqlite3.Connection) -> str:
    (store_id,) = connection.execute("SELECT id FROM store_identity").fetchone()
    return str(store_id)


def _rows(connection: sqlite3.Connection, kind: Kind) -> Iterator[Row]:
    # By rowid or primary key, so that no row waits for others to be sorted.
    for found in connection.execute(f"{kind.select} ORDER BY {kind.table}.{kind.key}"):
        yield _row(kind, found)


def _row(kind: Kind, found: sqlite3.Row) -> Row:
    """What was selected, as it is in a line."""
    row = dict(found)
    for column in kind.json_columns:
        row[column] = json.loads(row[column] or "null")
    for column in kind.booleans:
        row[column] = bool(row[column])
    return row


def _import(connection: sqlite3.Connection, kind: Kind, rows: RowsOf, store_id: str) -> KindReport:
    is_own = store_id == _store_id(connection)
    added = skipped = 0
    is_new_table: bool | None = None
    refers_ahead = False
    first_added: Any = None
    for row in rows(kind.name):
        identity = _identity(kind, row, store_id)
        # New ids are larger than all that were there, so a row from there on is no other than this import's own.
        is_own_addition = first_added is not None and row[kind.key] >= first_added
        row_id = None if is_own_addition else _find_by_key(connection, kind, row, is_own)
        if row_id is None and not kind.has_text_key:
            row_id = _find_imported(connection, kind, identity)
        is_added = row_id is None
        if row_id is None:
            if is_new_table is None:
                is_new_table = _is_empty(connection, kind)
            keeps_key = kind.has_text_key or (is_new_table and row[kind.key] <= LARGEST_KEPT_ID)
            row_id = _insert(connection, kind, row | _references(connection, kind, row), keeps_key)
            refers_ahead = refers_ahead or bool(_ahead(kind, row))
            if not kind.has_text_key:
                first_added = row_id if first_added is None else first_added
                remembered = (kind.name, identity, row_id)
                connection.execute("INSERT OR REPLACE INTO imported_rows VALUES (?, ?, ?)", remembered)
        added, skipped = added + is_added, skipped + (not is_added)
        connection.execute("INSERT INTO import_ids VALUES (?, ?, ?, ?)", (kind.name, row[kind.key], row_id, is_added))
    if refers_ahead:
        # Read once more rather than kept: any number of rows may refer to one that comes later.
        for row in rows(kind.name):
            _refer_ahead(connection, kind, row)
    if added:
        _check(connection, kind)
    return KindReport(added=added, skipped=skipped)


def _identity(kind: Kind, row: Row, store_id: str) -> bytes:
    known = [store_id, row[kind.key], *(row[column] for column in kind.birth)]
    return blake2b(json.dumps(known).encode(), digest_size=16).digest()


def _find_by_key(connection: sqlite3.Connection, kind: Kind, row: Row, is_own: bool) -> int | str | None:
    """The key of the row, if the store has that very row under it."""
    key: int | str = row[kind.key]
    sql = f"{kind.select} WHERE {kind.table}.{kind.key} = ?"
    found = connection.execute(sql, (key,)).fetchone()
    if found is None:
        return None
    there = _row(kind, found)
    is_same = is_own and all(there[column] == row[column] for column in kind.birth)
    if kind.has_text_key or is_same or (there == row and _belongs_alike(connection, kind, row)):
        return key
    return None


def _find_imported(connection: sqlite3.Connection, kind: Kind, identity: bytes) -> int | None:
    """The key of the row that an earlier import made of this one, if it is still there."""
    sql = f"""
        SELECT row_id FROM imported_rows JOIN {kind.table} ON {kind.table}.{kind.key} = row_id
        WHERE kind = ? AND identity = ?
    """
    remembered = connection.execute(sql, (kind.name, identity)).fetchone()
    return None if remembered is None else int(remembered[0])


def _belongs_alike(connection: sqlite3.Connection, kind: Kind, row: Row) -> bool:
    """Whether the rows of earlier kinds that this one names kept their keys."""
    sql = "SELECT 1 FROM import_ids WHERE kind = ? AND source_id = ? AND row_id = source_id"
    return all(
        connection.execute(sql, (reference.kind, row[reference.column])).fetchone() is not None
        for reference in kind.references
        if reference.kind != kind.name
    )


def _is_empty(connection: sqlite3.Connection, kind: Kind) -> bool:
    if kind.placeholder is not None:
        connection.execute(*kind.placeholder)
    return connection.execute(f"SELECT 1 FROM {kind.table} LIMIT 1").fetchone() is None


def _insert(connection: sqlite3.Connection, kind: Kind, row: Row, keeps_key: bool) -> int | str:
    """The key of the new row."""
    columns = dict(row)
    for column in kind.json_columns:
        columns[column] = json_text(column, columns[column])
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
    """The columns that refer to rows, with what became of those; NULL while such a row is still to come."""
    ahead = _ahead(kind, row)
    named = [reference for reference in kind.references if row[reference.column] is not None]
    return {
        reference.column: None if reference in ahead else _what_became(connection, kind, reference, row)
        for reference in named
    }


def _ahead(kind: Kind, row: Row) -> list[Reference]:
    """The references to rows that come later in the archive, or to the row itself: its own kind is in key order."""
    own = [reference for reference in kind.references if reference.kind == kind.name]
    return [each for each in own if row[each.column] is not None and row[each.column] >= row[kind.key]]


def _refer_ahead(connection: sqlite3.Connection, kind: Kind, row: Row) -> None:
    """Fill in what had to wait when the row was added."""
    for reference in _ahead(kind, row):
        became = _what_became(connection, kind, reference, row)
        sql = f"""
            UPDATE {kind.table} SET {reference.column} = ?
            WHERE {kind.key} = (SELECT row_id FROM import_ids WHERE kind = ? AND source_id = ? AND is_added)
        """
        connection.execute(sql, (became, kind.name, row[kind.key]))


def _what_became(connection: sqlite3.Connection, kind: Kind, reference: Reference, row: Row) -> int | str | None:
    """The key of the row that the archive's row refers to. Raises `ArchiveRefused` where it has to be there."""
    source_id = row[reference.column]
    sql = "SELECT row_id FROM import_ids WHERE kind = ? AND source_id = ?"
    found = connection.execute(sql, (reference.kind, source_id)).fetchone()
    if found is not None:
        return found[0]  # type: ignore[no-any-return]
    if not reference.required:
        return None
    raise ArchiveRefused(
        f"The archive is damaged: in {kind.name}, {reference.column} names a row of {reference.kind} that it does not "
        f"hold: {str(source_id)[:100]}."
    )


def _check(connection: sqlite3.Connection, kind: Kind) -> None:
    if kind.check is not None:
        query, finding = kind.check
        if connection.execute(query).fetchone() is not None:
            raise ArchiveRefused(f"The archive is damaged: {finding}")
