"""The store of todos."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from sidecar.models.base import Identifier, Integer, Line, LongText, Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import TimestampInput
from sidecar.models.todos import Todo, TodoCreate, TodoPage, TodoStatus
from sidecar.storage.stores.arguments import UNSET, Unset
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class ITodoStore(ABC):
    """Todos."""

    @abstractmethod
    async def insert_todo(
        self,
        content: Text,
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        status: int = TodoStatus.PENDING,
        urgency: Integer = 0,
        assignee: Line | None = None,
        reason: LongText | None = None,
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
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> TodoPage:
        """Todos created from `start_time` to before `end_time`, the newest first."""

    @abstractmethod
    async def get_todo(self, todo_id: Identifier) -> Todo:
        """One todo. Raises `NotFound`."""

    @abstractmethod
    async def update_todo(
        self,
        todo_id: Identifier,
        content: Text | Unset = UNSET,
        start_time: TimestampInput | Unset | None = UNSET,
        end_time: TimestampInput | Unset | None = UNSET,
        urgency: Integer | Unset = UNSET,
        assignee: Line | Unset | None = UNSET,
        reason: LongText | Unset | None = UNSET,
        *,
        key: IdempotencyKey | None = None,
    ) -> Todo:
        """Change what is given; `update_todo_status` changes the status. Raises `NotFound`, `InvalidInput`."""

    @abstractmethod
    async def update_todo_status(
        self,
        todo_id: Identifier,
        status: int,
        end_time: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Todo:
        """Complete (which sets `end_time`, to now unless given) or reopen (which clears it). Raises `NotFound`."""

    @abstractmethod
    async def toggle_todo(self, todo_id: Identifier, *, key: IdempotencyKey | None = None) -> Todo:
        """Complete a pending todo, reopen a completed one. Raises `NotFound`."""

    @abstractmethod
    async def delete_todo(self, todo_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Remove a todo. Raises `NotFound`."""
