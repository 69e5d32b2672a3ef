"""Todos: their status and what that does to their times, their order and their windows."""

import itertools
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import pytest

from sidecar.errors import InvalidInput, NotFound
from sidecar.models.todos import TodoCreate, TodoOrder, TodoStatus
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS
from sidecar.storage.unified import UnifiedStorage

EARLY, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T17:00:00.000Z"
BETWEEN = "2026-01-31T12:00:00.000Z"


async def test_a_todo_is_read_back_as_it_was_made(storage: UnifiedStorage) -> None:
    made = await storage.insert_todo("water the plants", EARLY, LATE, urgency=3, assignee="Ada", reason="dry")
    assert await storage.get_todo(made.id) == made
    assert (made.start_time, made.end_time, made.status, made.urgency) == (EARLY, LATE, TodoStatus.PENDING, 3)


async def test_times_are_stored_in_utc(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x", "2026-01-31T10:30:00+01:00", "2026-01-31T17:00Z")
    assert (todo.start_time, todo.end_time) == (EARLY, LATE)


async def test_a_todo_cannot_end_before_it_starts(storage: UnifiedStorage) -> None:
    with pytest.raises(InvalidInput, match="end_time"):
        await storage.insert_todo("x", LATE, EARLY)
    todo = await storage.insert_todo("x", LATE)
    with pytest.raises(InvalidInput, match="end_time"):
        await storage.update_todo(todo.id, end_time=EARLY)
    assert await storage.get_todo(todo.id) == todo


async def test_an_unknown_status_is_refused(storage: UnifiedStorage) -> None:
    with pytest.raises(InvalidInput, match="one of 0, 1"):
        await storage.insert_todo("x", status=7)


async def test_completing_a_todo_without_an_end_sets_it_and_reopening_clears_it(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    completed = await storage.update_todo_status(todo.id, TodoStatus.COMPLETED)
    assert completed.completed_at is not None
    assert completed.completed_at >= todo.created_at
    assert completed.end_time == completed.completed_at
    reopened = await storage.update_todo_status(todo.id, TodoStatus.PENDING)
    assert (reopened.status, reopened.completed_at, reopened.end_time) == (TodoStatus.PENDING, None, None)


@pytest.mark.parametrize("completed_at", [None, BETWEEN, LATE])
async def test_a_deadline_outlives_completing_and_reopening(storage: UnifiedStorage, completed_at: str | None) -> None:
    todo = await storage.insert_todo("x", end_time=LATE)
    completed = await storage.update_todo_status(todo.id, TodoStatus.COMPLETED, completed_at)
    assert completed.end_time == LATE
    assert completed.completed_at is not None
    assert completed_at in (None, completed.completed_at)
    assert await storage.update_todo_status(todo.id, TodoStatus.PENDING) == todo


async def test_an_end_that_is_given_to_a_completed_todo_is_a_deadline(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    await storage.toggle_todo(todo.id)
    await storage.update_todo(todo.id, end_time=LATE)
    assert (await storage.toggle_todo(todo.id)).end_time == LATE


async def test_reopening_can_give_a_new_end(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    await storage.toggle_todo(todo.id)
    reopened = await storage.update_todo_status(todo.id, TodoStatus.PENDING, LATE)
    assert (reopened.end_time, reopened.completed_at) == (LATE, None)
    await storage.toggle_todo(todo.id)
    assert (await storage.toggle_todo(todo.id)).end_time == LATE


async def test_a_todo_can_be_completed_at_a_given_time(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    completed = await storage.update_todo_status(todo.id, TodoStatus.COMPLETED, LATE)
    assert (completed.end_time, completed.completed_at) == (LATE, LATE)


async def test_the_time_of_a_completion_can_be_corrected(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    await storage.update_todo_status(todo.id, TodoStatus.COMPLETED, EARLY)
    corrected = await storage.update_todo_status(todo.id, TodoStatus.COMPLETED, LATE)
    assert (corrected.end_time, corrected.completed_at) == (LATE, LATE)
    assert (await storage.toggle_todo(todo.id)).end_time is None


async def test_completing_a_completed_todo_keeps_its_end(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    await storage.update_todo_status(todo.id, TodoStatus.COMPLETED, LATE)
    assert (await storage.update_todo_status(todo.id, TodoStatus.COMPLETED)).end_time == LATE


async def test_a_todo_made_completed_ends_when_it_is_made(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x", status=TodoStatus.COMPLETED)
    assert todo.end_time == todo.completed_at == todo.created_at


async def test_a_todo_made_completed_with_an_end_was_completed_then(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x", end_time=EARLY, status=TodoStatus.COMPLETED)
    assert (todo.end_time, todo.completed_at) == (EARLY, EARLY)
    assert (await storage.toggle_todo(todo.id)).end_time is None


async def test_a_todo_made_completed_may_have_a_deadline_and_a_time_of_completion(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x", end_time=LATE, status=TodoStatus.COMPLETED, completed_at=EARLY)
    assert (todo.end_time, todo.completed_at) == (LATE, EARLY)
    assert (await storage.toggle_todo(todo.id)).end_time == LATE


async def test_a_pending_todo_has_no_time_of_completion(storage: UnifiedStorage) -> None:
    with pytest.raises(InvalidInput, match="completed_at"):
        await storage.insert_todo("x", completed_at=EARLY)
    with pytest.raises(InvalidInput, match=r"todos\.1\.completed_at"):
        await storage.batch_insert_todos([TodoCreate("x"), TodoCreate("y", completed_at=EARLY)])


async def test_a_todo_from_elsewhere_keeps_the_time_when_it_was_made(storage: UnifiedStorage) -> None:
    made = await storage.insert_todo("x", created_at="2023-11-14T23:14:43+01:00")
    (in_batch,) = await storage.batch_insert_todos([TodoCreate("y", created_at="2023-11-14T22:14:43Z")])
    assert made.created_at == "2023-11-14T22:14:43.000Z"
    assert (await storage.get_todo(in_batch)).created_at == "2023-11-14T22:14:43.000Z"


async def test_toggling_twice_ends_where_it_began(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    assert (await storage.toggle_todo(todo.id)).status == TodoStatus.COMPLETED
    assert await storage.toggle_todo(todo.id) == todo


async def test_an_update_changes_what_it_names_and_nothing_else(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x", EARLY, assignee="Ada", reason="r")
    updated = await storage.update_todo(todo.id, content="y", assignee=None)
    assert updated == todo.model_copy(update={"content": "y", "assignee": None})
    assert await storage.update_todo(todo.id) == updated


async def contents(storage: UnifiedStorage, **filters: Any) -> list[str]:
    """The contents of the todos of a list, in its order, read page by page."""
    found: list[str] = []
    cursor = None
    while True:
        page = await storage.get_todos(limit=2, cursor=cursor, **filters)
        found.extend(todo.content for todo in page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_the_most_urgent_todos_come_first_and_the_newest_among_equals(storage: UnifiedStorage) -> None:
    for day, (content, urgency) in enumerate([("low", 0), ("high", 3), ("later high", 3), ("middle", 2)], 1):
        await storage.insert_todo(content, urgency=urgency, created_at=f"2026-01-{day:02}T00:00:00Z")
    assert await contents(storage) == ["later high", "high", "middle", "low"]
    assert await contents(storage, order="-urgency") == ["low", "middle", "high", "later high"]


async def test_todos_are_listed_by_status(storage: UnifiedStorage) -> None:
    first, second = await storage.insert_todo("first"), await storage.insert_todo("second", urgency=1)
    await storage.toggle_todo(first.id)
    assert await contents(storage, status=TodoStatus.COMPLETED) == ["first"]
    assert await contents(storage, status=TodoStatus.PENDING) == [second.content]


TIMES = {
    "none": (None, None, None),
    "early": (EARLY, BETWEEN, EARLY),
    "same": (EARLY, BETWEEN, EARLY),
    "late": (BETWEEN, LATE, LATE),
}
"""By content: start, end and completion."""


async def insert_times(storage: UnifiedStorage) -> None:
    for content, (start, end, completed) in TIMES.items():
        await storage.insert_todo(content, start, end, TodoStatus(completed is not None), completed_at=completed)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("newest", ["late", "same", "early", "none"]),
        ("oldest", ["none", "early", "same", "late"]),
        ("start_time", ["early", "same", "late", "none"]),
        ("-start_time", ["late", "same", "early", "none"]),
        ("end_time", ["early", "same", "late", "none"]),
        ("-end_time", ["late", "same", "early", "none"]),
        ("completed_at", ["early", "same", "late", "none"]),
        ("-completed_at", ["late", "same", "early", "none"]),
    ],
)
async def test_todos_without_the_time_that_a_list_is_ordered_by_come_last(
    storage: UnifiedStorage, order: str, expected: Sequence[str]
) -> None:
    await insert_times(storage)
    assert await contents(storage, order=order) == expected


@pytest.mark.parametrize("order", TodoOrder)
async def test_cursors_lead_through_every_order_once_also_among_equals(
    storage: UnifiedStorage, order: TodoOrder
) -> None:
    values = itertools.product((0, 1), (None, EARLY), (None, LATE))
    await storage.batch_insert_todos([TodoCreate("x", start, end, urgency=rank) for rank, start, end in values])
    whole = [todo.id for todo in (await storage.get_todos(order=order)).items]
    assert len(whole) == 8
    first = await storage.get_todos(limit=3, order=order)
    second = await storage.get_todos(limit=3, order=order, cursor=first.next_cursor)
    third = await storage.get_todos(limit=3, order=order, cursor=second.next_cursor)
    assert [todo.id for page in (first, second, third) for todo in page.items] == whole
    assert third.next_cursor is None


async def test_a_cursor_of_another_order_is_refused(storage: UnifiedStorage) -> None:
    await storage.batch_insert_todos([TodoCreate("x"), TodoCreate("y")])
    cursor = (await storage.get_todos(limit=1, order=TodoOrder.NEWEST)).next_cursor
    with pytest.raises(InvalidInput, match="cursor"):
        await storage.get_todos(limit=1, order=TodoOrder.OLDEST, cursor=cursor)


async def test_an_unknown_order_is_refused(storage: UnifiedStorage) -> None:
    with pytest.raises(InvalidInput, match="order"):
        await storage.get_todos(order="importance")


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"start_time": EARLY}, {"early", "same", "late"}),
        ({"start_time": BETWEEN}, {"late"}),
        ({"end_time": BETWEEN}, {"early", "same"}),
        ({"start_time": EARLY, "end_time": LATE}, {"early", "same", "late"}),
        ({"start_time": BETWEEN, "end_time": BETWEEN}, set()),
        ({"started_after": BETWEEN}, {"late"}),
        ({"started_before": BETWEEN}, {"early", "same"}),
        ({"ended_after": LATE}, {"late"}),
        ({"ended_before": LATE}, {"early", "same"}),
        ({"completed_after": BETWEEN}, {"late"}),
        ({"completed_before": LATE}, {"early", "same"}),
    ],
)
async def test_a_window_is_over_the_todos_own_times(
    storage: UnifiedStorage, window: dict[str, str], expected: set[str]
) -> None:
    await insert_times(storage)
    assert set(await contents(storage, **window)) == expected


async def test_todos_are_listed_by_when_they_were_made(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    assert await contents(storage, created_after=todo.created_at) == ["x"]
    assert await contents(storage, created_before=todo.created_at) == []


@pytest.mark.parametrize("field", ["start_time", "end_time", "created_after", "started_before", "completed_after"])
async def test_a_window_that_is_no_time_is_refused_by_its_name(storage: UnifiedStorage, field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        await storage.get_todos(**{field: "yesterday"})  # type: ignore[arg-type]


async def test_a_deleted_todo_is_gone(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    await storage.delete_todo(todo.id)
    for work in (storage.get_todo, storage.delete_todo, storage.toggle_todo):
        with pytest.raises(NotFound):
            await work(todo.id)


def completion(connection: sqlite3.Connection) -> tuple[Any, ...]:
    """The status, the end and the time of completion of the only todo."""
    row: tuple[Any, ...] = connection.execute("SELECT status, end_time, completed_at FROM todo").fetchone()
    return row


def test_a_todo_that_another_program_completes_with_an_end_was_completed_then(
    migrated: Callable[[], sqlite3.Connection],
) -> None:
    with closing(migrated()) as connection:
        connection.execute("INSERT INTO todo (content) VALUES ('x')")
        connection.execute("UPDATE todo SET status = 1, end_time = '2026-01-31 09:30:00'")
        assert completion(connection) == (1, EARLY, EARLY)
        connection.execute("UPDATE todo SET status = 0, end_time = NULL")
        assert completion(connection) == (0, None, None)


def test_a_deadline_outlives_another_program_that_completes_and_reopens(
    migrated: Callable[[], sqlite3.Connection],
) -> None:
    with closing(migrated()) as connection:
        connection.execute("INSERT INTO todo (content, end_time) VALUES ('x', ?)", (LATE,))
        connection.execute("UPDATE todo SET status = 1")
        status, end_time, completed_at = completion(connection)
        assert (status, end_time) == (1, LATE)
        assert completed_at > LATE  # the present
        connection.execute("UPDATE todo SET status = 0")
        assert completion(connection) == (0, LATE, None)


def test_a_todo_that_another_program_inserts_completed_was_completed_at_its_end(
    migrated: Callable[[], sqlite3.Connection],
) -> None:
    with closing(migrated()) as connection:
        connection.execute("INSERT INTO todo (content, status, end_time) VALUES ('x', 1, '2026-01-31 09:30:00')")
        assert completion(connection) == (1, EARLY, EARLY)
        connection.execute("UPDATE todo SET status = 0")
        assert completion(connection) == (0, None, None)


def test_the_time_of_a_completion_is_guarded(migrated: Callable[[], sqlite3.Connection]) -> None:
    with closing(migrated()) as connection:
        with pytest.raises(sqlite3.IntegrityError, match=r"todo\.completed_at must be a time"):
            connection.execute("INSERT INTO todo (content, status, completed_at) VALUES ('x', 1, 'yesterday')")
        connection.execute("INSERT INTO todo (content, status, completed_at) VALUES ('x', 1, '2026-01-31 09:30:00')")
        assert completion(connection)[2] == EARLY
        with pytest.raises(sqlite3.IntegrityError, match=r"todo\.completed_at must be a time"):
            connection.execute("UPDATE todo SET completed_at = ''")


def test_the_migration_takes_the_ends_of_completed_todos_for_their_completion() -> None:
    count = 5_000
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for migration in MIGRATIONS[:11]:
            migration.apply(connection)
        connection.execute(
            "INSERT INTO todo (id, content, status, end_time) "
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) "
            "SELECT n * 3 - 7, 'x', n % 2, CASE WHEN n % 5 != 0 THEN ? END FROM n",
            (count, EARLY),
        )
        MIGRATIONS[11].apply(connection)
        sql = "SELECT status, end_time IS NOT NULL, completed_at, end_is_completion, count(*) FROM todo GROUP BY 1, 2"
        assert connection.execute(sql).fetchall() == [
            (0, 0, None, None, count / 10),
            (0, 1, None, None, count * 4 / 10),
            (1, 0, None, None, count / 10),
            (1, 1, EARLY, 1, count * 4 / 10),
        ]
