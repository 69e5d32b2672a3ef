"""The search index with folded words, headings, and words with signs; messages are filtered by conversation and role.

The index is created again, empty, and filled in steps, which the first start begins: the program folds words, and the
views no longer do. `search_format` names the rules by which it was filled; see `search/entries.py`.
"""

import sqlite3
from contextlib import suppress

CREATE_INDEX = """
CREATE VIRTUAL TABLE search_index USING fts5 (
    title, headings, content, tags, signs, facets, content = '', tokenize = 'ascii'
)
"""

MERGE_LATER = (
    "INSERT INTO search_index (search_index, rank) VALUES ('automerge', 0)",
    "INSERT INTO search_index (search_index, rank) VALUES ('crisismerge', 512)",
)

KIND_BITS = 48
LARGEST_ID = (1 << KIND_BITS) - 1
MESSAGES = 5
_FIRST = MESSAGES << KIND_BITS

_FTS5_VERSION = 4
"""FTS5 does not even drop a table whose version it cannot read."""

_NOTE_WORDS = """
    INSERT INTO search_pending (docid, title, content, tags, facets)
    SELECT docid, title, content, tags, facets FROM search_messages AS touched
    WHERE id = old.id AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
    ON CONFLICT DO NOTHING;
"""
"""As in the migration of the index: the words that a message has in the index, before it is changed."""

_WATCHED = "id, content, conversation_id, role"

STATEMENTS = (
    "DROP TABLE IF EXISTS search_index",
    CREATE_INDEX,
    *MERGE_LATER,
    "CREATE TABLE search_format (version TEXT NOT NULL)",
    "DROP TABLE IF EXISTS search_places",
    "DROP TRIGGER search_messages_changing",
    "DROP TRIGGER search_messages_changed",
    "DROP VIEW search_messages",
    f"""
    CREATE VIEW search_messages (id, docid, title, content, tags, facets) AS
    SELECT id, id + {_FIRST}, '', content, '', 'c' || conversation_id || ' r' || hex(role)
    FROM messages WHERE content != '' AND id BETWEEN 0 AND {LARGEST_ID}
    """,
    f"CREATE TRIGGER search_messages_changing BEFORE UPDATE OF {_WATCHED} ON messages BEGIN {_NOTE_WORDS} END",
    f"""
    CREATE TRIGGER search_messages_changed AFTER UPDATE OF {_WATCHED} ON messages
    WHEN new.id BETWEEN 0 AND {LARGEST_ID}
    BEGIN INSERT INTO search_pending (docid) VALUES (new.id + {_FIRST}) ON CONFLICT DO NOTHING; END
    """,
    "DELETE FROM search_pending",
    # Every kind, from its first row on; one without rows is done with at once.
    """
    INSERT OR REPLACE INTO search_fill (kind, after_id)
    VALUES (1, -1), (2, -1), (3, -1), (4, -1), (5, -1), (6, -1), (7, -1)
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Replace the index by an empty one, and have messages searched by conversation and role."""
    sql = "INSERT OR REPLACE INTO search_index_config (k, v) VALUES ('version', ?)"
    with suppress(sqlite3.OperationalError):  # where somebody dropped the index
        connection.execute(sql, (_FTS5_VERSION,))
    for statement in STATEMENTS:
        connection.execute(statement)
