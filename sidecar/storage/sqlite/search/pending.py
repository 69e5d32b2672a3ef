"""Having the full-text index follow what the triggers noted; see the migration that makes both.

A commit follows what it noted itself, unless that is much. What is left is followed in steps, by upkeep and by the
search that comes first.
"""

import json
import sqlite3
from collections.abc import Sequence
from functools import cache

from sidecar.errors import SearchIndexDamaged
from sidecar.storage.sqlite.engine.encoding import any_text
from sidecar.storage.sqlite.search import entries
from sidecar.storage.sqlite.search.index_format import KIND_BITS
from sidecar.storage.sqlite.search.kinds import table_of, view_of

MANY = 256
"""As many as a group of single rows may note. More are a batch's, or another program's, and their words may take ten
times as long as the rows."""

CHARACTERS_AT_ONCE = 8_000
"""In one step, unless a single document has more: 3 ms of Japanese, the slowest, and less than 1 of English."""

_LAST = (1 << 63) - 1

_REMOVED = """
SELECT docid, title, content, tags, facets FROM search_pending
WHERE docid <= ? AND title IS NOT NULL AND EXISTS (SELECT 1 FROM search_index_docsize WHERE id = docid)
"""
"""Giving FTS5 words to remove that never went in would damage the index."""


def is_any(connection: sqlite3.Connection) -> bool:
    """Return whether something was noted that the index has not followed."""
    return connection.execute("SELECT 1 FROM search_pending LIMIT 1").fetchone() is not None


def follow_few(connection: sqlite3.Connection) -> None:
    """Take what was noted into the index, inside the transaction that is open; much of it is left as it is."""
    if connection.execute("SELECT 1 FROM search_pending LIMIT 1 OFFSET ?", (MANY,)).fetchone() is None:
        _follow(connection, _LAST)


def follow_some(connection: sqlite3.Connection) -> bool:
    """Take a few notes into the index, inside the transaction that is open; whether there were any."""
    (first,) = connection.execute("SELECT min(docid) FROM search_pending").fetchone()
    if first is None:
        return False
    last, characters = first, 0
    for docid, length in connection.execute(
        _sizes(first >> KIND_BITS, table_of(connection, first >> KIND_BITS)), (first,)
    ):
        characters += length
        if characters > CHARACTERS_AT_ONCE:
            break
        last = docid
    _follow(connection, last)
    return True


def outdated(connection: sqlite3.Connection, docids: Sequence[int]) -> set[int]:
    """Those of the documents that the index still has as they were before."""
    sql = "SELECT docid FROM json_each(?) CROSS JOIN search_pending ON docid = value WHERE title IS NOT NULL"
    return {docid for (docid,) in connection.execute(sql, (json.dumps(docids),))}


@cache
def _sizes(number: int, table: str | None) -> str:
    """SQL for how many characters each noted document of a kind has, before and now."""
    if table is None:
        return "SELECT docid, 0 FROM search_pending WHERE docid = ?"
    first, end = number << KIND_BITS, (number + 1) << KIND_BITS
    length = " + ".join(
        f"coalesce(length({row}.{column}), 0)" for row in ("pending", "view") for column in ("title", "content", "tags")
    )
    return f"""
        SELECT pending.docid, {length} FROM search_pending AS pending
        LEFT JOIN {view_of(table)} AS view ON view.id = pending.docid - {first}
        WHERE pending.docid >= ? AND pending.docid < {end} ORDER BY pending.docid
    """


def _follow(connection: sqlite3.Connection, last: int) -> None:
    """Take into the index what was noted of documents up to `last`."""
    noted = connection.execute("SELECT DISTINCT docid >> ? FROM search_pending WHERE docid <= ?", (KIND_BITS, last))
    numbers = {number for (number,) in noted}
    if not numbers:
        return
    with any_text(connection):
        removed = [entries.entry(*row) for row in connection.execute(_REMOVED, (last,))]
    if removed:
        connection.executemany(entries.DELETE, removed)
    for number in numbers:
        table = table_of(connection, number)
        if table is not None:  # the number may be one of a kind that is not searched any more, or put there by hand
            end = min(last, ((number + 1) << KIND_BITS) - 1)
            add(connection, _added(number, table), (number << KIND_BITS, end))
    connection.execute("DELETE FROM search_pending WHERE docid <= ?", (last,))


def add(connection: sqlite3.Connection, documents: str, values: Sequence[int]) -> None:
    """Put what a query of `docid, title, content, tags, facets` finds into the index, which does not have it.

    Raises `SearchIndexDamaged` when it has it nevertheless.
    """
    with any_text(connection):
        added = [entries.entry(*row) for row in connection.execute(documents, values)]
    try:
        connection.executemany(entries.INSERT, added)
    except sqlite3.IntegrityError as contradiction:
        raise SearchIndexDamaged("The search index is damaged; it is being rebuilt.") from contradiction


@cache
def _added(number: int, table: str) -> str:
    view, first = view_of(table), number << KIND_BITS
    return f"""
        SELECT view.docid, view.title, view.content, view.tags, view.facets
        FROM search_pending AS pending CROSS JOIN {view} AS view ON view.id = pending.docid - {first}
        WHERE pending.docid BETWEEN ? AND ?
            AND NOT EXISTS (SELECT 1 FROM search_index_docsize WHERE id = pending.docid)
    """
