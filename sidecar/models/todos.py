"""Todos: tasks with a status, an urgency and times."""

from enum import IntEnum, StrEnum

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


class TodoOrder(StrEnum):
    """Orders of a list of todos. A minus sign reverses an order, but todos without the time in question stay last."""

    URGENCY = "urgency"
    LEAST_URGENT = "-urgency"
    NEWEST = "newest"
    OLDEST = "oldest"
    START_TIME = "start_time"
    LATEST_START = "-start_time"
    END_TIME = "end_time"
    LATEST_END = "-end_time"
    COMPLETED_AT = "completed_at"
    LATEST_COMPLETED = "-completed_at"


class Todo(StoredRecord):
    id: Identifier
    content: str
    created_at: Timestamp
    start_time: Timestamp | None
    end_time: Timestamp | None = Field(
        description="Deadline or planned end. Completing sets it where there is none, and keeps it otherwise."
    )
    status: TodoStatus
    urgency: int
    assignee: str | None
    reason: str | None
    completed_at: Timestamp | None = Field(
        description="Time when the todo was completed. Null for a pending todo, and where another program completed "
        "it without naming a time."
    )


class TodoPage(Page[Todo]):
    """Todos, in the order that was asked for."""


@input_dataclass
class TodoCreate:
    content: Text
    start_time: TimestampInput | None = None
    end_time: TimestampInput | None = None
    status: TodoStatus = TodoStatus.PENDING
    urgency: Integer = 0
    assignee: ShortText | None = None
    reason: LongText | None = None
    created_at: TimestampInput | None = Field(default=None, description="Time of creation. Default: now.")
    completed_at: TimestampInput | None = Field(
        default=None,
        description="Time of completion, only for a completed todo. Default: its `end_time`, or now.",
    )


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
    end_time: TimestampInput | None = Field(
        default=None,
        description="Time of the completion, by default now; or the new `end_time` of a reopened todo.",
    )


class TodoQuery(PageQuery):
    status: TodoStatus | None = None
    start_time: TimestampInput | None = Field(
        default=None, description="Only todos whose own `start_time` is at or after this time."
    )
    end_time: TimestampInput | None = Field(
        default=None, description="Only todos whose own `end_time` is at or before this time."
    )
    order: TodoOrder = Field(
        default=TodoOrder.URGENCY,
        description="`urgency`: the most urgent first, the newest first among equals. `-urgency`: the other way round. "
        "`newest`, `oldest`: by creation. `start_time`, `end_time`, `completed_at`: the earliest first, or the latest "
        "first with a minus sign; todos without that time come last.",
    )
    created_after: TimestampInput | None = Field(default=None, description="Created at or after this time.")
    created_before: TimestampInput | None = Field(default=None, description="Created before this time.")
    started_after: TimestampInput | None = Field(default=None, description="`start_time` at or after this time.")
    started_before: TimestampInput | None = Field(default=None, description="`start_time` before this time.")
    ended_after: TimestampInput | None = Field(default=None, description="`end_time` at or after this time.")
    ended_before: TimestampInput | None = Field(default=None, description="`end_time` before this time.")
    completed_after: TimestampInput | None = Field(default=None, description="Completed at or after this time.")
    completed_before: TimestampInput | None = Field(default=None, description="Completed before this time.")
