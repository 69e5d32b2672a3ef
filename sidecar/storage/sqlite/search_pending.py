"""Having the full-text index follow what the triggers noted; see the migration that makes both."""

import sqlite3

_KIND_BITS = 48

VIEWS = {
    1: "search_vaults",
    2: "search_todo",
    3: "search_activity",
    4: "search_tips",
    5: "search_messages",
    6: "search_conversations",
    7: "search_processed_contexts",
}
"""What each kind's documents look like to the index."""

_REMOVE = """
INSERT INTO search_index (search_index, rowid, title, content, tags, facets)
SELECT 'delete', docid, title, content, tags, facets FROM search_pending
WHERE title IS NOT NULL AND EXISTS (SELECT 1 FROM search_index_docsize WHERE id = docid)
"""
"""Giving FTS5 words to remove that never went in would damage the index."""


def is_any(connection: sqlite3.Connection) -> bool:
    """Whether something was noted that the index has not followed: another program has written."""
    return connection.execute("SELECT 1 FROM search_pending LIMIT 1").fetchone() is not None


def follow(connection: sqlite3.Connection) -> None:
    """Take what was noted into the index, inside the transaction that is open."""
    noted = connection.execute("SELECT DISTINCT docid >> ? FROM search_pending", (_KIND_BITS,)).fetchall()
    if not noted:
        return
    connection.execute(_REMOVE)
    for (number,) in noted:
        connection.execute(_add(number), (number << _KIND_BITS, (number + 1) << _KIND_BITS))
    connection.execute("DELETE FROM search_pending")


def _add(number: int) -> str:
    view, first = VIEWS[number], number << _KIND_BITS
    return f"""
        INSERT INTO search_index (rowid, title, content, tags, facets)
        SELECT view.docid, view.title, view.content, view.tags, view.facets
        FROM search_pending AS pending CROSS JOIN {view} AS view ON view.id = pending.docid - {first}
        WHERE pending.docid >= ? AND pending.docid < ?
            AND NOT EXISTS (SELECT 1 FROM search_index_docsize WHERE id = pending.docid)
    """
