"""Conversations: the table `conversations`.

Deleting one marks it and remembers which status it had; permanent deletion takes its messages, their chunks and their
thinking along, by the foreign keys.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from sidecar.errors import Conflict, InvalidInput
from sidecar.models.base import MAX_BATCH, Identifier, LongText, ShortText
from sidecar.models.conversations import (
    MAX_TAGS,
    Conversation,
    ConversationCreate,
    ConversationOrder,
    ConversationPage,
    ConversationStatus,
    FolderName,
    Tag,
)
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import Moment, TimestampInput
from sidecar.storage.arguments import DEFAULT_LIMIT, UNSET, JsonObject, Unset, without_unset
from sidecar.storage.interfaces import Connection, Work
from sidecar.storage.resources.conversation_filters import matching
from sidecar.storage.resources.rows.columns import added, boolean, choice, json_object, text, time
from sidecar.storage.resources.rows.declaration import Exported, Searched
from sidecar.storage.resources.rows.pagination import Order, PageRequest, require_range
from sidecar.storage.resources.rows.table import Resource, Table, located
from sidecar.storage.resources.rows.validation import json_text, one_of, required_time

CONVERSATIONS = Table(
    "conversations",
    Conversation,
    {
        "title": text(optional=True),
        "user_id": text(optional=True),
        "page_name": text(),
        "status": choice(ConversationStatus, ConversationStatus.ACTIVE),
        "metadata": json_object(optional=True),
        "created_at": time(),
        "updated_at": time(),
        "restored_status": choice(ConversationStatus, None),
        "folder": added(text(optional=True)),
        "tags": added(text()),
        "is_pinned": added(boolean()),
        "source": added(text(optional=True)),
        "external_id": added(text(optional=True)),
    },
    kind="conversation",
    topic="conversations",
    counted=(("status",), ("page_name", "status")),
    searched=Searched(
        "conversation",
        6,
        "updated_at",
        ("title", "user_id", "page_name", "status", "metadata", "created_at", "updated_at"),
        delete=lambda work, row_id: mark_deleted(work, row_id),
        title="title",
        content=(),
        present="status != 'deleted'",
    ),
    exported=Exported(
        "conversations", birth=("page_name", "created_at"), same=("source", "external_id"), is_required=True
    ),
    belonging=("messages", "conversation_id"),
)
ORDERS = {
    ConversationOrder.CHANGED: Order("updated_at", newest_first=True),
    ConversationOrder.PINNED: Order("is_pinned", newest_first=True, then="updated_at", name="pinned"),
    ConversationOrder.NEWEST: Order("created_at", newest_first=True, name="newest"),
    ConversationOrder.OLDEST: Order("created_at", name="oldest"),
}


class Conversations(Resource, tables=(CONVERSATIONS,)):
    """Conversations."""

    async def create_conversation(
        self,
        page_name: ShortText,
        user_id: ShortText | None = None,
        title: LongText | None = None,
        metadata: JsonObject | None = None,
        folder: FolderName | None = None,
        tags: Annotated[Sequence[Tag], Field(max_length=MAX_TAGS)] = (),
        is_pinned: bool = False,
        created_at: TimestampInput | None = None,
        updated_at: TimestampInput | None = None,
        source: ShortText | None = None,
        external_id: ShortText | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Conversation:
        """Begin a conversation; `metadata` holds whatever the caller wants to find again.

        `updated_at` is `created_at` unless it is given, and both are now by default.

        The conversation of the same `source` that has the same `external_id` is updated instead, if there is one; its
        status and its time of creation stay, as does its place where none is given. Raises `InvalidInput` for an
        external id without a source.
        """
        columns = _new_columns(
            self._now(), page_name, user_id, title, metadata, folder, tags, is_pinned, created_at, updated_at,
            source, external_id,
        )  # fmt: skip
        return await self._database.write(lambda work: _create(work, columns), key, Conversation)

    async def batch_create_conversations(
        self, conversations: Sequence[ConversationCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Begin all of them or none, as `create_conversation` does; returns their ids in order.

        Raises `InvalidInput`.
        """
        require_range("conversations", len(conversations), 1, MAX_BATCH)

        def insert(work: Work) -> list[int]:
            rows = (_new_columns(work.now, **vars(each)) for each in conversations)
            if all(each.source is None and each.external_id is None for each in conversations):
                return CONVERSATIONS.insert_many(work, rows)
            return [_create(work, row).id for row in located("conversations", rows)]

        return await self._database.write(insert, key, list[int])

    async def get_conversation(self, conversation_id: Identifier) -> Conversation:
        """One conversation, deleted or not. Raises `NotFound`."""
        return await self._database.read(lambda connection: CONVERSATIONS.get(connection, conversation_id))

    async def get_conversation_list(
        self,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        page_name: ShortText | None = None,
        user_id: ShortText | None = None,
        status: str | Sequence[str] | None = None,
        cursor: str | None = None,
        with_total: bool = True,
        created_after: TimestampInput | None = None,
        created_before: TimestampInput | None = None,
        updated_after: TimestampInput | None = None,
        updated_before: TimestampInput | None = None,
        folder: ShortText | None = None,
        tag: str | Sequence[str] | None = None,
        is_pinned: bool | None = None,
        order: str = ConversationOrder.CHANGED,
        source: ShortText | None = None,
        external_id: ShortText | None = None,
    ) -> ConversationPage:
        """Conversations that match every filter, the one that changed last first; without a `status`, all that are not
        deleted. After includes its moment, before does not. An empty `folder` is none; of several tags, all have to be
        there."""
        where = matching(
            page_name, user_id, status, created_after, created_before, updated_after, updated_before, folder, tag,
            is_pinned, source, external_id,
        )  # fmt: skip
        by, part = ORDERS[one_of(ConversationOrder, "order", order)], PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(
            lambda connection: CONVERSATIONS.page(connection, ConversationPage, where, by, part)
        )

    async def get_conversation_count(
        self,
        page_name: ShortText | None = None,
        user_id: ShortText | None = None,
        status: str | Sequence[str] | None = None,
        created_after: TimestampInput | None = None,
        created_before: TimestampInput | None = None,
        updated_after: TimestampInput | None = None,
        updated_before: TimestampInput | None = None,
        folder: ShortText | None = None,
        tag: str | Sequence[str] | None = None,
        is_pinned: bool | None = None,
        source: ShortText | None = None,
        external_id: ShortText | None = None,
    ) -> int:
        """How many conversations match; the filters are those of the list."""
        where = matching(
            page_name, user_id, status, created_after, created_before, updated_after, updated_before, folder, tag,
            is_pinned, source, external_id,
        )  # fmt: skip
        return await self._database.read(lambda connection: CONVERSATIONS.count(connection, where))

    async def update_conversation(
        self,
        conversation_id: Identifier,
        title: LongText | Unset | None = UNSET,
        status: str | Unset = UNSET,
        metadata: JsonObject | Unset = UNSET,
        *,
        key: IdempotencyKey | None = None,
    ) -> Conversation:
        """Change what is given; `metadata` replaces what is there, the status `deleted` deletes.

        Raises `NotFound`, and `Conflict` for a conversation that is deleted.
        """
        columns = without_unset(title=title, status=status, metadata=metadata)
        if "metadata" in columns:
            columns["metadata"] = json_text("metadata", columns["metadata"])
        if "status" in columns:
            columns["status"] = one_of(ConversationStatus, "status", columns["status"])

        def update(work: Work) -> Conversation:
            require_present(work, conversation_id)
            changed = {**columns, "updated_at": work.now}
            if columns.get("status") == ConversationStatus.DELETED:
                mark_deleted(work, conversation_id)
                del changed["status"]
            return CONVERSATIONS.update(work, conversation_id, changed)

        return await self._database.write(update, key, Conversation)

    async def delete_conversation(
        self, conversation_id: Identifier, *, key: IdempotencyKey | None = None
    ) -> Conversation:
        """Mark as deleted. Raises `NotFound`, `Conflict`."""
        return await self._database.write(lambda work: mark_deleted(work, conversation_id), key, Conversation)

    async def restore_conversation(
        self, conversation_id: Identifier, *, key: IdempotencyKey | None = None
    ) -> Conversation:
        """Bring back a deleted one, with the status that it had. Raises `NotFound`, `Conflict`."""

        def restore(work: Work) -> Conversation:
            conversation = CONVERSATIONS.get(work.connection, conversation_id)
            if conversation.status != ConversationStatus.DELETED:
                raise Conflict(f"The conversation {conversation_id} is not deleted.")
            sql = """
                UPDATE conversations SET status = coalesce(restored_status, 'active'), restored_status = NULL
                WHERE id = ?
            """
            work.connection.execute(sql, (conversation_id,))
            return CONVERSATIONS.update(work, conversation_id, {"updated_at": work.now})

        return await self._database.write(restore, key, Conversation)

    async def delete_conversation_permanently(
        self, conversation_id: Identifier, *, key: IdempotencyKey | None = None
    ) -> None:
        """Remove for good, with its messages, their chunks and their thinking. Raises `NotFound`."""
        await self._database.write(lambda work: CONVERSATIONS.delete(work, conversation_id), key, type(None))


def _create(work: Work, columns: Mapping[str, Any]) -> Conversation:
    """Insert a conversation, or update the one that has its external id."""
    external_id = columns.get("external_id")
    stored = None if external_id is None else find_external(work.connection, columns["source"], external_id)
    if stored is None:
        return CONVERSATIONS.insert(work, columns)
    kept = {"status", "created_at", "source", "external_id"}
    kept |= {name for name in ("folder", "tags", "is_pinned") if not columns[name]}
    return CONVERSATIONS.update(work, stored, {name: value for name, value in columns.items() if name not in kept})


def find_external(connection: Connection, source: str, external_id: str) -> int | None:
    """Return the id of the conversation that has this external id at this source, if there is one."""
    sql = "SELECT id FROM conversations WHERE source = ? AND external_id = ?"
    found = connection.execute(sql, (source, external_id)).fetchone()
    return None if found is None else int(found[0])


def require_source(source: str | None, external_id: str | None) -> None:
    """Raises `InvalidInput` for an external id without a source."""
    if external_id is not None and source is None:
        raise InvalidInput.field("source", "is required with external_id, which is unique for its source")


def _new_columns(
    now: str,
    page_name: str,
    user_id: str | None,
    title: str | None,
    metadata: Mapping[str, Any] | None,
    folder: str | None,
    tags: Sequence[str],
    is_pinned: bool,
    created_at: Moment | None,
    updated_at: Moment | None,
    source: str | None = None,
    external_id: str | None = None,
) -> dict[str, Any]:
    """Return the columns of a new conversation. Raises `InvalidInput`."""
    require_source(source, external_id)
    origin = {} if source is None else {"source": source, "external_id": external_id}
    created = now if created_at is None else required_time("created_at", created_at)
    updated = created if updated_at is None else required_time("updated_at", updated_at)
    if updated < created:
        raise InvalidInput.field("updated_at", f"lies before created_at ({updated} < {created})")
    return {
        **origin,
        "page_name": page_name,
        "user_id": user_id,
        "title": title,
        "status": ConversationStatus.ACTIVE,
        "metadata": json_text("metadata", metadata or {}),
        "created_at": created,
        "updated_at": updated,
        "folder": folder,
        "tags": joined_tags(tags),
        "is_pinned": is_pinned,
    }


def joined_tags(tags: Sequence[str]) -> str:
    """Return tags as they are stored."""
    return ",".join(dict.fromkeys(tags))


def require_present(work: Work, conversation_id: int) -> Conversation:
    """The conversation. Raises `NotFound`, and `Conflict` when it is deleted."""
    conversation = CONVERSATIONS.get(work.connection, conversation_id)
    if conversation.status == ConversationStatus.DELETED:
        raise Conflict(f"The conversation {conversation_id} is deleted; restore it first.")
    return conversation


def touch(work: Work, conversation_id: int, moment: str) -> bool:
    """Note that something in the conversation changed: it moves to the top of the list. False for a deleted one."""
    sql = "UPDATE conversations SET updated_at = ? WHERE id = ? AND status != ?"
    touched = work.connection.execute(sql, (moment, conversation_id, ConversationStatus.DELETED)).rowcount == 1
    if touched:
        work.changed(CONVERSATIONS.topic, conversation_id)
    return touched


def touch_as_of(work: Work, conversation_id: int, moment: str) -> None:
    """Note something of that moment, which may be long ago: the conversation never moves down in the list.

    Raises what `require_present` does.
    """
    conversation = require_present(work, conversation_id)
    touch(work, conversation_id, max(moment, conversation.updated_at))


def touch_present(work: Work, conversation_id: int, moment: str) -> None:
    """Do the same, and raise what `require_present` does."""
    if not touch(work, conversation_id, moment):
        require_present(work, conversation_id)


def mark_deleted(work: Work, conversation_id: int) -> Conversation:
    """Mark the conversation as deleted. Raises `NotFound`, `Conflict`."""
    conversation = require_present(work, conversation_id)
    columns = {
        "status": ConversationStatus.DELETED,
        "restored_status": conversation.status,
        "updated_at": work.now,
    }
    return CONVERSATIONS.update(work, conversation_id, columns)
