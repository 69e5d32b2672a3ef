"""Conversations in folders, with tags and pins; errors, runs and session counters of monitoring.

The tags of a conversation are one text with commas between them. `conversation_tags` is the index of it: a row for each
tag, kept by triggers, so that it is right whichever program writes the text. The triggers do without the functions for
JSON and without a recursive query, which an SQLite of 2020 need not have or does not take in a trigger.
"""

import sqlite3

from sidecar.storage.sqlite.schema.migrations.m0010_guards import Guarded, add_for

NOW = "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"


def migrate(connection: sqlite3.Connection) -> None:
    """Add the columns with their indexes, the index of tags, the tables, and the guards of all."""
    for statement in (*COLUMNS, *TAGS, *INDEXES, *MONITORING):
        connection.execute(statement)
    for guarded, subject in GUARDED:
        add_for(connection, guarded, subject)


COLUMNS = (
    "ALTER TABLE conversations ADD COLUMN folder TEXT",
    "ALTER TABLE conversations ADD COLUMN tags TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE conversations ADD COLUMN is_pinned BOOLEAN NOT NULL DEFAULT 0",
)

INDEXES = (
    # Partial: a conversation in no folder costs nothing when a message moves it to the top of the list.
    """
    CREATE INDEX idx_conversations_folder ON conversations (folder, updated_at, status)
        WHERE folder IS NOT NULL
    """,
    "CREATE INDEX idx_conversations_pinned ON conversations (is_pinned, updated_at)",
    "CREATE INDEX idx_conversations_created_at ON conversations (created_at, status)",
)

_PLACES = ", ".join(f"({place})" for place in range(64))
_AT = "(64 * block.column1 + place.column1 + 1)"
"""SQL for each place in a text of up to 4,096 characters."""
_TAG = f"trim(substr(new.tags, {_AT}, instr(substr(new.tags || ',', {_AT}), ',') - 1))"
"""SQL for the text from a place to the next comma."""

_FORGET = "DELETE FROM conversation_tags WHERE conversation_id"
_NOTE = f"""
    INSERT INTO conversation_tags (tag, conversation_id)
    SELECT DISTINCT {_TAG}, new.id FROM (VALUES {_PLACES}) AS block CROSS JOIN (VALUES {_PLACES}) AS place
    WHERE 64 * block.column1 < length(new.tags) AND substr(',' || new.tags, {_AT}, 1) = ',' AND {_TAG} != ''
"""

TAGS = (
    """
    CREATE TABLE conversation_tags (
        tag TEXT NOT NULL,
        conversation_id INTEGER NOT NULL,
        PRIMARY KEY (tag, conversation_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX idx_conversation_tags_conversation ON conversation_tags (conversation_id)",
    # A row that REPLACE removes fires no trigger. Where the new row has no tags, the old ones stay here, and are not
    # looked for: asking for them at every insert would cost more.
    f"""
    CREATE TRIGGER conversation_tags_inserted AFTER INSERT ON conversations WHEN new.tags != '' BEGIN
        {_FORGET} = new.id;
        {_NOTE};
    END
    """,
    f"""
    CREATE TRIGGER conversation_tags_changed AFTER UPDATE OF tags, id ON conversations
    WHEN new.tags IS NOT old.tags OR new.id != old.id BEGIN
        {_FORGET} IN (old.id, new.id);
        {_NOTE};
    END
    """,
    f"""
    CREATE TRIGGER conversation_tags_deleted AFTER DELETE ON conversations
    BEGIN
        {_FORGET} = old.id;
    END
    """,
)

SESSION_COUNTERS = (
    *("model_calls", "prompt_tokens", "completion_tokens", "total_tokens", "stage_runs", "stage_errors"),
    *("data_count", "processor_runs", "processor_errors", "errors"),
)

MONITORING = (
    f"""
    CREATE TABLE monitoring_errors (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time_bucket TEXT NOT NULL,
        stage_name TEXT NOT NULL,
        message TEXT NOT NULL,
        count INTEGER NOT NULL DEFAULT 0,
        created_at DATETIME NOT NULL DEFAULT {NOW},
        updated_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    "CREATE UNIQUE INDEX idx_errors_time_bucket ON monitoring_errors (time_bucket, stage_name, message)",
    f"""
    CREATE TABLE monitoring_runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        processor_name TEXT NOT NULL,
        start_time DATETIME NOT NULL,
        end_time DATETIME NOT NULL,
        status TEXT NOT NULL DEFAULT 'success',
        counts JSON TEXT,
        error_message TEXT,
        created_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
    "CREATE INDEX idx_runs_start_time ON monitoring_runs (start_time)",
    "CREATE INDEX idx_runs_processor_name ON monitoring_runs (processor_name, start_time)",
    f"""
    CREATE TABLE monitoring_session (
        id INTEGER PRIMARY KEY,
        {", ".join(f"{name} INTEGER NOT NULL DEFAULT 0" for name in SESSION_COUNTERS)},
        started_at DATETIME NOT NULL DEFAULT {NOW}
    )
    """,
)

GUARDED = (
    (Guarded("conversations", booleans="is_pinned"), "organised"),
    (Guarded("monitoring_errors", "time_bucket created_at updated_at", counts="count"), "all"),
    (Guarded("monitoring_runs", "start_time end_time created_at"), "all"),
    (Guarded("monitoring_session", "started_at", counts=" ".join(SESSION_COUNTERS)), "all"),
)
