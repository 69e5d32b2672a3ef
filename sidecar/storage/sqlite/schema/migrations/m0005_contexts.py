"""Processed contexts, what todos mean, and the vectors of both: 32-bit floats, little-endian, in plain tables.

Callers know a context by its `context_id`; its `id` is the row's own, as everywhere.
"""

import sqlite3

from sidecar.storage.sqlite.schema.migrations.m0004_search import SearchedTable, search_rows_of

NOW = "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"


def migrate(connection: sqlite3.Connection) -> None:
    """Add them."""
    for statement in STATEMENTS:
        connection.execute(statement)
    search_rows_of(connection, SEARCHED)


STATEMENTS = (
    f"""
    CREATE TABLE processed_contexts (
        id INTEGER PRIMARY KEY,
        context_id TEXT NOT NULL UNIQUE,
        context_type TEXT NOT NULL,
        title TEXT,
        summary TEXT,
        keywords JSON TEXT NOT NULL DEFAULT '[]',
        entities JSON TEXT NOT NULL DEFAULT '[]',
        confidence REAL,
        importance REAL,
        create_time DATETIME NOT NULL DEFAULT {NOW},
        event_time DATETIME NOT NULL DEFAULT {NOW},
        update_time DATETIME NOT NULL DEFAULT {NOW},
        call_count INTEGER NOT NULL DEFAULT 0,
        merge_count INTEGER NOT NULL DEFAULT 0,
        duration_count INTEGER NOT NULL DEFAULT 1,
        source TEXT,
        raw_type TEXT,
        raw_id TEXT,
        text TEXT NOT NULL DEFAULT '',
        metadata JSON TEXT NOT NULL DEFAULT '{{}}'
    )
    """,
    # Also how a type's rows are counted, and read in the order in which they were made.
    "CREATE INDEX idx_processed_contexts_type ON processed_contexts (context_type)",
    "CREATE INDEX idx_processed_contexts_create_time ON processed_contexts (context_type, create_time)",
    """
    CREATE TABLE context_vectors (
        id INTEGER PRIMARY KEY REFERENCES processed_contexts (id) ON DELETE CASCADE,
        vector BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE todo_embeddings (
        todo_id INTEGER PRIMARY KEY REFERENCES todo (id) ON DELETE CASCADE,
        content TEXT NOT NULL,
        vector BLOB NOT NULL,
        metadata JSON TEXT NOT NULL DEFAULT '{}'
    )
    """,
    # The dimension, and the model where it is known, that all vectors of a context type, or of todos, have.
    """
    CREATE TABLE vector_collections (
        name TEXT NOT NULL PRIMARY KEY,
        dimension INTEGER NOT NULL,
        model TEXT
    ) WITHOUT ROWID
    """,
)

SEARCHED = SearchedTable(
    7,
    "processed_contexts",
    ("title", "summary", "text", "keywords"),
    title="coalesce(title, '')",
    content="(coalesce(summary || char(10), '') || text)",
    tags="keywords",
)
