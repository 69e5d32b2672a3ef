"""No query about contexts or vectors sorts, or looks at more rows than it is asked for."""

import json
import sqlite3
from collections.abc import Callable

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models.contexts import ContextType
from sidecar.storage.resources.rows.pagination import PageRequest
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.vectors import context_rows, todos
from sidecar.storage.vectors.filters import conditions
from sidecar.storage.vectors.meaning import Meaning
from sidecar.storage.vectors.vector import pack
from tests.vectors.contexts import context

TIMES = {"create_time": {"from": "2026-01-31T09:30:00.000Z"}}

QUERIES: dict[str, Callable[[sqlite3.Connection], object]] = {
    "get": lambda connection: context_rows.get(connection, "a", "knowledge", need_vector=True),
    "count": lambda connection: context_rows.count(connection, ContextType.KNOWLEDGE),
    "page": lambda connection: context_rows.page(
        connection, ContextType.KNOWLEDGE, conditions("", None), PageRequest(cursor=CURSOR), need_vector=True
    ),
    "filtered page": lambda connection: context_rows.page(
        connection, ContextType.KNOWLEDGE, conditions("", {"metadata.x": 1, **TIMES}), PageRequest(), need_vector=True
    ),
    "records": lambda connection: context_rows.records(connection, [1]),
    "passing": lambda connection: context_rows.passing(connection, [1], conditions("", None)),
    "filtered passing": lambda connection: context_rows.passing(connection, [1], conditions("", {"keywords": "x"})),
    "all of a type": lambda connection: connection.execute(context_rows.ALL_OF_TYPE, ("knowledge",)),
    "these contexts": lambda connection: connection.execute(context_rows.THESE, ("[1]",)),
    "these todos": lambda connection: connection.execute(todos.THESE, ("[1]",)),
    "upsert": lambda connection: upsert(connection),
    "delete": lambda connection: context_rows.delete(SQLiteWork(connection, SYSTEM_CLOCK), "a", None),
}
CURSOR = "WyIyMDI2LTAxLTAxVDAwOjAwOjAwLjAwMFoiLCAxXQ=="


def upsert(connection: sqlite3.Connection) -> None:
    columns = context_rows.columns_of("", context("a", 1), "a", TIMES["create_time"]["from"])
    context_rows.upsert(SQLiteWork(connection, SYSTEM_CLOCK), columns, Meaning(pack("", [1.0]), None))


@pytest.mark.parametrize("name", QUERIES)
def test_rows_are_reached_by_an_index_in_order(migrated: Callable[[], sqlite3.Connection], name: str) -> None:
    connection = migrated()
    connection.row_factory = sqlite3.Row
    upsert(connection)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    QUERIES[name](connection)
    connection.set_trace_callback(None)
    own = [sql for sql in statements if not sql.startswith("--")]
    assert own
    for sql in own:
        plan = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        grows = [step for step in plan if "TEMP B-TREE" in step or is_scan_of_a_table(step)]
        assert not grows, json.dumps([sql, plan], indent=1)
    connection.close()


def is_scan_of_a_table(step: str) -> bool:
    tables = ("processed_contexts", "context_vectors", "todo_embeddings")
    return any(step.startswith(f"SCAN {table}") for table in tables)
