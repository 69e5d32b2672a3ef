"""Histories of other programs: external ids, content in parts, and the model, tokens and cost of messages.

The new columns are empty everywhere, so adding them changes no row. The indexes are made in one pass over the messages
each.
"""

import sqlite3
from collections.abc import Mapping

from sidecar.storage.sqlite.schema.migrations import m0010_guards

_TIME = f"GLOB '{'-'.join(('[0-9]' * 4, '[0-9]' * 2, '[0-9]' * 2))}T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z'"
_OBJECT = """(metadata IS NULL OR (
    metadata >= '{' AND metadata < '|' AND NOT metadata GLOB '*[0-9][eE][+0-9][0-9][0-9]*'
    AND NOT metadata GLOB '*\\u[dD][89abAB]*'
))"""

_DETAILS = """(coalesce(parts, prompt_tokens, completion_tokens, cost) IS NULL OR (
    (parts IS NULL OR (
        parts >= '[' AND parts < '\\' AND NOT parts GLOB '*[0-9][eE][+0-9][0-9][0-9]*'
        AND NOT parts GLOB '*\\u[dD][89abAB]*'
    ))
    AND (prompt_tokens IS NULL OR (typeof(prompt_tokens) = 'integer' AND prompt_tokens BETWEEN 0 AND 1000000000000))
    AND (completion_tokens IS NULL
        OR (typeof(completion_tokens) = 'integer' AND completion_tokens BETWEEN 0 AND 1000000000000))
    AND (cost IS NULL OR (typeof(cost) = 'real' AND cost BETWEEN 0 AND 1000000000000))
))"""

ODD_MESSAGE = f"""NOT coalesce(
    {_OBJECT} AND typeof(conversation_id) = 'integer' AND role IN (
        'user', 'assistant', 'system', 'tool', 'developer', 'function'
    )
    AND status IN ('pending', 'streaming', 'completed', 'failed', 'cancelled')
    AND created_at {_TIME} AND updated_at {_TIME} AND (completed_at IS NULL OR completed_at {_TIME})
    AND typeof(token_count) = 'integer' AND token_count >= 0 AND typeof(latency_ms) IN ('integer', 'null')
    AND (parent_message_id IS NULL OR CAST(CAST(parent_message_id AS INTEGER) AS TEXT) = parent_message_id)
    AND {_DETAILS}, 0)"""

USED = "(model IS NOT NULL OR prompt_tokens IS NOT NULL OR completion_tokens IS NOT NULL OR cost IS NOT NULL)"

_NO_TOKENS = "{c} IS NOT NULL AND NOT (typeof({c}) = 'integer' AND {c} BETWEEN 0 AND 1000000000000)"
_NO_COST = "{c} IS NOT NULL AND NOT (typeof({c}) = 'real' AND {c} BETWEEN 0 AND 1000000000000)"
_GUARDED = {
    "prompt_tokens": (_NO_TOKENS, "a whole number from 0 to 1000000000000"),
    "completion_tokens": (_NO_TOKENS, "a whole number from 0 to 1000000000000"),
    "cost": (_NO_COST, "a number from 0 to 1000000000000"),
}


def migrate(connection: sqlite3.Connection) -> None:
    """Add the columns, the indexes and the guards."""
    for table, column in COLUMNS:
        _make_room(connection, table, column.split()[0])
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    for statement in STATEMENTS:
        connection.execute(statement)
    _guard_inserts(connection)
    _guard_changes(connection)


def _guard_inserts(connection: sqlite3.Connection) -> None:
    """Extend the guard of inserted messages: a second trigger would cost every insert more."""
    (messages,) = (guarded for guarded in m0010_guards.GUARDED if guarded.table == "messages")
    head, body = m0010_guards.guard_of_inserts(messages).split(" BEGIN\n", 1)
    conditions = {column: f"({refused.format(c=f'new.{column}')})" for column, (refused, _) in _GUARDED.items()}
    connection.execute("DROP TRIGGER IF EXISTS guard_messages_inserted")
    connection.execute(f"{head} OR {' OR '.join(conditions.values())} BEGIN\n{_refusals(conditions)}{body}")


def _guard_changes(connection: sqlite3.Connection) -> None:
    """Guard the columns where they change; a value that is there already may stay."""
    conditions = {
        column: f"({refused.format(c=f'new.{column}')} AND new.{column} IS NOT old.{column})"
        for column, (refused, _) in _GUARDED.items()
    }
    head = f"CREATE TRIGGER guard_messages_usage_changed AFTER UPDATE OF {', '.join(_GUARDED)} ON messages"
    connection.execute(f"{head} WHEN {' OR '.join(conditions.values())} BEGIN\n{_refusals(conditions)}END")


def _refusals(conditions: Mapping[str, str]) -> str:
    return "".join(
        f"SELECT RAISE(ABORT, 'messages.{column} must be {_GUARDED[column][1]}') WHERE {condition};\n"
        for column, condition in conditions.items()
    )


def _make_room(connection: sqlite3.Connection, table: str, name: str) -> None:
    """Rename a column that an adopted database brought along under this name; its values stay."""
    sql = "SELECT lower(name) FROM pragma_table_xinfo(?)"
    taken = {column for (column,) in connection.execute(sql, (table,))}
    if name in taken:
        free = next(free for number in range(len(taken) + 1) if (free := f"adopted_{name}_{number}") not in taken)
        connection.execute(f'ALTER TABLE {table} RENAME COLUMN "{name}" TO "{free}"')


COLUMNS = (
    ("conversations", "source TEXT"),
    ("conversations", "external_id TEXT"),
    ("messages", "external_id TEXT"),
    ("messages", "parts JSON TEXT"),
    ("messages", "model TEXT"),
    ("messages", "prompt_tokens INTEGER"),
    ("messages", "completion_tokens INTEGER"),
    ("messages", "cost REAL"),
)

STATEMENTS = (
    """
    CREATE UNIQUE INDEX idx_conversations_external_id
        ON conversations (source, external_id) WHERE external_id IS NOT NULL
    """,
    """
    CREATE UNIQUE INDEX idx_messages_external_id
        ON messages (conversation_id, external_id) WHERE external_id IS NOT NULL
    """,
    # Sums are read from this index alone.
    f"""
    CREATE INDEX idx_messages_usage
        ON messages (created_at, model, conversation_id, prompt_tokens, completion_tokens, cost) WHERE {USED}
    """,
    "DROP INDEX IF EXISTS idx_messages_odd",
    f"CREATE INDEX idx_messages_odd ON messages (id) WHERE {ODD_MESSAGE}",
)
