"""A store to damage: rows of every kind, tables of several levels, long rows, free pages, and an older state of each
page."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.recovery import damaged_reader
from sidecar.storage.sqlite.schema import catalog

from ..reading.populated import populate
from ..reading.stores import opened

PAGE = 4096

Rows = dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]
"""The rows of each table by their keys."""

_COPIES = {
    "vaults": "title, content, tags, created_at, updated_at",
    "todo": "content, created_at, status, urgency, reason",
    "tips": "content, created_at",
    "activity": "title, content, resources, start_time, end_time",
    "messages": "conversation_id, role, content, status, created_at, updated_at",
    "message_thinking": "message_id, content, created_at",
    "exchanges": "chat_id, model, request, cost, start",
}
"""Tables that are filled with copies of their rows, and the columns that are copied."""

_NUMBERED = {
    "imported_rows": ("kind, identity, row_id", "'tips', CAST(printf('%016d', n * 7919 % 100003) AS BLOB), n"),
    "message_chunks": (
        "message_id, sequence, content, token_count, total_bytes",
        "(SELECT max(id) FROM messages), n, 'chunk ' || n, 1, n",
    ),
    "idempotency_keys": (
        "key, fingerprint, result, created_at",
        "'key ' || n, CAST(printf('%016d', n) AS BLOB), '{}', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
    ),
    "processed_contexts": (
        "context_id, context_type, title, text",
        "'context ' || n, 'entity', 'title ' || n, printf('%080d', n)",
    ),
    "chats": ("id, initial_request", "'chat ' || n, printf('%060d', n)"),
    "monitoring_token_usage": (
        "time_bucket, model, prompt_tokens",
        "strftime('%Y-%m-%dT%H:00:00.000Z', '2026-01-01', n || ' hours'), 'model', n",
    ),
}
"""Tables that are filled with numbered rows: their columns, and the values of the row with number `n`."""

_DEPENDENT = (
    "INSERT OR IGNORE INTO context_vectors SELECT id, CAST(printf('%064d', id) AS BLOB) FROM processed_contexts",
    "INSERT OR IGNORE INTO todo_embeddings (todo_id, content, vector) SELECT id, content, zeroblob(64) FROM todo",
    "INSERT OR IGNORE INTO chat_histories (chat_id, messages) SELECT id, '[1, 2, 3]' FROM chats",
)


class Store(NamedTuple):
    """A directory with a closed database, and what it holds."""

    directory: Path
    rows: Rows
    older: bytes
    """The database as it was before its last changes."""


async def make_store(directory: Path) -> Store:
    """Make the store; its backup is as old as `older`."""
    async with opened(directory) as client:
        await populate(client)
    file = directory / "sidecar.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for table, columns in _COPIES.items():
            while connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] < 200:
                connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} LIMIT 100")
        numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 400)"
        for table, (columns, values) in _NUMBERED.items():
            connection.execute(f"INSERT INTO {table} ({columns}) {numbers} SELECT {values} FROM numbers")
        for statement in _DEPENDENT:
            connection.execute(statement)
        for length in (1_000, 2_000, 9_000):
            text = " ".join(str(number * 7919) for number in range(length))
            connection.execute("INSERT INTO vaults (title, content) VALUES ('long', ?)", (text,))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        older = file.read_bytes()
        snapshot.make_snapshot(connection, directory / "backups" / "20260101T000000.000Z-schema-1-test.db")
        _change(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Store(directory, rows(file), older)


def _change(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    for table, columns in _COPIES.items():
        connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} LIMIT 40")
    connection.execute("UPDATE tips SET content = 'changed ' || content WHERE id % 10 = 0")
    connection.execute("UPDATE todo SET urgency = urgency + 1 WHERE id % 7 = 0")
    connection.execute("DELETE FROM tips WHERE id % 9 = 0")
    connection.execute(
        "DELETE FROM todo WHERE id BETWEEN 50 AND 120 AND id NOT IN (SELECT todo_id FROM todo_embeddings)"
    )
    connection.execute("DELETE FROM activity WHERE id BETWEEN 20 AND 150")
    connection.execute("COMMIT")


def copied(store: Store, directory: Path) -> Path:
    """A copy of the store; its database."""
    shutil.copytree(store.directory, directory)
    return directory / "sidecar.db"


def rows(file: Path) -> Rows:
    """All rows of a database that nobody has open, but for what belongs to the file itself.

    Rows of a table that declares no key are found by their values: their row ids mean nothing to anybody.
    """
    with closing(damaged_reader.open_damaged(file)) as connection:
        found: Rows = {}
        for table in catalog.tables(connection):
            if table.name == orphans.ORPHANS:
                continue
            read = connection.execute(table.select()).fetchall()
            declared = connection.execute("SELECT 1 FROM pragma_table_info(?) WHERE pk", (table.name,)).fetchone()
            key = slice(len(table.key)) if declared else slice(len(table.key), None)
            found[table.name] = {row[key]: row[key.start or 0 :] for row in read}
        return found


def changed_references(file: Path) -> dict[str, int]:
    """How many rows of each table lost a reference, and have the values that they had kept elsewhere."""
    with closing(damaged_reader.open_damaged(file)) as connection:
        sql = f"SELECT table_name, count(*) FROM {orphans.ORPHANS} WHERE is_carried GROUP BY table_name"
        return dict(connection.execute(sql).fetchall())
