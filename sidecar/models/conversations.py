"""Conversations: chats of a user on a page, each with its messages."""

from enum import StrEnum

from pydantic import Field, JsonValue

from sidecar.models.base import (
    ApiModel,
    Batch,
    Identifier,
    Page,
    PageQuery,
    ShortText,
    StoredRecord,
    input_dataclass,
    unset,
)
from sidecar.models.timestamps import Timestamp


class ConversationStatus(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


class Conversation(StoredRecord):
    id: Identifier
    title: str | None
    user_id: str | None
    page_name: str
    status: ConversationStatus
    metadata: dict[str, JsonValue] = Field(description="Project context, creation time, and whatever the caller added.")
    created_at: Timestamp
    updated_at: Timestamp


class ConversationPage(Page[Conversation]):
    """Conversations, the one that changed last first."""


@input_dataclass
class ConversationCreate:
    page_name: ShortText
    user_id: ShortText | None = None
    title: ShortText | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class ConversationBatch(ApiModel):
    conversations: Batch[ConversationCreate]


class ConversationUpdate(ApiModel):
    """Fields that are left out stay as they are."""

    title: ShortText | None = unset()
    status: ConversationStatus = unset()
    metadata: dict[str, JsonValue] = unset()


class ConversationQuery(PageQuery):
    page_name: ShortText | None = None
    user_id: ShortText | None = None
    status: ConversationStatus | None = Field(
        default=None, description="Only this status. Default: every status but deleted."
    )
