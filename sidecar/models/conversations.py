"""Conversations: chats of a user on a page, each with its messages."""

from enum import StrEnum

from pydantic import Field, JsonValue

from sidecar.models.base import Batch, Identifier, Line, Page, PageQuery, StoredRecord, Wire, new_row, unchanged
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


@new_row
class ConversationCreate:
    page_name: Line
    user_id: Line | None = None
    title: Line | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class ConversationBatch(Wire):
    conversations: Batch[ConversationCreate]


class ConversationUpdate(Wire):
    """Fields that are left out stay as they are."""

    title: Line | None = unchanged()
    status: ConversationStatus = unchanged()
    metadata: dict[str, JsonValue] = unchanged()


class ConversationQuery(PageQuery):
    page_name: Line | None = None
    user_id: Line | None = None
    status: ConversationStatus | None = Field(default=None, description="All but deleted ones, if left out.")
