"""Conversations: the table `conversations`.

Deleting one marks it and remembers which status it had; permanent deletion takes its messages, their chunks and their
thinking along, by the foreign keys.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.errors import Conflict
from sidecar.models.base import MAX_BATCH, Identifier, ShortText
from sidecar.models.conversations import (
    Conversation,
    ConversationCreate,
    ConversationPage,
    ConversationStatus,
)
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.arguments import DEFAULT_LIMIT, UNSET, JsonObject, Unset, without_unset
from sidecar.storage.interfaces import Work
from sidecar.storage.resources.rows.columns import choice, json_object, text, time
from sidecar.storage.resources.rows.declaration import Exported, Searched
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, require_range
from sidecar.storage.resources.rows.table import Resource, Table
from sidecar.storage.resources.rows.validation import json_text, one_of

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
    },
    kind="conversation",
    topic="conversations",
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
    exported=Exported("conversations", birth=("page_name", "created_at"), is_required=True),
    belonging=("messages", "conversation_id"),
)
LAST_CHANGED_FIRST = Order("updated_at", newest_first=True)


class Conversations(Resource, tables=(CONVERSATIONS,)):
    """Conversations."""

    async def create_conversation(
        self,
        page_name: ShortText,
        user_id: ShortText | None = None,
        title: ShortText | None = None,
        metadata: JsonObject | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Conversation:
        """Begin a conversation; `metadata` holds whatever the caller wants to find again."""
        columns = _new_columns(self._now(), page_name, user_id, title, metadata)
        return await self._database.write(lambda work: CONVERSATIONS.insert(work, columns), key, Conversation)

    async def batch_create_conversations(
        self, conversations: Sequence[ConversationCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Begin all of them or none; returns their ids in order. Raises `InvalidInput`."""
        require_range("conversations", len(conversations), 1, MAX_BATCH)

        def insert(work: Work) -> list[int]:
            return CONVERSATIONS.insert_many(work, (_new_columns(work.now, **vars(each)) for each in conversations))

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
        status: str | None = None,
        cursor: str | None = None,
        with_total: bool = True,
    ) -> ConversationPage:
        """Conversations, the one that changed last first; without a `status`, all that are not deleted."""
        where = Where().equals("page_name", page_name).equals("user_id", user_id)
        if status is None:
            where.that("status != ?", ConversationStatus.DELETED)
        else:
            where.equals("status", one_of(ConversationStatus, "status", status))
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(
            lambda connection: CONVERSATIONS.page(connection, ConversationPage, where, LAST_CHANGED_FIRST, part)
        )

    async def update_conversation(
        self,
        conversation_id: Identifier,
        title: ShortText | Unset | None = UNSET,
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


def _new_columns(
    now: str, page_name: str, user_id: str | None, title: str | None, metadata: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the columns of a new conversation. Raises `InvalidInput`."""
    return {
        "page_name": page_name,
        "user_id": user_id,
        "title": title,
        "status": ConversationStatus.ACTIVE,
        "metadata": json_text("metadata", metadata or {}),
        "created_at": now,
        "updated_at": now,
    }


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
