"""Every statement of the resources is SQL that PostgreSQL accepts, too, and uses only functions that both have.

PostgreSQL's own parser reads them. They are collected by calling every method of every resource; a statement that no
call reaches fails the test.
"""

import ast
import inspect
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pglast import parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.todos import TodoOrder
from sidecar.storage import resources
from sidecar.storage.interfaces import Connection
from sidecar.storage.resources import message_finish, processed_contexts
from sidecar.storage.resources.all import TABLES, Resources
from sidecar.storage.resources.rows.counting import Condition, count
from sidecar.storage.sqlite.dialect import DIALECT
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.unified import UnifiedStorage

from ..faults.calls import UNITS, Rows, populate
from ..faults.stores import in_memory
from ..support import backend_of

FOLDER = Path(resources.__file__).parent

SHARED_FUNCTIONS = frozenset({"count", "max", "min", "round", "sum"})
"""Functions that SQLite and PostgreSQL both have, with one meaning; `coalesce` is syntax to PostgreSQL."""

TYPES = frozenset({"int4", "text"})
"""The names that PostgreSQL's parser has for `INTEGER` and `TEXT`."""

FROM, TO = "2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"
Call = Callable[[UnifiedStorage, Rows], Awaitable[Any]]


async def the_next_page(list_page: Callable[..., Awaitable[Any]], *values: Any) -> None:
    """Read the first page with a total, and the second by its cursor."""
    first = await list_page(*values, limit=1, with_total=True)
    await list_page(*values, limit=1, cursor=first.next_cursor)


READS: Mapping[str, Call] = {
    "get_vaults": lambda store, _: the_next_page(store.get_vaults),
    "get_vaults, filtered": lambda store, _: store.get_vaults(
        document_type=["Note", "Weekly"],
        is_folder=False,
        parent_id=1,
        title="New",
        created_after=FROM,
        created_before=TO,
        updated_after=FROM,
        updated_before=TO,
    ),
    "get_reports": lambda store, _: store.get_reports(),
    "get_folders": lambda store, _: store.get_folders(),
    "get_children": lambda store, _: store.get_children(),
    "get_children of a folder": lambda store, rows: store.get_children(rows.folder),
    "get_vault": lambda store, rows: store.get_vault(rows.vault),
    "get_todos": lambda store, _: the_next_page(store.get_todos),
    "get_todos, filtered": lambda store, _: store.get_todos(
        0, start_time=FROM, end_time=TO, created_after=FROM, completed_before=TO
    ),
    "get_todos, by deadline": lambda store, _: the_next_page(partial(store.get_todos, order=TodoOrder.END_TIME)),
    "get_todo": lambda store, rows: store.get_todo(rows.todo),
    "get_activities": lambda store, _: store.get_activities(FROM, TO),
    "get_activities, contained": lambda store, _: store.get_activities(FROM, TO, window="contain", order="start_time"),
    "get_activities, overlapping": lambda store, _: store.get_activities(FROM, TO, window="overlap"),
    "get_activity": lambda store, _: store.get_activity(1),
    "get_latest_activity": lambda store, _: store.get_latest_activity(),
    "get_activity_counts": lambda store, _: store.get_activity_counts(date(2026, 1, 1), date(2026, 1, 2)),
    "get_tips": lambda store, _: store.get_tips(FROM, TO),
    "get_tip": lambda store, rows: store.get_tip(rows.tip),
    "get_conversation": lambda store, rows: store.get_conversation(rows.conversation),
    "get_conversation_list": lambda store, _: the_next_page(store.get_conversation_list),
    "get_conversation_list, filtered": lambda store, _: store.get_conversation_list(
        page_name="home",
        user_id="ada",
        status=["active", "archived"],
        created_after=FROM,
        updated_before=TO,
        folder="work",
        tag=["a", "b"],
        is_pinned=True,
    ),
    "get_conversation_list, pinned first": lambda store, _: store.get_conversation_list(folder="", order="pinned"),
    "get_conversation_count": lambda store, _: store.get_conversation_count(),
    "get_conversation_folders": lambda store, _: store.get_conversation_folders(),
    "get_conversation_tags": lambda store, _: store.get_conversation_tags(),
    "get_daily_counts": lambda store, _: store.get_daily_counts(date(2026, 1, 1), date(2026, 1, 2)),
    "get_todo_counts": lambda store, _: store.get_todo_counts(date(2026, 1, 1), date(2026, 1, 2)),
    "get_vault_counts": lambda store, _: store.get_vault_counts(date(2026, 1, 1), date(2026, 1, 2)),
    "get_conversation_counts": lambda store, _: store.get_conversation_counts(date(2026, 1, 1), date(2026, 1, 2)),
    "get_message": lambda store, rows: store.get_message(rows.message),
    "get_conversation_messages": lambda store, rows: store.get_conversation_messages(rows.conversation),
    "get_message_usage": lambda store, _: store.get_message_usage(["day", "model", "conversation"], FROM, TO, "large"),
    "get_message_usage, of a conversation": lambda store, rows: store.get_message_usage(
        conversation_id=rows.conversation
    ),
    "get_conversation_list, of another program": lambda store, _: store.get_conversation_list(
        source="elsewhere", external_id="c"
    ),
    "get_message_thinking": lambda store, rows: store.get_message_thinking(rows.message),
    "get_conversation_state": lambda store, _: store.get_conversation_state("thread"),
    "get_threads": lambda store, _: store.get_threads(with_total=True),
    "get_thread": lambda store, _: store.get_thread("thread"),
    "get_exchanges": lambda store, _: the_next_page(store.get_exchanges, "thread"),
    "get_preference": lambda store, _: store.get_preference("app", "to delete"),
    "get_preferences": lambda store, _: store.get_preferences("app"),
    "get_task_runs": lambda store, _: store.get_task_runs(),
    "get_thread_cost": lambda store, _: store.get_thread_cost("thread"),
    "query_monitoring_token_usage": lambda store, _: store.query_monitoring_token_usage(),
    "query_monitoring_stage_timing": lambda store, _: store.query_monitoring_stage_timing(),
    "query_monitoring_data_stats": lambda store, _: store.query_monitoring_data_stats(),
    "query_monitoring_data_stats_by_range": lambda store, _: store.query_monitoring_data_stats_by_range(FROM, TO),
    "query_monitoring_data_stats_trend": lambda store, _: store.query_monitoring_data_stats_trend(),
    "query_monitoring_errors": lambda store, _: store.query_monitoring_errors(),
    "query_monitoring_runs": lambda store, _: store.query_monitoring_runs(processor_name="indexer", status="error"),
    "get_monitoring_session": lambda store, _: store.get_monitoring_session(),
    "get_monitoring_totals": lambda store, _: store.get_monitoring_totals(),
    "get_job": lambda store, rows: store.get_job(rows.job),
    "get_jobs": lambda store, _: store.get_jobs(status="queued", name="notes.import"),
    "find_queued_jobs": lambda store, _: store.find_queued_jobs(["notes.import"], [99]),
    "count_queued_jobs": lambda store, _: store.count_queued_jobs(),
    "count_running_jobs": lambda store, _: store.count_running_jobs(),
    "get_database_load": lambda store, _: store.get_database_load(),
    "get_conversation_messages_as_json": lambda store, rows: store.get_conversation_messages_as_json(rows.conversation),
    "append_message_content, again": lambda store, rows: store.append_message_content(
        rows.streaming_too, "begun ", sequence=0
    ),
    "cleanup_old_monitoring_data": lambda store, _: store.cleanup_old_monitoring_data(1),
}
"""Calls of the methods that `UNITS` lacks, and of some with other arguments."""


class Statement(NamedTuple):
    """A statement, and the place in the resources that ran it."""

    file: Path
    line: int
    sql: str


class Recording:
    """A connection that notes the statements that resources run."""

    def __init__(self, connection: sqlite3.Connection, statements: set[Statement]) -> None:
        vars(self).update(_connection=connection, _statements=statements)

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        frame = inspect.currentframe()
        assert frame is not None
        caller = frame.f_back
        assert caller is not None
        file = Path(caller.f_code.co_filename)
        if file.is_relative_to(FOLDER):
            self._statements.add(Statement(file.relative_to(FOLDER), caller.f_lineno, sql))
        cursor: sqlite3.Cursor = self._connection.execute(sql, parameters)
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._connection, name, value)


@pytest.fixture
async def statements(monkeypatch: pytest.MonkeyPatch) -> set[Statement]:
    """Every statement of every method of the resources."""
    found: set[Statement] = set()
    begin, read = SQLiteWork.__init__, Database.read

    def record_work(self: SQLiteWork, connection: Any, *others: Any) -> None:
        begin(self, Recording(connection, found), *others)  # type: ignore[arg-type]

    async def record_read(self: Database, query: Callable[[Any], Any]) -> Any:
        return await read(self, lambda connection: query(Recording(connection, found)))

    monkeypatch.setattr(SQLiteWork, "__init__", record_work)
    monkeypatch.setattr(Database, "read", record_read)
    async with in_memory() as store:
        rows = await populate(store)
        for number in range(2):
            await store.insert_activity("read", "")
            await store.add_exchange("thread", "model", f"request {number}", {"usd": 0.5})
        named = {name.partition(",")[0].partition(" ")[0] for name in [*READS, *UNITS]}
        assert {name for base in Resources.__bases__ for name in vars(base) if name[0] != "_"} <= named
        for call in {**READS, **UNITS}.values():
            await call(store, rows)
        await backend_of(store).database.write(lambda work: processed_contexts.delete(work, 4))
        await backend_of(store).database.write(message_finish.fail_cut_off)
        await finish_an_unreadable_message(store)
        await backend_of(store).database.read(count_by_a_sample)
        key = IdempotencyKey("twice")
        for _ in range(2):
            await store.cleanup_old_monitoring_data(1, key=key)
    return found


def count_by_a_sample(connection: Connection) -> int:
    """Count rows as those of a large table are."""
    condition = Condition("status", "=", 0)
    return count(connection, "todo", [condition.sql()], [0], [condition], {("status",)}, sampled_from=0)


async def finish_an_unreadable_message(store: UnifiedStorage) -> None:
    """Finish a message whose text another program wrote as bytes that are no text."""
    conversation = await store.create_conversation("home")
    message = await store.create_streaming_message(conversation.id, "assistant")
    sql = "UPDATE messages SET content = CAST(x'ff' AS TEXT) WHERE id = ?"
    await backend_of(store).database.write(lambda work: work.connection.execute(sql, (message.id,)).rowcount)
    await store.append_message_content(message.id, "more")
    await store.mark_message_finished(message.id)


def declared() -> Iterator[str]:
    """The SQL of the declarations, as statements."""
    for table in TABLES.values():
        if table.searched is not None and table.searched.present is not None:
            yield f"SELECT 1 FROM {table.name} WHERE {table.searched.present}"
        if table.exported is not None and table.exported.placeholder is not None:
            yield table.exported.placeholder[0]
        if table.exported is not None and table.exported.lift is not None:
            yield table.exported.lift.query


def for_postgres(sql: str) -> str:
    """The statement with PostgreSQL's placeholders, and with plain columns in place of what the engine makes."""
    for column in re.findall(r"typeof\((\w+)\)", sql):
        sql = sql.replace(DIALECT.whole_number(column), column)
    pieces = sql.split("'")
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        name = match[0] if match[0] != "?" else f"? {len(numbers)}"
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    return "'".join(
        piece if place % 2 else re.sub(r"\?|(?<!:):[a-z_]\w*", number, piece) for place, piece in enumerate(pieces)
    )


class Names(Visitor):
    """The functions and types that a statement names."""

    def __init__(self) -> None:
        super().__init__()
        self.functions: set[str] = set()
        self.types: set[str] = set()

    def visit_FuncCall(self, _: Any, node: Any) -> None:  # noqa: N802
        self.functions.add(node.funcname[-1].sval)

    def visit_TypeName(self, _: Any, node: Any) -> None:  # noqa: N802
        self.types.add(node.names[-1].sval)


def calls_in(file: Path) -> Iterator[tuple[int, int]]:
    """The lines of every call of `execute` in a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "execute":
            yield node.lineno, node.end_lineno or node.lineno


async def test_every_statement_of_the_resources_is_accepted_by_postgres(statements: set[Statement]) -> None:
    for sql in [*(statement.sql for statement in statements), *declared()]:
        require_portable(sql)


def require_portable(sql: str) -> None:
    names = Names()
    names(parse_sql(for_postgres(sql)))
    assert names.functions <= SHARED_FUNCTIONS, sql
    assert names.types <= TYPES, sql


async def test_every_statement_of_the_resources_is_reached(statements: set[Statement]) -> None:
    ran: dict[Path, set[int]] = {}
    for statement in statements:
        ran.setdefault(statement.file, set()).add(statement.line)
    missed = [
        f"{file}:{first}"
        for file in sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*.py"))
        if file.name != "times.py"  # which asks SQLite for the meaning of a time, and reads no row
        for first, last in calls_in(FOLDER / file)
        if not ran.get(file, set()).intersection(range(first, last + 1))
    ]
    assert missed == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT total(count) FROM tips",
        "SELECT group_concat(content, '') FROM tips",
        "SELECT CAST(content AS BLOB) FROM tips",
        "SELECT 1 FROM tips WHERE id IS ?",
        "INSERT OR REPLACE INTO tips (id) VALUES (?)",
        "SELECT content FROM tips INDEXED BY idx_tips_time",
    ],
)
def test_what_only_sqlite_accepts_is_noticed(sql: str) -> None:
    with pytest.raises((AssertionError, ParseError)):
        require_portable(sql)
