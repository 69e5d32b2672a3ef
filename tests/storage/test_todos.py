"""Todos: their status and what that does to their times."""

import pytest

from sidecar.errors import InvalidInput, NotFound
from sidecar.models.todos import TodoStatus
from sidecar.storage.unified import UnifiedStorage

EARLY, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T17:00:00.000Z"


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


async def test_completing_sets_the_end_and_reopening_clears_it(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    completed = await storage.update_todo_status(todo.id, TodoStatus.COMPLETED)
    assert completed.end_time is not None
    assert completed.end_time >= todo.created_at
    reopened = await storage.update_todo_status(todo.id, TodoStatus.PENDING)
    assert (reopened.status, reopened.end_time) == (TodoStatus.PENDING, None)


async def test_a_todo_can_be_completed_at_a_given_time(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    assert (await storage.update_todo_status(todo.id, TodoStatus.COMPLETED, LATE)).end_time == LATE


async def test_completing_a_completed_todo_keeps_its_end(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    await storage.update_todo_status(todo.id, TodoStatus.COMPLETED, LATE)
    assert (await storage.update_todo_status(todo.id, TodoStatus.COMPLETED)).end_time == LATE


async def test_a_todo_made_completed_ends_when_it_is_made(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x", status=TodoStatus.COMPLETED)
    assert todo.end_time == todo.created_at


async def test_toggling_twice_ends_where_it_began(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    assert (await storage.toggle_todo(todo.id)).status == TodoStatus.COMPLETED
    assert await storage.toggle_todo(todo.id) == todo


async def test_an_update_changes_what_it_names_and_nothing_else(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x", EARLY, assignee="Ada", reason="r")
    updated = await storage.update_todo(todo.id, content="y", assignee=None)
    assert updated == todo.model_copy(update={"content": "y", "assignee": None})
    assert await storage.update_todo(todo.id) == updated


async def test_todos_are_listed_by_status_the_newest_first(storage: UnifiedStorage) -> None:
    first, second = await storage.insert_todo("first"), await storage.insert_todo("second")
    await storage.toggle_todo(first.id)
    third = await storage.insert_todo("third")
    assert [todo.id for todo in (await storage.get_todos()).items] == [third.id, second.id, first.id]
    assert [todo.id for todo in (await storage.get_todos(status=TodoStatus.COMPLETED)).items] == [first.id]


async def test_todos_are_listed_by_when_they_were_made(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    assert len((await storage.get_todos(start_time=todo.created_at)).items) == 1
    assert len((await storage.get_todos(end_time=todo.created_at)).items) == 0


async def test_a_deleted_todo_is_gone(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x")
    await storage.delete_todo(todo.id)
    for work in (storage.get_todo, storage.delete_todo, storage.toggle_todo):
        with pytest.raises(NotFound):
            await work(todo.id)
