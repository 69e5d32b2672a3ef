"""Every table, column, foreign key and index that `sqlite-backend.md` names, and what this project needs beside them.

Ours are: `vaults.deleted_with` (the vault whose deletion took this one along), `idempotency_keys`, the unique indexes
that upserts rely on, and the columns by which an index named by the seed continues, so that a list is read in its order
from the index alone. Times are text in UTC, `2026-01-31T09:30:00.000Z`, whoever inserts the row.

JSON columns are declared `JSON TEXT`: with `JSON` alone SQLite would turn the JSON text `1.0` into the integer 1
(https://sqlite.org/datatype3.html, "Determination Of Column Affinity").
"""

import sqlite3

NOW = "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"


def migrate(connection: sqlite3.Connection) -> None:
    """Create all of it in an empty database."""
    for statement in (*TABLES, *INDEXES):
        connection.execute(statement)


TABLES = (
    f"""
    CREATE TABLE vaults (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        summary TEXT,
        content TEXT NOT NULL DEFAULT '',
        tags TEXT NOT NULL DEFAULT '',
        parent_id INTEGER REFERENCES vaults (id),
        is_folder BOOLEAN NOT NULL DEFAULT 0,
        is_deleted BOOLEAN NOT NULL DEFAULT 0,
        created_at DATETIME NOT NULL DEFAULT {NOW},
        updated_at DATETIME NOT NULL DEFAULT {NOW},
        document_type TEXT NOT NULL DEFAULT 'Note',
        sort_order INTEGER NOT NULL DEFAULT 0,
        deleted_with INTEGER
    )
    """,
    f"""
    CREATE TABLE todo (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        content TEXT NOT NULL,
        created_at DATETIME NOT NULL DEFAULT {NOW},
        start_time DATETIME,
        end_time DATETIME,
        status INTEGER NOT NULL DEFAULT 0,
        urgency INTEGER NOT NULL DEFAULT 0,
        assignee TEXT,
        reason TEXT
    )
    """,
    f"""
    CREATE TABLE activity (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        content TEXT NOT NULL DEFAULT '',
        resources JSON TEXT,
        metadata JSON TEXT,
        start_time DATETIME NOT NULL DEFAULT {NOW},
        end_time DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    f"""
    CREATE TABLE tips (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        content TEXT NOT NULL,
        created_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    f"""
    CREATE TABLE conversations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT,
        user_id TEXT,
        page_name TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'active',
        metadata JSON TEXT,
        created_at DATETIME NOT NULL DEFAULT {NOW},
        updated_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    f"""
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        parent_message_id TEXT,
        role TEXT NOT NULL,
        content TEXT NOT NULL DEFAULT '',
        status TEXT NOT NULL DEFAULT 'pending',
        token_count INTEGER NOT NULL DEFAULT 0,
        metadata JSON TEXT,
        latency_ms INTEGER,
        error_message TEXT,
        completed_at DATETIME,
        created_at DATETIME NOT NULL DEFAULT {NOW},
        updated_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    f"""
    CREATE TABLE message_thinking (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        content TEXT NOT NULL,
        stage TEXT,
        progress REAL NOT NULL DEFAULT 0.0,
        sequence INTEGER NOT NULL DEFAULT 0,
        metadata JSON TEXT,
        created_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    f"""
    CREATE TABLE monitoring_token_usage (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time_bucket TEXT NOT NULL,
        model TEXT NOT NULL,
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        total_tokens INTEGER NOT NULL DEFAULT 0,
        created_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    f"""
    CREATE TABLE monitoring_stage_timing (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time_bucket TEXT NOT NULL,
        stage_name TEXT NOT NULL,
        count INTEGER NOT NULL DEFAULT 0,
        total_duration_ms INTEGER NOT NULL DEFAULT 0,
        min_duration_ms INTEGER,
        max_duration_ms INTEGER,
        avg_duration_ms INTEGER,
        success_count INTEGER NOT NULL DEFAULT 0,
        error_count INTEGER NOT NULL DEFAULT 0,
        metadata TEXT,
        created_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    f"""
    CREATE TABLE monitoring_data_stats (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time_bucket TEXT NOT NULL,
        data_type TEXT NOT NULL,
        count INTEGER NOT NULL DEFAULT 0,
        context_type TEXT,
        metadata TEXT,
        created_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    f"""
    CREATE TABLE idempotency_keys (
        key TEXT NOT NULL PRIMARY KEY,
        fingerprint BLOB NOT NULL,
        result TEXT NOT NULL,
        created_at DATETIME NOT NULL DEFAULT {NOW}
    ) WITHOUT ROWID
    """,
)

INDEXES = (
    "CREATE INDEX idx_vaults_created_at ON vaults (created_at)",
    "CREATE INDEX idx_vaults_document_type ON vaults (document_type, is_deleted, created_at)",
    "CREATE INDEX idx_vaults_is_folder ON vaults (is_folder, is_deleted, sort_order)",
    "CREATE INDEX idx_vaults_is_deleted ON vaults (is_deleted, created_at)",
    "CREATE INDEX idx_vaults_updated_at ON vaults (is_deleted, updated_at)",
    "CREATE INDEX idx_vaults_parent_id ON vaults (parent_id, is_deleted, sort_order)",
    "CREATE INDEX idx_vaults_title ON vaults (title, is_deleted, created_at)",
    "CREATE INDEX idx_vaults_deleted_with ON vaults (deleted_with) WHERE deleted_with IS NOT NULL",
    "CREATE INDEX idx_vaults_reports ON vaults (is_deleted, created_at) WHERE document_type != 'Note'",
    "CREATE INDEX idx_todo_status ON todo (status, created_at)",
    "CREATE INDEX idx_todo_urgency ON todo (urgency)",
    "CREATE INDEX idx_todo_created_at ON todo (created_at)",
    "CREATE INDEX idx_activity_time ON activity (start_time, end_time)",
    "CREATE INDEX idx_tips_created_at ON tips (created_at)",
    "CREATE INDEX idx_conversations_updated_at ON conversations (updated_at DESC)",
    "CREATE INDEX idx_conversations_user_page ON conversations (user_id, page_name)",
    "CREATE INDEX idx_messages_created_at ON messages (created_at)",
    "CREATE INDEX idx_messages_status ON messages (status)",
    "CREATE INDEX idx_messages_conversation_id ON messages (conversation_id)",
    "CREATE INDEX idx_message_thinking_message_id ON message_thinking (message_id, sequence)",
    "CREATE INDEX idx_token_usage_model ON monitoring_token_usage (model)",
    "CREATE UNIQUE INDEX idx_token_usage_time_bucket ON monitoring_token_usage (time_bucket, model)",
    "CREATE INDEX idx_stage_timing_stage_name ON monitoring_stage_timing (stage_name)",
    "CREATE UNIQUE INDEX idx_stage_timing_time_bucket ON monitoring_stage_timing (time_bucket, stage_name)",
    "CREATE INDEX idx_data_stats_data_type ON monitoring_data_stats (data_type)",
    # Two NULLs never conflict: an index on the bare column would let rows without a context type pile up.
    """
    CREATE UNIQUE INDEX idx_data_stats_time_bucket
        ON monitoring_data_stats (time_bucket, data_type, coalesce(context_type, ''))
    """,
)
