"""Histories: whole conversations with their messages, as another chat program has kept them."""

from typing import Annotated

from pydantic import FailFast, Field, JsonValue

from sidecar.models.base import ApiModel, Identifier, LongText, Record, ShortText, Text, input_dataclass
from sidecar.models.conversations import ConversationStatus
from sidecar.models.message_parts import ImagePart as ImagePart
from sidecar.models.message_parts import MessagePart as MessagePart
from sidecar.models.message_parts import TextPart as TextPart
from sidecar.models.message_parts import ToolCallPart as ToolCallPart
from sidecar.models.message_parts import ToolResultPart as ToolResultPart
from sidecar.models.messages import Cost, Count, MessageStatus, Progress, Role, Tokens
from sidecar.models.timestamps import TimestampInput

MAX_HISTORIES = 1_000
"""Conversations of one batch."""

MAX_HISTORY_ROWS = 100_000
"""Messages of one batch, and steps of thinking: as many hold other writes up for a few seconds."""


@input_dataclass
class HistoryThinking:
    content: Text
    stage: ShortText | None = None
    progress: Progress = 1.0
    created_at: TimestampInput | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


@input_dataclass
class HistoryMessage:
    """A message of a history.

    Its parent is an earlier or later message of the same history, or a stored one of the conversation.
    """

    role: Role
    content: LongText = ""
    parts: list[MessagePart] = Field(default_factory=list)
    external_id: ShortText | None = None
    parent_index: Count | None = Field(default=None, description="Position of the parent in this list, from 0.")
    parent_external_id: ShortText | None = Field(
        default=None, description="External id of the parent, which is in this list or stored in the conversation."
    )
    status: MessageStatus = MessageStatus.COMPLETED
    model: ShortText | None = None
    prompt_tokens: Tokens | None = None
    completion_tokens: Tokens | None = None
    cost: Cost | None = None
    token_count: Count = 0
    created_at: TimestampInput | None = None
    updated_at: TimestampInput | None = None
    completed_at: TimestampInput | None = None
    error_message: LongText | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    thinking: list[HistoryThinking] = Field(
        default_factory=list,
        description="Steps in order. Of a stored message, they replace its steps; none leave them.",
    )


class ConversationHistory(ApiModel):
    """A conversation with its messages."""

    page_name: ShortText
    source: ShortText | None = Field(
        default=None, description="Program or account in which `external_id` is unique. Required with it."
    )
    external_id: ShortText | None = Field(
        default=None, description="Id there. A stored conversation with the same one is updated."
    )
    title: LongText | None = None
    user_id: ShortText | None = None
    status: ConversationStatus = ConversationStatus.ACTIVE
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    created_at: TimestampInput | None = None
    updated_at: TimestampInput | None = None
    messages: list[HistoryMessage] = Field(default_factory=list, max_length=MAX_HISTORY_ROWS)
    remove_missing: bool = Field(
        default=False,
        description="Also delete stored messages with an external id that is not in the list.",
    )


class HistoryBatch(ApiModel):
    """Conversations to import, all or none."""

    conversations: Annotated[list[ConversationHistory], Field(min_length=1, max_length=MAX_HISTORIES), FailFast()]
    dry_run: bool = Field(default=False, description="Only report what would be imported; nothing is changed.")


class HistoryImported(Record):
    """The result of one conversation of a batch."""

    conversation_id: Identifier
    created: bool = Field(description="False if the conversation was already stored.")
    messages_added: int
    messages_replaced: int
    messages_unchanged: int
    messages_removed: int


class HistoriesImported(Record):
    """The results, in the order of the request."""

    items: list[HistoryImported]
