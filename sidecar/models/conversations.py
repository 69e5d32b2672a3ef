"""Conversations: chats of a user on a page, each with its messages."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StringConstraints

from sidecar.models.base import (
    ApiModel,
    Batch,
    Identifier,
    LongText,
    Page,
    PageQuery,
    Record,
    ShortText,
    StoredRecord,
    input_dataclass,
    unset,
)
from sidecar.models.timestamps import Timestamp, TimestampInput

MAX_FOLDER_NAME = 200
"""A name fits into a cursor of the list of folders."""
MAX_ORGANIZED = 1_000
"""As many as a page of the list has; they hold up other writes for a quarter of a second."""
MAX_TAG = 100
MAX_TAGS = 32
"""All tags of a conversation fit into the 4,096 characters in which the index looks for them (`m0013`)."""


class ConversationStatus(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


class ConversationOrder(StrEnum):
    """The orders of the list of conversations."""

    CHANGED = "changed"
    PINNED = "pinned"
    NEWEST = "newest"
    OLDEST = "oldest"


def split_tags(value: object) -> object:
    """Return the tags in a stored text, each once; anything else as it is."""
    if not isinstance(value, str):
        return value
    return list(dict.fromkeys(filter(None, (tag.strip(" ") for tag in value.split(","))))) if value else []


def _require_tag(value: str) -> str:
    if "," in value or value != value.strip() or not value.isprintable():
        raise ValueError("must not contain commas or control characters, and not begin or end with a space")
    return value


FolderName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_FOLDER_NAME, strict=True)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TAG, strict=True), AfterValidator(_require_tag)]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS)]
StoredTags = Annotated[list[str], BeforeValidator(split_tags)]
"""Tags as they are stored: one text, with commas between them, as the tags of a vault."""


class Conversation(StoredRecord):
    id: Identifier
    title: str | None
    user_id: str | None
    page_name: str
    status: ConversationStatus
    metadata: dict[str, JsonValue] = Field(description="Project context, creation time, and whatever the caller added.")
    created_at: Timestamp
    updated_at: Timestamp
    folder: str | None = Field(description="Name of the folder. Null outside of folders.")
    tags: StoredTags
    is_pinned: bool
    source: str | None = Field(description="Program or account that the conversation came from.")
    external_id: str | None = Field(description="Id in another program, unique for its `source`.")


class ConversationPage(Page[Conversation]):
    """Conversations, in the order that was asked for."""


@input_dataclass
class ConversationCreate:
    page_name: ShortText
    user_id: ShortText | None = None
    title: LongText | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    folder: FolderName | None = None
    tags: Tags = Field(default_factory=list)
    is_pinned: bool = False
    created_at: TimestampInput | None = Field(default=None, description="Time of creation. Default: now.")
    updated_at: TimestampInput | None = Field(
        default=None, description="Time of the last change. Default: `created_at`, or now."
    )
    source: ShortText | None = Field(
        default=None, description="Program or account that the conversation comes from. Required with `external_id`."
    )
    external_id: ShortText | None = Field(
        default=None, description="Id there. The conversation that has it is updated, if there is one."
    )


class ConversationBatch(ApiModel):
    conversations: Batch[ConversationCreate]


class ConversationUpdate(ApiModel):
    """Fields that are left out stay as they are."""

    title: LongText | None = unset()
    status: ConversationStatus = unset()
    metadata: dict[str, JsonValue] = unset()


class ConversationCountQuery(ApiModel):
    """Which conversations are counted. Conditions must all hold."""

    page_name: ShortText | None = None
    user_id: ShortText | None = None
    source: ShortText | None = None
    external_id: ShortText | None = None
    status: list[ConversationStatus] | None = Field(
        default=None,
        min_length=1,
        max_length=len(ConversationStatus),
        description="Only this status; repeat the parameter for several. Default: every status but deleted.",
    )
    created_after: TimestampInput | None = Field(default=None, description="Created at or after this time.")
    created_before: TimestampInput | None = Field(default=None, description="Created before this time.")
    updated_after: TimestampInput | None = Field(default=None, description="Changed at or after this time.")
    updated_before: TimestampInput | None = Field(default=None, description="Changed before this time.")
    folder: ShortText | None = Field(
        default=None, description="Only conversations in this folder. Empty: only those in no folder."
    )
    tag: list[Tag] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_TAGS,
        description="Only conversations with this tag; repeat the parameter for several, which must all be present.",
    )
    is_pinned: bool | None = Field(default=None, description="Only pinned conversations, or only the others.")


class ConversationQuery(PageQuery, ConversationCountQuery):
    """Which conversations are listed. Conditions must all hold."""

    order: ConversationOrder = Field(
        default=ConversationOrder.CHANGED,
        description="`changed`: the last changed first. `pinned`: pinned ones first, then the last changed. "
        "`newest` and `oldest`: by creation.",
    )


class ConversationCount(Record):
    count: int


class NamesQuery(ApiModel):
    """Which part of a list of names is asked for."""

    limit: int = Field(default=100, ge=1, le=1_000, description="Largest number of names to return.")
    offset: int = Field(default=0, ge=0, le=10_000, description="Number of names to skip.")


class ConversationFolder(Record):
    folder: str
    count: int = Field(description="Number of conversations in the folder, without deleted ones.")


class ConversationFolders(Record):
    """Folders that hold conversations, by name."""

    items: list[ConversationFolder]
    total: int = Field(description="Number of folders.")


class ConversationTag(Record):
    tag: str
    count: int = Field(description="Number of conversations with the tag, without deleted ones.")


class ConversationTags(Record):
    """Tags that conversations have, by name."""

    items: list[ConversationTag]
    total: int = Field(description="Number of tags.")


class ConversationChanges(ApiModel):
    """Changes of several conversations. Fields that are left out stay as they are."""

    ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_ORGANIZED)]
    folder: FolderName | None = unset("Folder to move the conversations to. Null: out of their folders.")
    add_tags: Tags = unset()
    remove_tags: Tags = unset()
    is_pinned: bool = unset()
    is_archived: bool = unset()


class ConversationsOrganized(Record):
    """The result. A conversation that was already as wanted is unchanged."""

    changed: list[Identifier]
    unchanged: list[Identifier]
