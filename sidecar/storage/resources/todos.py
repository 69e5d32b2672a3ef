"""Todos: the table `todo`.

A completed todo has the `end_time` of its completion; a pending one may have a planned one until it is completed and
has none after it was reopened.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sidecar.models.base import MAX_BATCH, Identifier, Integer, LongText, ShortText, Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import TimestampInput
from sidecar.models.todos import Todo, TodoCreate, TodoPage, TodoStatus
from sidecar.storage.arguments import DEFAULT_LIMIT, UNSET, Unset, without_unset
from sidecar.storage.interfaces import Work
from sidecar.storage.resources.rows.columns import choice, integer, text, time
from sidecar.storage.resources.rows.declaration import Exported, Searched
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, require_range
from sidecar.storage.resources.rows.table import Resource, Table
from sidecar.storage.resources.rows.validation import one_of, optional_time, require_order

TODOS = Table(
    "todo",
    Todo,
    {
        "content": text(),
        "created_at": time(),
        "start_time": time(optional=True),
        "end_time": time(optional=True),
        "status": choice(TodoStatus, TodoStatus.PENDING),
        "urgency": integer(),
        "assignee": text(optional=True),
        "reason": text(optional=True),
    },
    kind="todo",
    topic="todos",
    searched=Searched(
        "todo",
        2,
        "created_at",
        ("created_at", "start_time", "end_time", "status", "urgency", "assignee", "reason"),
        also_shown=("content", "reason"),
    ),
    exported=Exported("todos", birth=("created_at",), evidence=("content", "created_at"), is_required=True),
    belonging=("todo_embeddings", "todo_id"),
)
NEWEST_FIRST = Order("created_at", newest_first=True)


class Todos(Resource, tables=(TODOS,)):
    """Todos."""

    async def insert_todo(
        self,
        content: Text,
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        status: int = TodoStatus.PENDING,
        urgency: Integer = 0,
        assignee: ShortText | None = None,
        reason: LongText | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Todo:
        """Make a todo; one that is made completed without an `end_time` is completed now."""
        columns = _new_columns(
            self._now(),
            content,
            optional_time("start_time", start_time),
            optional_time("end_time", end_time),
            one_of(TodoStatus, "status", status),
            urgency,
            assignee,
            reason,
        )
        return await self._database.write(lambda work: TODOS.insert(work, columns), key, Todo)

    async def batch_insert_todos(self, todos: Sequence[TodoCreate], *, key: IdempotencyKey | None = None) -> list[int]:
        """Make all of them or none; returns their ids in order. Raises `InvalidInput`."""
        require_range("todos", len(todos), 1, MAX_BATCH)

        def insert(work: Work) -> list[int]:
            return TODOS.insert_many(work, (_new_columns(work.now, **vars(todo)) for todo in todos))

        return await self._database.write(insert, key, list[int])

    async def get_todos(
        self,
        status: int | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> TodoPage:
        """Todos created from `start_time` to before `end_time`, the newest first."""
        wanted = None if status is None else one_of(TodoStatus, "status", status)
        where = Where().equals("status", wanted).between("created_at", start_time, end_time)
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: TODOS.page(connection, TodoPage, where, NEWEST_FIRST, part))

    async def get_todo(self, todo_id: Identifier) -> Todo:
        """One todo. Raises `NotFound`."""
        return await self._database.read(lambda connection: TODOS.get(connection, todo_id))

    async def update_todo(
        self,
        todo_id: Identifier,
        content: Text | Unset = UNSET,
        start_time: TimestampInput | Unset | None = UNSET,
        end_time: TimestampInput | Unset | None = UNSET,
        urgency: Integer | Unset = UNSET,
        assignee: ShortText | Unset | None = UNSET,
        reason: LongText | Unset | None = UNSET,
        *,
        key: IdempotencyKey | None = None,
    ) -> Todo:
        """Change what is given; `update_todo_status` changes the status. Raises `NotFound`, `InvalidInput`."""
        columns = without_unset(
            content=content,
            start_time=start_time,
            end_time=end_time,
            urgency=urgency,
            assignee=assignee,
            reason=reason,
        )
        for name in columns.keys() & {"start_time", "end_time"}:
            columns[name] = optional_time(name, columns[name])
        return await self._update(todo_id, lambda *_: columns, key)

    async def update_todo_status(
        self,
        todo_id: Identifier,
        status: int,
        end_time: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Todo:
        """Complete (which sets `end_time`, to now unless given) or reopen (which clears it). Raises `NotFound`."""
        wanted = one_of(TodoStatus, "status", status)
        completed_at = optional_time("end_time", end_time)
        return await self._update(todo_id, lambda todo, now: _status_columns(todo, wanted, completed_at, now), key)

    async def toggle_todo(self, todo_id: Identifier, *, key: IdempotencyKey | None = None) -> Todo:
        """Complete a pending todo, reopen a completed one. Raises `NotFound`."""

        def other_status(todo: Todo, now: str) -> dict[str, Any]:
            wanted = TodoStatus.PENDING if todo.status == TodoStatus.COMPLETED else TodoStatus.COMPLETED
            return _status_columns(todo, wanted, None, now)

        return await self._update(todo_id, other_status, key)

    async def delete_todo(self, todo_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Remove a todo. Raises `NotFound`."""
        await self._database.write(lambda work: TODOS.delete(work, todo_id), key, type(None))

    async def _update(
        self, todo_id: int, columns_for: Callable[[Todo, str], dict[str, Any]], key: IdempotencyKey | None
    ) -> Todo:
        def update(work: Work) -> Todo:
            columns = columns_for(TODOS.get(work.connection, todo_id), work.now)
            todo = TODOS.update(work, todo_id, columns)
            if columns.keys() & {"start_time", "end_time"}:
                require_order(todo.start_time, todo.end_time)
            return todo

        return await self._database.write(update, key, Todo)


def _new_columns(
    now: str,
    content: str,
    start_time: str | None,
    end_time: str | None,
    status: TodoStatus,
    urgency: int,
    assignee: str | None,
    reason: str | None,
) -> dict[str, Any]:
    """Return the columns of a new todo; its times are in stored form. Raises `InvalidInput`."""
    if status == TodoStatus.COMPLETED and end_time is None:
        end_time = max(now, start_time or now)
    require_order(start_time, end_time)
    return {
        "content": content,
        "created_at": now,
        "start_time": start_time,
        "end_time": end_time,
        "status": status,
        "urgency": urgency,
        "assignee": assignee,
        "reason": reason,
    }


def _status_columns(todo: Todo, status: TodoStatus, completed_at: str | None, now: str) -> dict[str, Any]:
    """Completing sets the end, reopening clears it, and what is already so stays as it is.

    The end is the present time, or the start where that is later: planned for a day to come, or by another clock.
    """
    if status == TodoStatus.PENDING:
        return {"status": status, "end_time": None} if todo.status != status else {}
    if todo.status == status and completed_at is None:
        return {}
    return {"status": status, "end_time": completed_at or max(now, todo.start_time or now)}
