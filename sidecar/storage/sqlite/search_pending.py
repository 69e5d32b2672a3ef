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

_REMOVE = f"""
INSERT INTO search_index (search_index, rowid, title, content, tags, facets)
SELECT 'delete', docid, {words_of("search_pending")} FROM search_pending
WHERE title IS NOT NULL AND EXISTS (SELECT 1 FROM search_index_docsize WHERE id = docid)
"""
"""Giving FTS5 words to remove that never went in would damage the index."""


def is_any(connection: sqlite3.Connection) -> bool:
    """Whether something was noted that the index has not followed: another program has written."""
    return connection.execute("SELECT 1 FROM search_pending LIMIT 1").fetchone() is not None


def follow(connection: sqlite3.Connection) -> None:
    """Take what was noted into the index, inside the transaction that is open."""
    noted = connection.execute("SELECT DISTINCT docid >> ? FROM search_pending", (KIND_BITS,)).fetchall()
    if not noted:
        return
    connection.execute(_REMOVE)
    # A number that is no kind's was put there by hand, and goes with the others.
    for number in VIEWS.keys() & {number for (number,) in noted}:
        connection.execute(_add(number), (number << KIND_BITS, (number + 1) << KIND_BITS))
    connection.execute("DELETE FROM search_pending")


@cache
def _add(number: int) -> str:
    view, first = VIEWS[number], number << KIND_BITS
    return f"""
        INSERT INTO search_index (rowid, title, content, tags, facets)
        SELECT view.docid, {words_of("view")}
        FROM search_pending AS pending CROSS JOIN {view} AS view ON view.id = pending.docid - {first}
        WHERE pending.docid >= ? AND pending.docid < ?
            AND NOT EXISTS (SELECT 1 FROM search_index_docsize WHERE id = pending.docid)
    """
