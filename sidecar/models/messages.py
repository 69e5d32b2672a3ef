"""Messages of a conversation, and the thinking behind them."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue

from sidecar.models.base import (
    MAX_INTEGER,
    ApiModel,
    Batch,
    Identifier,
    LongText,
    Record,
    ShortText,
    StoredRecord,
    Text,
    UrlIdentifier,
    input_dataclass,
    unset,
)
from sidecar.models.message_parts import MessagePart, StoredPart
from sidecar.models.timestamps import Timestamp, TimestampInput

Count = Annotated[int, Field(ge=0, le=MAX_INTEGER, strict=True)]
MAX_TOKENS = 10**12
"""Of one message. Nine million such messages can be added up in 64 bits."""
Tokens = Annotated[int, Field(ge=0, le=MAX_TOKENS, strict=True)]
MAX_COST = 10**12
"""Of one message, in whatever unit: sums of a million still have four decimals."""
Cost = Annotated[float, Field(ge=0, le=MAX_COST, allow_inf_nan=False)]
Progress = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"
    DEVELOPER = "developer"
    FUNCTION = "function"


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
    content: str = Field(description="Text of the message; while it streams, everything appended so far.")
    status: MessageStatus
    token_count: Count
    metadata: dict[str, JsonValue]
    latency_ms: int | None = Field(description="Milliseconds from creation to finish.")
    error_message: str | None
    completed_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp
    next_sequence: int = Field(
        default=0, description="Sequence number of the next chunk. 0 once the message is finished."
    )
    external_id: str | None = Field(description="Id in another program, unique in its conversation.")
    parts: list[StoredPart] = Field(description="Content in parts: text, images, calls of tools and their results.")
    model: str | None = Field(description="Model that wrote the message.")
    prompt_tokens: Tokens | None
    completion_tokens: Tokens | None
    cost: Cost | None = Field(description="Cost of the message, in the unit that the app uses.")
    thinking: list[MessageThinking] = Field(
        default_factory=list, description="Steps of thinking, in order. Only on request."
    )


class MessagePage(Record):
    """Messages of a conversation, the oldest first."""

    items: list[Message]
    has_before: bool = Field(description="True if there are older messages; `before` returns them.")
    has_after: bool = Field(description="True if there are newer messages; `after` returns them.")


@input_dataclass
class MessageCreate:
    role: Role
    content: LongText | None = Field(default=None, description="Text of the message. Default: that of its text parts.")
    is_complete: bool = True
    token_count: Count = 0
    parent_message_id: Identifier | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    external_id: ShortText | None = Field(
        default=None,
        description="Id in another program. The message of the conversation that has it is replaced, if there is one.",
    )
    parent_external_id: ShortText | None = Field(
        default=None, description="External id of the parent, instead of `parent_message_id`."
    )
    parts: list[MessagePart] = Field(default_factory=list)
    model: ShortText | None = None
    prompt_tokens: Tokens | None = None
    completion_tokens: Tokens | None = None
    cost: Cost | None = None
    created_at: TimestampInput | None = None
    updated_at: TimestampInput | None = None
    completed_at: TimestampInput | None = None


@input_dataclass
class BatchMessage(MessageCreate):
    parent_index: Count | None = Field(
        default=None,
        description="Position of the parent in the batch, from 0. It may come after this message.",
    )


class MessageBatch(ApiModel):
    messages: Batch[BatchMessage]


class StreamingMessageCreate(ApiModel):
    role: Role = Role.ASSISTANT
    parent_message_id: Identifier | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    external_id: ShortText | None = None
    parent_external_id: ShortText | None = None
    model: ShortText | None = None
    created_at: TimestampInput | None = None


class MessageUpdate(ApiModel):
    new_content: LongText
    is_complete: bool = Field(default=False, description="Also finish the message if it is open.")
    token_count: Count = unset()
    parts: list[MessagePart] = unset("Content in parts. Default: none, since the content is another.")
    model: ShortText | None = unset()
    prompt_tokens: Tokens | None = unset()
    completion_tokens: Tokens | None = unset()
    cost: Cost | None = unset()
    updated_at: TimestampInput | None = unset("Default: now.")


class MessageMetadataUpdate(ApiModel):
    metadata: dict[str, JsonValue] = Field(description="Values to merge into the stored ones. Null removes a name.")


class MessageAppend(ApiModel):
    content_chunk: Text
    token_count: Count = Field(default=0, description="Number of tokens in this chunk.")
    sequence: Count | None = Field(
        default=None,
        description="Sequence number of the chunk, from 0. A repeated chunk is not written twice; a gap is refused.",
    )


class Appended(Record):
    """The result of an append."""

    message_id: Identifier
    next_sequence: int


class MessageFinish(ApiModel):
    status: MessageStatus = MessageStatus.COMPLETED
    error_message: LongText | None = None
    parts: list[MessagePart] = Field(
        default_factory=list, description="Content in parts, beside the text that was appended."
    )
    model: ShortText | None = None
    prompt_tokens: Tokens | None = None
    completion_tokens: Tokens | None = None
    cost: Cost | None = None
    completed_at: TimestampInput | None = Field(default=None, description="Default: now.")


class MessagesQuery(ApiModel):
    limit: int = Field(default=1_000, ge=1, le=1_000)
    after: UrlIdentifier | None = Field(default=None, description="Only messages after this one: a later page.")
    before: UrlIdentifier | None = Field(default=None, description="Only messages before this one: an earlier page.")
    external_id: ShortText | None = Field(default=None, description="Only the message with this external id.")
    newest: bool = Field(default=False, description="Start with the last page instead of the first.")
    include_thinking: bool = True


class MessageQuery(ApiModel):
    include_thinking: bool = True


@input_dataclass
class ThinkingCreate:
    content: Text
    stage: ShortText | None = None
    progress: Progress = 0.0
    sequence: Count | None = Field(default=None, description="Position of the step. Default: after the last one.")
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    created_at: TimestampInput | None = None


class ThinkingBatch(ApiModel):
    thinking: Batch[ThinkingCreate]


class ThinkingList(Record):
    items: list[MessageThinking]
