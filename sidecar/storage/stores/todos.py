"""The store of todos."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypedDict, Unpack

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.todos import Todo, TodoCreate, TodoPage, TodoStatus
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class TodoChanges(TypedDict, total=False):
    content: str
    start_time: str | None
    end_time: str | None
    urgency: int
    assignee: str | None
    reason: str | None


class ITodoStore(ABC):
    """Todos."""

    @abstractmethod
    async def insert_todo(
        self,
        content: str,
        start_time: str | None = None,
        end_time: str | None = None,
        status: int = TodoStatus.PENDING,
        urgency: int = 0,
        assignee: str | None = None,
        reason: str | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Todo:
        """Make a todo; one that is made completed without an `end_time` is completed now."""

    @abstractmethod
    async def batch_insert_todos(self, todos: Sequence[TodoCreate], *, key: IdempotencyKey | None = None) -> list[int]:
        """Make all of them or none; returns their ids in order. Raises `InvalidInput`."""

    @abstractmethod
    async def get_todos(
        self,
        status: int | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        start_time: str | None = None,
        end_time: str | None = None,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> TodoPage:
        """Todos created from `start_time` to before `end_time`, the newest first."""

    @abstractmethod
    async def get_todo(self, todo_id: int) -> Todo:
        """One todo. Raises `NotFound`."""

    @abstractmethod
    async def update_todo(
        self, todo_id: int, *, key: IdempotencyKey | None = None, **changes: Unpack[TodoChanges]
    ) -> Todo:
        """Change the given columns. Raises `NotFound`."""

    @abstractmethod
    async def update_todo_status(
        self, todo_id: int, status: int, end_time: str | None = None, *, key: IdempotencyKey | None = None
    ) -> Todo:
        """Complete (which sets `end_time`, to now unless given) or reopen (which clears it). Raises `NotFound`."""

    @abstractmethod
    async def toggle_todo(self, todo_id: int, *, key: IdempotencyKey | None = None) -> Todo:
        """Complete a pending todo, reopen a completed one. Raises `NotFound`."""

    @abstractmethod
    async def delete_todo(self, todo_id: int, *, key: IdempotencyKey | None = None) -> None:
        """Remove a todo. Raises `NotFound`."""
