"""Messages of a conversation, and the thinking behind them."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue

from sidecar.models.base import (
    MAX_INTEGER,
    Batch,
    Identifier,
    Line,
    LongText,
    Record,
    StoredRecord,
    Text,
    Wire,
    new_row,
    unchanged,
)
from sidecar.models.timestamps import Timestamp

Count = Annotated[int, Field(ge=0, le=MAX_INTEGER, strict=True)]
Progress = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class MessageStatus(StrEnum):
    """`pending` and `streaming` messages are open: they grow. The others are finished, each in its way."""

    PENDING = "pending"
    STREAMING = "streaming"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        return self in (MessageStatus.PENDING, MessageStatus.STREAMING)


class MessageThinking(StoredRecord):
    id: Identifier
    message_id: Identifier
    content: str
    stage: str | None
    progress: Progress
    sequence: Count
    metadata: dict[str, JsonValue]
    created_at: Timestamp


class Message(StoredRecord):
    id: Identifier
    conversation_id: Identifier
    parent_message_id: int | None
    role: Role
    content: str = Field(description="While it streams, all that was appended so far.")
    status: MessageStatus
    token_count: Count
    metadata: dict[str, JsonValue]
    latency_ms: int | None = Field(description="From its creation to its end.")
    error_message: str | None
    completed_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp
    next_sequence: int = Field(default=0, description="The sequence of the next chunk; 0 once it is finished.")
    thinking: list[MessageThinking] = Field(default_factory=list, description="In order; only where it is asked for.")


class MessagePage(Record):
    """Messages of a conversation, the oldest first."""

    items: list[Message]
    has_before: bool = Field(description="Whether there are older ones than the first; get them with `before`.")
    has_after: bool = Field(description="Whether there are newer ones than the last; get them with `after`.")


@new_row
class MessageCreate:
    role: Role
    content: LongText
    is_complete: bool = True
    token_count: Count = 0
    parent_message_id: Identifier | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class MessageBatch(Wire):
    messages: Batch[MessageCreate]


class StreamingMessageCreate(Wire):
    role: Role = Role.ASSISTANT
    parent_message_id: Identifier | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class MessageUpdate(Wire):
    new_content: LongText
    is_complete: bool = Field(default=False, description="Also finish it, if it is open.")
    token_count: Count = unchanged()


class MessageMetadataUpdate(Wire):
    metadata: dict[str, JsonValue] = Field(description="Merged over what is there; null removes a name.")


class MessageAppend(Wire):
    content_chunk: Text
    token_count: Count = Field(default=0, description="Tokens of this chunk.")
    sequence: Count | None = Field(
        default=None,
        description="The number of the chunk, from 0: one that came before is not written twice, a gap is refused.",
    )


class Appended(Record):
    """What an append leaves behind."""

    message_id: Identifier
    next_sequence: int


class MessageFinish(Wire):
    status: MessageStatus = MessageStatus.COMPLETED
    error_message: LongText | None = None


class MessagesQuery(Wire):
    limit: int = Field(default=1_000, ge=1, le=1_000)
    after: Identifier | None = Field(default=None, description="Only messages after this one: a later page.")
    before: Identifier | None = Field(default=None, description="Only messages before this one: an earlier page.")
    newest: bool = Field(default=False, description="Begin with the last page rather than the first.")
    include_thinking: bool = True


class MessageQuery(Wire):
    include_thinking: bool = True


@new_row
class ThinkingCreate:
    content: Text
    stage: Line | None = None
    progress: Progress = 0.0
    sequence: Count | None = Field(default=None, description="Its place; behind the last, if left out.")
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class ThinkingBatch(Wire):
    thinking: Batch[ThinkingCreate]


class ThinkingList(Record):
    items: list[MessageThinking]
