"""Chunks of streamed messages, conversation states by thread, and the indexes by which conversations are listed.

`chats`, `chat_histories` and `exchanges` are the tables of `sqlite-persistence.md`, under its names.
"""

import sqlite3

NOW = "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"


def migrate(connection: sqlite3.Connection) -> None:
    """Add them."""
    for statement in STATEMENTS:
        connection.execute(statement)


STATEMENTS = (
    # Which status a deleted conversation had, and gets back.
    "ALTER TABLE conversations ADD COLUMN restored_status TEXT",
    "CREATE INDEX idx_conversations_status ON conversations (status, updated_at)",
    "CREATE INDEX idx_conversations_page ON conversations (page_name, updated_at)",
    "CREATE INDEX idx_conversations_user ON conversations (user_id, updated_at)",
    """
    CREATE TABLE message_chunks (
        message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        sequence INTEGER NOT NULL,
        content TEXT NOT NULL,
        token_count INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (message_id, sequence)
    ) WITHOUT ROWID
    """,
    f"""
    CREATE TABLE chats (
        id TEXT NOT NULL PRIMARY KEY,
        initial_request TEXT,
        project_root TEXT,
        current_issue TEXT,
        metadata JSON TEXT,
        created_at DATETIME NOT NULL DEFAULT {NOW},
        updated_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    "CREATE INDEX idx_chats_updated_at ON chats (updated_at)",
    f"""
    CREATE TABLE chat_histories (
        chat_id TEXT NOT NULL PRIMARY KEY REFERENCES chats (id) ON DELETE CASCADE,
        messages JSON TEXT NOT NULL DEFAULT '[]',
        cache_info JSON TEXT NOT NULL DEFAULT '{{}}',
        updated_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    f"""
    CREATE TABLE exchanges (
        exchange_id INTEGER PRIMARY KEY AUTOINCREMENT,
        chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
        model TEXT NOT NULL,
        request TEXT NOT NULL,
        cost JSON TEXT NOT NULL DEFAULT '{{}}',
        start DATETIME NOT NULL DEFAULT {NOW},
        "end" DATETIME
    )
    """,
    "CREATE INDEX idx_exchanges_chat_id ON exchanges (chat_id)",
)
