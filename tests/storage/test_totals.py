"""Totals of lists: exact in every way of counting, and counted over an index without reading a row."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.clock import SYSTEM_CLOCK
from sidecar.storage.resources.all import TABLES
from sidecar.storage.resources.rows.counting import SAMPLED_FROM, Condition, count
from sidecar.storage.resources.rows.pagination import Where
from sidecar.storage.resources.rows.table import Table
from sidecar.storage.resources.vaults import IS_REPORT
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.unified import UnifiedStorage

MOMENT = "2026-01-31T09:30:00.000Z"


class Total(NamedTuple):
    """A list that is asked for its total: its table, and its conditions."""

    table: str
    where: Where


def live() -> Where:
    return Where().equals("is_deleted", False)


TOTALS = {
    "todos": Total("todo", Where()),
    "todos of a status": Total("todo", Where().equals("status", 0)),
    "todos created after": Total("todo", Where().between("created_at", MOMENT, None)),
    "todos created before": Total("todo", Where().between("created_at", None, MOMENT)),
    "todos completed after": Total("todo", Where().between("completed_at", MOMENT, None)),
    "vaults of all kinds": Total("vaults", Where()),
    "vaults": Total("vaults", live()),
    "deleted vaults": Total("vaults", Where().equals("is_deleted", True)),
    "vaults of a type": Total("vaults", live().equals("document_type", "Note")),
    "vaults of several types": Total("vaults", live().one_of("document_type", ["Note", "Weekly"])),
    "documents": Total("vaults", Where().equals("is_folder", False).equals("is_deleted", False)),
    "reports": Total("vaults", live().that("document_type != 'Note'", condition=IS_REPORT)),
    "vaults of a title": Total("vaults", live().equals("title", "x")),
    "vaults created after": Total("vaults", live().between("created_at", MOMENT, None)),
    "vaults changed before": Total("vaults", live().between("updated_at", None, MOMENT)),
    "vaults in a folder": Total("vaults", Where().that("+is_deleted = ?", False).equals("parent_id", 1)),
    "conversations of all kinds": Total("conversations", Where()),
    "conversations": Total("conversations", Where().differs("status", "deleted")),
    "conversations of a status": Total("conversations", Where().equals("status", "archived")),
    "conversations of a page": Total("conversations", Where().equals("page_name", "x").differs("status", "deleted")),
    "conversations of a user": Total("conversations", Where().equals("user_id", "x").differs("status", "deleted")),
    "activities": Total("activity", Where()),
    "activities that begin after": Total("activity", Where().between("start_time", MOMENT, None)),
    "activities that begin before": Total("activity", Where().between("start_time", None, MOMENT)),
    "tips": Total("tips", Where()),
    "tips created after": Total("tips", Where().between("created_at", MOMENT, None)),
}


class Recording:
    """A connection that notes the counts which it runs."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.counts: list[tuple[str, Any]] = []

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        if "count(*)" in sql:
            self.counts.append((sql, parameters))
        return self._connection.execute(sql, parameters)


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    """A store with a row of each kind that matches, and one that does not."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        opened.row_factory = sqlite3.Row
        upgrade.bring_up_to_date(opened, None, lambda *_: None, clock=SYSTEM_CLOCK)
        for name in {total.table for total in TOTALS.values()}:
            columns = {"vaults": "title", "conversations": "page_name", "activity": "title"}.get(name, "content")
            opened.execute(f"INSERT INTO {name} ({columns}) VALUES ('x'), ('y')")
        yield opened


@pytest.mark.parametrize("sampled_from", [0, SAMPLED_FROM])
@pytest.mark.parametrize("name", TOTALS)
def test_every_total_is_counted_over_a_covering_index(
    connection: sqlite3.Connection, name: str, sampled_from: int
) -> None:
    table, where = TOTALS[name]
    declared = TABLES[table]
    assert isinstance(declared, Table)
    recording = Recording(connection)
    arguments = (table, where.clauses, where.values, where.conditions, declared.counted)
    count(recording, *arguments, sampled_from=sampled_from)
    assert recording.counts
    for sql, values in recording.counts:
        plan = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert all("USING COVERING INDEX" in step for step in plan), (sql, plan)


@pytest.mark.parametrize("name", ["vaults of all kinds", "conversations of all kinds"])
def test_all_rows_are_counted_over_the_narrow_index(connection: sqlite3.Connection, name: str) -> None:
    sql = f"SELECT count(*) FROM {TOTALS[name].table}"
    ((_, _, _, plan),) = connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    assert plan.endswith("_count")


VALUES = st.sampled_from([0, 1, 2, None, "a", 1.5])
CHAIN = ("a", "b")


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=30),
    operators=st.tuples(st.sampled_from(["="]), st.sampled_from(["=", "!=", ">=", ">", "<", "<="])),
    wanted=st.tuples(st.sampled_from([0, 1, 2]), st.sampled_from([0, 1, 2])),
    length=st.sampled_from([1, 2]),
)
def test_a_total_is_exact_whichever_rows_are_counted(
    rows: list[tuple[Any, Any]], operators: tuple[str, str], wanted: tuple[int, int], length: int
) -> None:
    with closing(sqlite3.connect(":memory:")) as store:
        store.row_factory = sqlite3.Row
        store.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, a, b)")
        store.executemany("INSERT INTO rows (a, b) VALUES (?, ?)", rows)
        conditions = [Condition(*each) for each in zip(CHAIN, operators, wanted, strict=True)][-length:]
        clauses, values = [each.sql() for each in conditions], [each.value for each in conditions]
        sql = f"SELECT count(*) FROM rows WHERE {' AND '.join(clauses)}"
        (expected,) = store.execute(sql, values).fetchone()
        counted = {CHAIN, CHAIN[:1], CHAIN[1:]}
        for chains, sampled_from in itertools.product((counted, set[tuple[str, ...]]()), (0, SAMPLED_FROM)):
            found = count(store, "rows", clauses, values, conditions, chains, sampled_from=sampled_from)
            assert found == expected


def test_the_rows_that_do_not_match_are_counted_where_they_are_fewer() -> None:
    with closing(sqlite3.connect(":memory:")) as store:
        store.row_factory = sqlite3.Row
        store.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, a)")
        store.executemany("INSERT INTO rows (a) VALUES (?)", [(number % 10 == 0,) for number in range(1_000)])
        for value, share in ((0, 900), (1, 100)):
            recording, condition = Recording(store), Condition("a", "=", value)
            arguments = ("rows", [condition.sql()], [value], [condition], {("a",)})
            assert count(recording, *arguments, sampled_from=500) == share
            assert (recording.counts[-1] == ("SELECT count(*) FROM rows", [])) == (value == 0)


async def test_the_totals_of_the_lists_are_what_they_list(storage: UnifiedStorage) -> None:
    folder = await storage.insert_vaults("folder", is_folder=True)
    for number in range(7):
        todo = await storage.insert_todo("x")
        if number % 3 == 0:
            await storage.toggle_todo(todo.id)
        vault = await storage.insert_vaults("x", document_type=f"type {number % 2}", parent_id=folder.id)
        if number % 3 == 0:
            await storage.delete_vault(vault.id)
        await storage.insert_activity("x", "")
    for page in (
        await storage.get_todos(with_total=True),
        await storage.get_todos(1, with_total=True),
        await storage.get_vaults(with_total=True),
        await storage.get_vaults(is_deleted=True, with_total=True),
        await storage.get_vaults(document_type="type 1", with_total=True),
        await storage.get_vaults(parent_id=folder.id, is_folder=False, with_total=True),
        await storage.get_children(folder.id, document_type=["type 0", "type 1"], with_total=True),
        await storage.get_reports(with_total=True),
        await storage.get_activities(with_total=True),
    ):
        assert page.items
        assert page.total == len(page.items)
