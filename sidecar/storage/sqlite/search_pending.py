"""Having the full-text index follow what the triggers noted; see the migration that makes both."""

import sqlite3
from functools import cache

from sidecar.storage.sqlite.migrations.m0004_search import KIND_BITS
from sidecar.storage.sqlite.search_segments import words_of

VIEWS = {
    1: "search_vaults",
    2: "search_todo",
    3: "search_activity",
    4: "search_tips",
    5: "search_messages",
    6: "search_conversations",
    7: "search_processed_contexts",
}
"""What each kind's documents look like to the index. Not taken from `search_kinds.py`: that knows every domain, and
every domain knows the writer, which uses this."""

MANY = 256
"""As many as a group of single rows may note. More are a batch's, or another program's, and a commit does not wait for
their words, which may take ten times as long as the rows: they are left to upkeep's steps (`search_index.fill`), or to
the search that comes first."""

_LAST = (1 << 63) - 1

_REMOVE = f"""
INSERT INTO search_index (search_index, rowid, title, content, tags, facets)
SELECT 'delete', docid, {words_of("search_pending")} FROM search_pending
WHERE docid <= ? AND title IS NOT NULL AND EXISTS (SELECT 1 FROM search_index_docsize WHERE id = docid)
"""
"""Giving FTS5 words to remove that never went in would damage the index."""


def is_any(connection: sqlite3.Connection) -> bool:
    """Whether something was noted that the index has not followed."""
    return connection.execute("SELECT 1 FROM search_pending LIMIT 1").fetchone() is not None


def follow_few(connection: sqlite3.Connection) -> None:
    """Take what was noted into the index, inside the transaction that is open; many notes are left as they are."""
    if _nth(connection, MANY + 1) is None:
        _follow(connection, _LAST)


def follow_some(connection: sqlite3.Connection, count: int) -> bool:
    """Take so many notes into the index, inside the transaction that is open; whether there may be more."""
    last = _nth(connection, count)
    _follow(connection, _LAST if last is None else last)
    return last is not None


def _nth(connection: sqlite3.Connection, number: int) -> int | None:
    """The document of this note, counted from 1; None where there are fewer."""
    sql = "SELECT docid FROM search_pending ORDER BY docid LIMIT 1 OFFSET ?"
    docid: int | None = next(iter(connection.execute(sql, (number - 1,))), (None,))[0]
    return docid


def _follow(connection: sqlite3.Connection, last: int) -> None:
    """What was noted of documents up to `last`."""
    noted = connection.execute("SELECT DISTINCT docid >> ? FROM search_pending WHERE docid <= ?", (KIND_BITS, last))
    numbers = {number for (number,) in noted}
    if not numbers:
        return
    connection.execute(_REMOVE, (last,))
    # A number that is no kind's was put there by hand, and goes with the others.
    for number in VIEWS.keys() & numbers:
        end = min(last, ((number + 1) << KIND_BITS) - 1)
        connection.execute(_add(number), (number << KIND_BITS, end))
    connection.execute("DELETE FROM search_pending WHERE docid <= ?", (last,))


@cache
def _add(number: int) -> str:
    view, first = VIEWS[number], number << KIND_BITS
    return f"""
        INSERT INTO search_index (rowid, title, content, tags, facets)
        SELECT view.docid, {words_of("view")}
        FROM search_pending AS pending CROSS JOIN {view} AS view ON view.id = pending.docid - {first}
        WHERE pending.docid BETWEEN ? AND ?
            AND NOT EXISTS (SELECT 1 FROM search_index_docsize WHERE id = pending.docid)
    """
