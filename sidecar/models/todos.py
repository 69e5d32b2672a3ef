"""Todos: tasks with a status, an urgency and times."""

from enum import IntEnum

from pydantic import Field

from sidecar.models.base import (
    ApiModel,
    Batch,
    Identifier,
    Integer,
    LongText,
    Page,
    PageQuery,
    ShortText,
    StoredRecord,
    Text,
    input_dataclass,
    unset,
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
    end_time: Timestamp | None = Field(description="Time when the todo was completed.")
    status: TodoStatus
    urgency: int
    assignee: str | None
    reason: str | None


class TodoPage(Page[Todo]):
    """Todos, the newest first."""


@input_dataclass
class TodoCreate:
    content: Text
    start_time: TimestampInput | None = None
    end_time: TimestampInput | None = None
    status: TodoStatus = TodoStatus.PENDING
    urgency: Integer = 0
    assignee: ShortText | None = None
    reason: LongText | None = None


class TodoBatch(ApiModel):
    todos: Batch[TodoCreate]


class TodoUpdate(ApiModel):
    """Fields that are left out stay as they are."""

    content: Text = unset()
    start_time: TimestampInput | None = unset()
    end_time: TimestampInput | None = unset()
    urgency: Integer = unset()
    assignee: ShortText | None = unset()
    reason: LongText | None = unset()


class TodoStatusChange(ApiModel):
    status: TodoStatus
    end_time: TimestampInput | None = Field(default=None, description="Time when the todo was completed. Default: now.")


class TodoQuery(PageQuery):
    status: TodoStatus | None = None
    start_time: TimestampInput | None = Field(default=None, description="Only todos created at or after this time.")
    end_time: TimestampInput | None = Field(default=None, description="Only todos created before this time.")
