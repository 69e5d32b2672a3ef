"""Todos: the table `todo`.

A todo's `end_time` is its deadline or planned end, `completed_at` the time of its completion. Completing a todo without
an end sets that, too, as the seed does. The column `end_is_completion` is 1 for such an end, so that reopening clears
nothing but what completing has set; it is NULL in a row that another program inserted and did not complete.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sidecar.errors import InvalidInput
from sidecar.models.base import MAX_BATCH, Identifier, Integer, LongText, ShortText, Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import TimestampInput
from sidecar.models.todos import Todo, TodoCreate, TodoOrder, TodoPage, TodoStatus
from sidecar.storage.arguments import DEFAULT_LIMIT, UNSET, Unset, without_unset
from sidecar.storage.interfaces import Work
from sidecar.storage.resources.rows.columns import added, choice, integer, text, time
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
        "completed_at": added(time(optional=True)),
        "end_is_completion": added(integer(0, optional=True)),
    },
    kind="todo",
    topic="todos",
    counted=(("status",), ("created_at",)),
    searched=Searched(
        "todo",
        2,
        "created_at",
        ("created_at", "start_time", "end_time", "status", "urgency", "assignee", "reason", "completed_at"),
        also_shown=("content", "reason"),
    ),
    exported=Exported("todos", birth=("created_at",), evidence=("content", "created_at"), is_required=True),
    belonging=("todo_embeddings", "todo_id"),
)


def _orders(column: str, first: TodoOrder, last: TodoOrder) -> dict[TodoOrder, Order]:
    """Return both orders by a time that a todo may lack; `~` comes behind every time, an empty text before."""
    return {
        first: Order(column, absent="~", name=first),
        last: Order(column, newest_first=True, absent="", name=last),
    }


ORDERS = {
    TodoOrder.URGENCY: Order("urgency", newest_first=True, then="created_at", name=TodoOrder.URGENCY),
    TodoOrder.LEAST_URGENT: Order("urgency", then="created_at", name=TodoOrder.LEAST_URGENT),
    TodoOrder.NEWEST: Order("created_at", newest_first=True, name=TodoOrder.NEWEST),
    TodoOrder.OLDEST: Order("created_at", name=TodoOrder.OLDEST),
    **_orders("start_time", TodoOrder.START_TIME, TodoOrder.LATEST_START),
    **_orders("end_time", TodoOrder.END_TIME, TodoOrder.LATEST_END),
    **_orders("completed_at", TodoOrder.COMPLETED_AT, TodoOrder.LATEST_COMPLETED),
}


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
        created_at: TimestampInput | None = None,
        completed_at: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Todo:
        """Create a todo; one that is created completed was completed at its `end_time`, or now without one."""
        columns = _new_columns(
            self._now(),
            content,
            optional_time("start_time", start_time),
            optional_time("end_time", end_time),
            one_of(TodoStatus, "status", status),
            urgency,
            assignee,
            reason,
            optional_time("created_at", created_at),
            optional_time("completed_at", completed_at),
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
        order: str = TodoOrder.URGENCY,
        created_after: TimestampInput | None = None,
        created_before: TimestampInput | None = None,
        started_after: TimestampInput | None = None,
        started_before: TimestampInput | None = None,
        ended_after: TimestampInput | None = None,
        ended_before: TimestampInput | None = None,
        completed_after: TimestampInput | None = None,
        completed_before: TimestampInput | None = None,
    ) -> TodoPage:
        """Return todos that match every filter, by default the most urgent first and the newest among equals.

        Todos whose own times lie from `start_time` to `end_time`, both included. Of the other ranges, after includes
        its moment, and before does not.
        """
        wanted = None if status is None else one_of(TodoStatus, "status", status)
        where = (
            Where()
            .equals("status", wanted)
            .at_least("start_time", start_time, "start_time")
            .at_most("end_time", end_time, "end_time")
            .between("created_at", created_after, created_before, ("created_after", "created_before"))
            .between("start_time", started_after, started_before, ("started_after", "started_before"))
            .between("end_time", ended_after, ended_before, ("ended_after", "ended_before"))
            .between("completed_at", completed_after, completed_before, ("completed_after", "completed_before"))
        )
        by, part = ORDERS[one_of(TodoOrder, "order", order)], PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: TODOS.page(connection, TodoPage, where, by, part))

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
        if "end_time" in columns:
            columns["end_is_completion"] = 0
        return await self._update(todo_id, lambda *_: columns, key)

    async def update_todo_status(
        self,
        todo_id: Identifier,
        status: int,
        end_time: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Todo:
        """Complete a todo, now or at `end_time`, or reopen it, with `end_time` as its new end. Raises `NotFound`.

        Completing sets the end of a todo that has none; reopening clears it, if completing has set it.
        """
        wanted = one_of(TodoStatus, "status", status)
        given = optional_time("end_time", end_time)

        def columns(work: Work, todo: Todo) -> dict[str, Any]:
            return _status_columns(todo, wanted, given, work.now, end_is_own=_end_is_own(work, todo))

        return await self._update(todo_id, columns, key)

    async def toggle_todo(self, todo_id: Identifier, *, key: IdempotencyKey | None = None) -> Todo:
        """Complete a pending todo, reopen a completed one. Raises `NotFound`."""

        def columns(work: Work, todo: Todo) -> dict[str, Any]:
            wanted = TodoStatus.PENDING if todo.status == TodoStatus.COMPLETED else TodoStatus.COMPLETED
            return _status_columns(todo, wanted, None, work.now, end_is_own=_end_is_own(work, todo))

        return await self._update(todo_id, columns, key)

    async def delete_todo(self, todo_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Remove a todo. Raises `NotFound`."""
        await self._database.write(lambda work: TODOS.delete(work, todo_id), key, type(None))

    async def _update(
        self, todo_id: int, columns_for: Callable[[Work, Todo], dict[str, Any]], key: IdempotencyKey | None
    ) -> Todo:
        def update(work: Work) -> Todo:
            columns = columns_for(work, TODOS.get(work.connection, todo_id))
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
    created_at: str | None,
    completed_at: str | None,
) -> dict[str, Any]:
    """Return the columns of a new todo; its times are in stored form. Raises `InvalidInput`."""
    end_is_completion = False
    if status == TodoStatus.COMPLETED:
        end_is_completion = completed_at is None or end_time is None
        completed_at = completed_at or end_time or now
        end_time = end_time or max(completed_at, start_time or completed_at)
    elif completed_at is not None:
        raise InvalidInput.field("completed_at", "is for a completed todo; this one is pending")
    require_order(start_time, end_time)
    return {
        "content": content,
        "created_at": created_at or now,
        "start_time": start_time,
        "end_time": end_time,
        "status": status,
        "urgency": urgency,
        "assignee": assignee,
        "reason": reason,
        "completed_at": completed_at,
        "end_is_completion": int(end_is_completion),
    }


def _status_columns(todo: Todo, status: TodoStatus, given: str | None, now: str, *, end_is_own: bool) -> dict[str, Any]:
    """Return the columns that a status changes; a todo that has the status already stays as it is.

    `given` is the time that the caller named, `end_is_own` is true where completing has not set the end. An end that
    completing sets is that time, or the start where that is later: planned for a day to come, or by another clock.
    """
    if status == TodoStatus.PENDING:
        if todo.status == status:
            return {}
        reopened = {"status": status, "completed_at": None, "end_is_completion": 0}
        return reopened if given is None and end_is_own else {**reopened, "end_time": given}
    if todo.status == status and given is None:
        return {}
    completed = {"status": status, "completed_at": given or now}
    if todo.end_time is not None and end_is_own:
        return completed
    return {**completed, "end_time": given or max(now, todo.start_time or now), "end_is_completion": 1}


def _end_is_own(work: Work, todo: Todo) -> bool:
    """Return whether the todo's end was given for it, and not set by completing it."""
    row = work.connection.execute("SELECT end_is_completion FROM todo WHERE id = ?", (todo.id,)).fetchone()
    return bool(row["end_is_completion"] != 1)
