"""Todos: tasks with a status, an urgency and times."""

from enum import IntEnum

from pydantic import Field

from sidecar.models.base import (
    Batch,
    Identifier,
    Integer,
    Line,
    LongText,
    Page,
    PageQuery,
    StoredRecord,
    Text,
    Wire,
    new_row,
    unchanged,
)
from sidecar.models.timestamps import Timestamp, TimestampInput


class TodoStatus(IntEnum):
    """The seed's two states."""

    PENDING = 0
    COMPLETED = 1


class Todo(StoredRecord):
    id: Identifier
    content: str
    created_at: Timestamp
    start_time: Timestamp | None
    end_time: Timestamp | None = Field(description="When it was completed.")
    status: TodoStatus
    urgency: int
    assignee: str | None
    reason: str | None


class TodoPage(Page[Todo]):
    """Todos, the newest first."""


@new_row
class TodoCreate:
    content: Text
    start_time: TimestampInput | None = None
    end_time: TimestampInput | None = None
    status: TodoStatus = TodoStatus.PENDING
    urgency: Integer = 0
    assignee: Line | None = None
    reason: LongText | None = None


class TodoBatch(Wire):
    todos: Batch[TodoCreate]


class TodoUpdate(Wire):
    """Fields that are left out stay as they are."""

    content: Text = unchanged()
    start_time: TimestampInput | None = unchanged()
    end_time: TimestampInput | None = unchanged()
    urgency: Integer = unchanged()
    assignee: Line | None = unchanged()
    reason: LongText | None = unchanged()


class TodoStatusChange(Wire):
    status: TodoStatus
    end_time: TimestampInput | None = Field(default=None, description="When it was completed; now, if left out.")


class TodoQuery(PageQuery):
    status: TodoStatus | None = None
    start_time: TimestampInput | None = Field(default=None, description="Only todos created at or after this time.")
    end_time: TimestampInput | None = Field(default=None, description="Only todos created before this time.")
