"""The tables into which odd rows are written: for each a sound row, and which values its columns may have instead."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sidecar.clock import SYSTEM_CLOCK
from sidecar.storage.sqlite.schema import upgrade

from .odd_values import (
    ANY_JSON,
    ARRAYS,
    BY_DECLARED_TYPE,
    IDS,
    INTEGERS,
    OPEN,
    REFERENCES,
    TEXTS,
    TIMES,
    VECTORS,
    OddValue,
    choices,
)

VECTOR = "x'0000803f0000003f000080be00000000'"
TIME = "'2026-02-01T00:00:00.000Z'"
FIRST = 1_000
"""Odd rows have ids from here on; sound ones have smaller ids."""


@dataclass(frozen=True)
class OddTable:
    """One table. In SQL, `{n}` stands for the number of the odd row."""

    model: str
    """What its rows are in answers."""
    row: Mapping[str, str]
    """Columns of a sound row, as SQL."""
    key: str = "id"
    before: tuple[str, ...] = ()
    """Statements that make what the row belongs to."""
    after: tuple[str, ...] = ()
    """Statements that make what belongs to the row."""
    values: Mapping[str, tuple[OddValue, ...]] = field(default_factory=dict)
    """For columns whose declared type does not say it."""


class OddRow(NamedTuple):
    """A row with one odd value, as it was inserted."""

    table: str
    column: str
    value: OddValue
    key: int | str

    def __repr__(self) -> str:
        return f"{self.table}.{self.column} = {self.value.sql[:60]}"


PARENTS = (
    f"INSERT INTO vaults (id, title, is_folder) VALUES ({FIRST - 1}, 'For odd rows', 1)",
    f"INSERT INTO conversations (id, page_name) VALUES ({FIRST - 1}, 'for odd rows')",
    f"INSERT INTO messages (id, conversation_id, role, status) VALUES ({FIRST - 1}, {FIRST - 1}, 'user', 'completed')",
    "INSERT INTO chats (id) VALUES ('for odd rows')",
)
"""What odd rows belong to, so that no sound row reads differently because of them."""

_MODEL_HOUR = {"time_bucket": TIME, "created_at": TIME}


def _unlisted(values: tuple[OddValue, ...]) -> tuple[OddValue, ...]:
    return tuple(OddValue(value.sql, value.read_as, may_be_unlisted=True) for value in values)


# The time of an hour says whether it lies in the window.
_MONITORED = {"id": IDS, "time_bucket": _unlisted(TIMES), "metadata": ANY_JSON}
_CONTEXT = "INSERT INTO processed_contexts (id, context_id, context_type) VALUES ({n}, 'odd-{n}', 'state')"

ODD_TABLES: dict[str, OddTable] = {
    "vaults": OddTable(
        "Vault",
        {"id": "{n}", "title": "'odd {n}'", "content": "'word'", "parent_id": f"{FIRST - 1}", "created_at": TIME},
        values={
            "id": IDS,
            # Itself, the next row (which lies in this one), a document, and none.
            "parent_id": (OddValue("{n}"), OddValue("{n} + 1"), OddValue("{n} - 1"), OddValue("2"), *REFERENCES),
            "deleted_with": (OddValue("{n}"), *REFERENCES),
        },
    ),
    "todo": OddTable(
        "Todo",
        {"id": "{n}", "content": "'word'", "created_at": TIME},
        values={"id": IDS, "status": choices("2", "-1", "'open'", "0.5")},
    ),
    "activity": OddTable(
        "Activity",
        {"id": "{n}", "title": "'odd'", "content": "'word'", "start_time": TIME, "end_time": TIME},
        values={"id": IDS, "resources": ANY_JSON},
    ),
    "tips": OddTable("Tip", {"id": "{n}", "content": "'word'", "created_at": TIME}, values={"id": IDS}),
    "conversations": OddTable(
        "Conversation",
        {"id": "{n}", "page_name": "'odd'", "title": "'word'", "created_at": TIME, "updated_at": TIME},
        values={
            "id": IDS,
            "status": choices("'gone'", "1"),
            "restored_status": choices("'gone'", "1"),
            "tags": (OddValue("' b, ,a,,b '", ["b", "a"]), *(OddValue(value.sql) for value in TEXTS)),
        },
    ),
    "messages": OddTable(
        "Message",
        {
            "id": "{n}",
            "conversation_id": f"{FIRST - 1}",
            "role": "'user'",
            "content": "'word'",
            "status": "'completed'",
            "created_at": TIME,
            "updated_at": TIME,
        },
        values={
            "id": IDS,
            "conversation_id": REFERENCES,
            "role": (*choices("'narrator'", "1"), OddValue("'USER'", "user")),
            "status": choices("'done'", "1"),
            "parts": ARRAYS,
            "parent_message_id": (OddValue("'{n}'"), OddValue("'1'"), OddValue("'x'"), OddValue("x'00'")),
        },
    ),
    "message_thinking": OddTable(
        "MessageThinking",
        {"id": "{n}", "message_id": f"{FIRST - 1}", "content": "'word'", "created_at": TIME},
        values={"id": IDS, "message_id": REFERENCES},
    ),
    "message_chunks": OddTable(
        "Message",
        {"message_id": "{n}", "sequence": "0", "content": "'word'", "token_count": "1"},
        key="message_id",
        before=(
            f"""
            INSERT INTO messages (id, conversation_id, role, status, created_at)
            VALUES ({{n}}, {FIRST - 1}, 'assistant', 'streaming', {TIME})
            """,
        ),
        # The start finishes the message, and keeps the chunk's values among the rows set aside.
        values={"message_id": (), "token_count": tuple(OddValue(value.sql) for value in INTEGERS)},
    ),
    "chats": OddTable(
        "ConversationThread",
        {"id": "'odd-{n}'", "created_at": TIME, "updated_at": TIME},
        values={"id": _unlisted(TEXTS)},
    ),
    "chat_histories": OddTable(
        "ConversationState",
        {"chat_id": "'odd-{n}'", "updated_at": TIME},
        key="chat_id",
        before=("INSERT INTO chats (id) VALUES ('odd-{n}')",),
        values={"chat_id": (), "messages": ARRAYS},
    ),
    "exchanges": OddTable(
        "Exchange",
        {"exchange_id": "{n}", "chat_id": "'for odd rows'", "model": "'m'", "request": "'word'", "start": TIME},
        key="exchange_id",
        values={"exchange_id": IDS, "chat_id": REFERENCES},
    ),
    "jobs": OddTable(
        "Job",
        {"id": "{n}", "name": "'odd-{n}'", "status": "'done'", "created_at": TIME},
        values={"id": IDS, "status": choices("'gone'", "1"), "result": ANY_JSON},
    ),
    "preferences": OddTable(
        "Preference",
        {"id": "'app/odd-{n}'", "value": "'1'", "updated_at": TIME},
        values={"id": _unlisted(TEXTS), "value": ANY_JSON, "updated_at": TIMES},
    ),
    "processed_contexts": OddTable(
        "ProcessedContext",
        {"id": "{n}", "context_id": "'odd-{n}'", "context_type": "'state'", "text": "'word'", "create_time": TIME},
        key="context_id",
        after=(f"INSERT INTO context_vectors (id, vector) VALUES ({{n}}, {VECTOR})",),
        values={
            "id": (),
            "context_id": _unlisted(TEXTS),
            "context_type": tuple(
                OddValue(value.sql, OPEN, may_be_unlisted=True) for value in (*TEXTS, OddValue("'dream'"))
            ),
            "keywords": ARRAYS,
            "entities": ARRAYS,
        },
    ),
    "context_vectors": OddTable(
        "ProcessedContext", {"id": "{n}", "vector": VECTOR}, before=(_CONTEXT,), values={"id": ()}
    ),
    "todo_embeddings": OddTable(
        "SimilarTodo",
        {"todo_id": "{n}", "content": "'word'", "vector": VECTOR},
        key="todo_id",
        before=("INSERT INTO todo (id, content) VALUES ({n}, 'word')",),
        # A search by meaning finds no row without one.
        values={"todo_id": (), "vector": _unlisted(VECTORS)},
    ),
    "monitoring_token_usage": OddTable(
        "TokenUsage", {"id": "{n}", "model": "'odd-{n}'", **_MODEL_HOUR}, values=_MONITORED
    ),
    "monitoring_stage_timing": OddTable(
        "StageTiming", {"id": "{n}", "stage_name": "'odd-{n}'", **_MODEL_HOUR}, values=_MONITORED
    ),
    "monitoring_data_stats": OddTable(
        "DataStats", {"id": "{n}", "data_type": "'odd-{n}'", **_MODEL_HOUR}, values=_MONITORED
    ),
    "monitoring_runs": OddTable(
        "ProcessorRun",
        {"id": "{n}", "processor_name": "'odd-{n}'", "start_time": TIME, "end_time": TIME},
        values={
            "id": IDS,
            "start_time": _unlisted(TIMES),
            "status": choices("'lost'", "1"),
        },
    ),
}

NOT_READ = {
    "adopted_orphans": "Its rows are written by this program alone.",
    "conversation_tags": "Triggers keep it; answers hold the tags of the conversations.",
    "monitoring_errors": "Answers hold totals of its rows; tests/storage/test_monitoring_runs.py writes odd ones.",
    "monitoring_session": "Answers hold its only row; tests/storage/test_monitoring_session.py writes an odd one.",
    "adoptions": "Its rows are written by this program alone.",
    "guard_values": "Rows exist only within a statement.",
    "idempotency_keys": "No read operation answers with it.",
    "import_ids": "Rows exist only within a transaction.",
    "imported_rows": "No read operation answers with it.",
    "schema_migrations": "Its rows are written by this program alone.",
    "search_fill": "Belongs to the search index.",
    "search_format": "Belongs to the search index.",
    "search_pending": "Belongs to the search index.",
    "store_identity": "No read operation answers with it.",
    "task_runs": "No read operation answers with it; tests/extension/test_tasks.py writes an odd one.",
    "vector_collections": "No read operation answers with it.",
}


def columns() -> dict[str, dict[str, str]]:
    """The declared types of the columns of every table of a new store."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        upgrade.bring_up_to_date(connection, None, lambda *_: None, clock=SYSTEM_CLOCK)
        names = connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        return {name: {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({name})")} for (name,) in names}


def odd_values(table: str) -> Iterator[tuple[str, OddValue]]:
    """Every column of the table with every odd value that it may have."""
    for column, declared in columns()[table].items():
        for value in ODD_TABLES[table].values.get(column, BY_DECLARED_TYPE[declared]):
            yield column, value


def insert(connection: sqlite3.Connection, table: str, odd: Mapping[str, OddValue], number: int) -> int | str | None:
    """Insert a row with these odd values; returns its key, or `None` where the schema refuses it."""
    spec = ODD_TABLES[table]
    row = {**spec.row, **{column: value.sql for column, value in odd.items()}}
    names, values = ", ".join(f'"{name}"' for name in row), ", ".join(row.values())
    statements = (*spec.before, f"INSERT INTO {table} ({names}) VALUES ({values})", *spec.after)
    connection.text_factory = lambda text: text.decode(errors="backslashreplace")
    connection.execute("BEGIN")
    try:
        for statement in statements:
            connection.execute(statement.replace("{n}", f"{number}"))
    except sqlite3.IntegrityError:
        connection.execute("ROLLBACK")
        return None
    connection.execute("COMMIT")
    (key,) = connection.execute(f"SELECT {row[spec.key]}".replace("{n}", f"{number}")).fetchone()
    return _key(key)


def _key(key: Any) -> int | str:
    return key if isinstance(key, int | str) else repr(key)
