"""Rows on their way out of the store and into it, for every kind alike.

Going out: all rows of all kinds as of one moment. Coming in: one unit of work, which adds the rows that are not there
yet. A row of an archive is there already

- when the archive comes from this very store, and a row has the same key and the same `birth` columns;
- when an earlier import of that row of that store made a row which is still there;
- when a row has the same key and is equal in every column, and so is what it belongs to;
- when the kind has text keys, which are the callers' own names, and a row has the same one.

Such a row stays as the store has it. Any other row is added: under its own id where its table was empty, under a new
one elsewhere, and whatever refers to it follows.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

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
            kinds = {kind.name: _import(work.connection, kind, rows(kind.name), store_id) for kind in KINDS}
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


def _import(connection: sqlite3.Connection, kind: Kind, rows: Iterable[Row], store_id: str) -> KindReport:
    # References of rows that lie later in the archive hold until the last row is there.
    connection.execute("PRAGMA defer_foreign_keys = ON")
    is_own = store_id == _store_id(connection)
    added = skipped = 0
    keeps_ids: bool | None = True if kind.has_text_key else None
    for row in rows:
        identity = _identity(kind, row, store_id)
        row_id = _find(connection, kind, row, identity, is_own)
        is_added = row_id is None
        if row_id is None:
            if keeps_ids is None:
                keeps_ids = _is_empty(connection, kind)
            row_id = _insert(connection, kind, row, keeps_ids)
            if not kind.has_text_key:
                remembered = (kind.name, identity, row_id)
                connection.execute("INSERT OR REPLACE INTO imported_rows VALUES (?, ?, ?)", remembered)
        added, skipped = added + is_added, skipped + (not is_added)
        connection.execute("INSERT INTO import_ids VALUES (?, ?, ?, ?)", (kind.name, row[kind.key], row_id, is_added))
    if added:
        for reference in kind.references:
            _follow(connection, kind, reference)
        _check(connection, kind)
    return KindReport(added=added, skipped=skipped)


def _identity(kind: Kind, row: Row, store_id: str) -> bytes:
    known = [store_id, row[kind.key], *(row[column] for column in kind.birth)]
    return blake2b(json.dumps(known).encode(), digest_size=16).digest()


def _find(connection: sqlite3.Connection, kind: Kind, row: Row, identity: bytes, is_own: bool) -> int | str | None:
    """The key of the row that this one already is in the store; `None` if it is not there."""
    key: int | str = row[kind.key]
    sql = f"{kind.select} WHERE {kind.table}.{kind.key} = ?"
    found = connection.execute(sql, (key,)).fetchone()
    if found is not None:
        there = _row(kind, found)
        is_same = is_own and all(there[column] == row[column] for column in kind.birth)
        if kind.has_text_key or is_same or (there == row and _belongs_alike(connection, kind, row)):
            return key
    if kind.has_text_key:
        return None
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


def _insert(connection: sqlite3.Connection, kind: Kind, row: Row, keeps_id: bool) -> int | str:
    """The key of the new row. Its references are still those of the archive."""
    columns = dict(row)
    for column in kind.json_columns:
        columns[column] = json_text(column, columns[column])
    if columns.get("status") == MessageStatus.STREAMING:
        # Nobody is left who could go on writing it.
        columns |= {"status": MessageStatus.FAILED, "error_message": CUT_OFF, "completed_at": columns["updated_at"]}
    if not keeps_id:
        del columns[kind.key]
    names, values = ", ".join(map(quoted, columns)), ", ".join("?" for _ in columns)
    sql = f"INSERT INTO {kind.table} ({names}) VALUES ({values}) RETURNING {kind.key}"
    (row_id,) = connection.execute(sql, tuple(columns.values())).fetchone()
    return row_id  # type: ignore[no-any-return]


def _follow(connection: sqlite3.Connection, kind: Kind, reference: Reference) -> None:
    """Have the reference of each added row name what became of the archive's row. Raises `ArchiveRefused`."""
    target = _KINDS[reference.kind]
    column = reference.column
    wanted = column if target.has_text_key else f"CAST({column} AS INTEGER)"
    became = f"(SELECT row_id FROM import_ids WHERE kind = '{target.name}' AND source_id = {wanted})"
    added = f"{kind.key} IN (SELECT row_id FROM import_ids WHERE kind = '{kind.name}' AND is_added)"
    if reference.required:
        sql = f"SELECT {column} FROM {kind.table} WHERE {column} IS NOT NULL AND {added} AND {became} IS NULL LIMIT 1"
        missing = connection.execute(sql).fetchone()
        if missing is not None:
            raise ArchiveRefused(
                f"The archive is damaged: in {kind.name}, {column} names a row of {target.name} that it does not hold: "
                f"{str(missing[0])[:100]}."
            )
    if not target.has_text_key:
        connection.execute(f"UPDATE {kind.table} SET {column} = {became} WHERE {column} IS NOT NULL AND {added}")


def _check(connection: sqlite3.Connection, kind: Kind) -> None:
    if kind.check is not None:
        query, finding = kind.check
        if connection.execute(query).fetchone() is not None:
            raise ArchiveRefused(f"The archive is damaged: {finding}")
