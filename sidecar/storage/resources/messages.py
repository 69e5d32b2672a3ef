"""Messages: the table `messages`.

A message is open (`pending`, `streaming`) or finished (`completed`, `failed`, `cancelled`). An open one grows by
chunks; when it finishes they are folded into its content. Whoever reads it in between sees every chunk that was
acknowledged.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache, partial
from typing import Any

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models import timestamps
from sidecar.models.base import MAX_BATCH, Identifier, LongText, Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import (
    Appended,
    Count,
    Message,
    MessageCreate,
    MessagePage,
    MessageStatus,
    Role,
)
from sidecar.storage.arguments import MAX_LIMIT, JsonObject
from sidecar.storage.interfaces import Connection, MessageAsJson, MessageSpan, Work
from sidecar.storage.resources import chunks, conversations, message_page
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources.message_table import MESSAGES
from sidecar.storage.resources.rows.columns import safe_value
from sidecar.storage.resources.rows.pagination import require_range
from sidecar.storage.resources.rows.table import Resource
from sidecar.storage.resources.rows.validation import json_text, one_of

DELTAS = "messages.delta"
"""The topic of appended chunks, whose events hold the text."""

CUT_OFF = "The sidecar ended while this message was being written."


class Messages(Resource, tables=(MESSAGES,)):
    """Messages, which may grow while they are read."""

    async def create_message(
        self,
        conversation_id: Identifier,
        role: str,
        content: LongText,
        is_complete: bool = True,
        token_count: Count = 0,
        parent_message_id: Identifier | None = None,
        metadata: JsonObject | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Add a message; one that is not complete is `pending`.

        Raises `NotFound` for the conversation or the parent, `Conflict` for a deleted conversation or a parent in
        another one.
        """
        columns = _new_columns(
            self._now(),
            conversation_id,
            one_of(Role, "role", role),
            content,
            is_complete,
            token_count,
            parent_message_id,
            metadata,
        )
        return await self._database.write(lambda work: _insert(work, columns, parent_message_id), key, Message)

    async def batch_create_messages(
        self, conversation_id: Identifier, messages: Sequence[MessageCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Add all of them in this order or none; returns their ids.

        Their parents have to be there already: a message of the same batch has no id that could be named. Raises
        `InvalidInput`, and what `create_message` raises.
        """
        require_range("messages", len(messages), 1, MAX_BATCH)

        def insert(work: Work) -> list[int]:
            require_parent = cache(partial(_require_parent, work.connection, conversation_id))

            def columns(message: MessageCreate) -> dict[str, Any]:
                require_parent(message.parent_message_id)
                return _new_columns(work.now, conversation_id, **vars(message))

            conversations.touch_present(work, conversation_id, work.now)
            return MESSAGES.insert_many(work, map(columns, messages))

        return await self._database.write(insert, key, list[int])

    async def create_streaming_message(
        self,
        conversation_id: Identifier,
        role: str,
        parent_message_id: Identifier | None = None,
        metadata: JsonObject | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Add an empty message that is going to grow. Raises as `create_message` does."""
        speaker, now = one_of(Role, "role", role), self._now()
        columns = _new_columns(now, conversation_id, speaker, "", False, 0, parent_message_id, metadata)
        columns["status"] = MessageStatus.STREAMING
        return await self._database.write(lambda work: _insert(work, columns, parent_message_id), key, Message)

    async def get_message(self, message_id: Identifier, include_thinking: bool = True) -> Message:
        """One message; while it streams, with every chunk that was acknowledged. Raises `NotFound`."""
        return await self._database.read(lambda connection: self._message(connection, message_id, include_thinking))

    async def get_conversation_messages(
        self,
        conversation_id: Identifier,
        limit: int = MAX_LIMIT,
        after: Identifier | None = None,
        before: Identifier | None = None,
        newest: bool = False,
        include_thinking: bool = True,
    ) -> MessagePage:
        """A page of messages, the oldest first: the first one, the last one (`newest`), or the one next to a message.

        Raises `NotFound` for the conversation.
        """
        return MessagePage.model_validate_json(
            await self.get_conversation_messages_as_json(
                conversation_id, limit, after, before, newest, include_thinking
            )
        )

    async def get_conversation_messages_as_json(
        self,
        conversation_id: Identifier,
        limit: int = MAX_LIMIT,
        after: Identifier | None = None,
        before: Identifier | None = None,
        newest: bool = False,
        include_thinking: bool = True,
    ) -> bytes:
        """The same page as its `MessagePage` in JSON, for those who only hand it on; much faster."""
        require_range("limit", limit, 1, MAX_LIMIT)
        if sum(anchor is not None for anchor in (after, before)) + newest > 1:
            raise InvalidInput.field("after", "cannot be given together with before or newest")
        backwards = before is not None or newest

        span = MessageSpan(conversation_id, after, before, limit + 1, backwards)

        dialect = self._database.dialect

        def read(connection: Connection) -> list[MessageAsJson]:
            conversations.CONVERSATIONS.get(connection, conversation_id)
            return dialect.read_messages(connection, span, include_thinking=include_thinking)

        found = await self._database.read(read)
        there_is_more = len(found) > limit
        items = found[:limit]
        if backwards:
            items.reverse()
        return message_page.page(
            items,
            has_before=there_is_more if backwards else after is not None,
            has_after=before is not None if backwards else there_is_more,
        )

    async def update_message(
        self,
        message_id: Identifier,
        new_content: LongText,
        is_complete: bool = False,
        token_count: Count | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Replace the content, and finish the message if it is open and now complete. Raises `NotFound`."""
        columns: dict[str, Any] = {"content": new_content, "updated_at": self._now()}
        if token_count is not None:
            columns["token_count"] = token_count

        def update(work: Work) -> Message:
            message = MESSAGES.get(work.connection, message_id)
            chunks.remove(work.connection, message_id)
            message = MESSAGES.update(work, message_id, columns)
            is_ending = is_complete and message.status.is_open
            return _finish(work, message, MessageStatus.COMPLETED, None) if is_ending else message

        return await self._database.write(update, key, Message)

    async def append_message_content(
        self,
        message_id: Identifier,
        content_chunk: Text,
        token_count: Count = 0,
        sequence: Count | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Appended:
        """Add a chunk to an open message; a pending one begins to stream.

        With a `sequence`, a chunk that was written already is not written again. Raises `NotFound`, and `Conflict` for
        a finished message, a gap in the sequence, another text for a chunk that was written, or a message that would
        have more than `MAX_TEXT_BYTES`.
        """

        def append(work: Work) -> Appended:
            conversation_id, status = _state(work.connection, message_id)
            if not status.is_open:
                raise Conflict(f"The message {message_id} is {status}; nothing can be appended to it.")
            if status is MessageStatus.PENDING:
                MESSAGES.update(work, message_id, {"status": MessageStatus.STREAMING})
            written = chunks.append(work.connection, message_id, content_chunk, token_count, sequence)
            if written is None:
                return Appended(message_id=message_id, next_sequence=(sequence or 0) + 1)
            delta = {"conversation_id": conversation_id, "sequence": written, "text": content_chunk}
            work.changed(DELTAS, message_id, delta)
            return Appended(message_id=message_id, next_sequence=written + 1)

        return await self._database.write(append, key, Appended)

    async def update_message_metadata(
        self, message_id: Identifier, metadata: JsonObject, *, key: IdempotencyKey | None = None
    ) -> Message:
        """Merge over the metadata that is there; `None` removes a name. Raises `NotFound`."""

        def update(work: Work) -> Message:
            merged = {**MESSAGES.get(work.connection, message_id).metadata, **metadata}
            kept = {name: value for name, value in merged.items() if value is not None}
            columns = {"metadata": json_text("metadata", kept), "updated_at": work.now}
            MESSAGES.update(work, message_id, columns)
            return self._message(work.connection, message_id, include_thinking=False)

        return await self._database.write(update, key, Message)

    async def mark_message_finished(
        self,
        message_id: Identifier,
        status: str = MessageStatus.COMPLETED,
        error_message: LongText | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Finish an open message: fold its chunks, set its end and latency.

        One that finished the same way stays as it is. Raises `NotFound`, and `Conflict` when it finished otherwise.
        """
        wanted = one_of(MessageStatus, "status", status)
        if wanted.is_open:
            raise InvalidInput.field("status", f"must be one of a finished message, not {wanted}")
        return await self._database.write(
            lambda work: _finish(work, MESSAGES.get(work.connection, message_id), wanted, error_message), key, Message
        )

    async def interrupt_message(self, message_id: Identifier, *, key: IdempotencyKey | None = None) -> Message:
        """Finish an open message as `cancelled`, keeping what it has. Raises as `mark_message_finished` does."""
        return await self.mark_message_finished(message_id, MessageStatus.CANCELLED, key=key)

    async def delete_message(self, message_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Remove a message with its chunks and thinking. Raises `NotFound`."""
        await self._database.write(lambda work: MESSAGES.delete(work, message_id), key, type(None))

    def _message(self, connection: Connection, message_id: int, include_thinking: bool) -> Message:
        found = self._database.dialect.read_message(connection, message_id, include_thinking=include_thinking)
        if found is None:
            raise NotFound.row(MESSAGES.kind, message_id)
        return Message.model_validate_json(message_page.whole(found))


def fail_cut_off(work: Work) -> None:
    """Finish, as failed, the messages that were streaming when the sidecar ended; for the start, before any write."""
    sql = "SELECT id FROM messages WHERE status = ?"
    for (message_id,) in work.connection.execute(sql, (MessageStatus.STREAMING,)).fetchall():
        _finish(work, MESSAGES.get(work.connection, message_id), MessageStatus.FAILED, CUT_OFF)


def _new_columns(
    now: str,
    conversation_id: int,
    role: Role,
    content: str,
    is_complete: bool,
    token_count: int,
    parent_message_id: int | None,
    metadata: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the columns of a new message. Raises `InvalidInput`."""
    return {
        "conversation_id": conversation_id,
        "parent_message_id": None if parent_message_id is None else str(parent_message_id),
        "role": role,
        "content": content,
        "status": MessageStatus.COMPLETED if is_complete else MessageStatus.PENDING,
        "token_count": token_count,
        "metadata": json_text("metadata", metadata or {}),
        "latency_ms": 0 if is_complete else None,
        "completed_at": now if is_complete else None,
        "created_at": now,
        "updated_at": now,
    }


def _insert(work: Work, columns: Mapping[str, Any], parent_message_id: int | None) -> Message:
    conversations.touch_present(work, columns["conversation_id"], columns["created_at"])
    _require_parent(work.connection, columns["conversation_id"], parent_message_id)
    return MESSAGES.insert(work, columns)


def _require_parent(connection: Connection, conversation_id: int, parent_id: int | None) -> None:
    """Raises `NotFound`, and `Conflict` for a parent in another conversation."""
    if parent_id is None:
        return
    of_parent, _ = _state(connection, parent_id)
    if of_parent != conversation_id:
        raise Conflict(f"The parent message {parent_id} belongs to another conversation.")


def _state(connection: Connection, message_id: int) -> tuple[int, MessageStatus]:
    """The conversation and the status of a message, without reading its text. Raises `NotFound`."""
    row = connection.execute("SELECT conversation_id, status FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise NotFound.row(MESSAGES.kind, message_id)
    return row["conversation_id"], safe_value(MESSAGES.columns["status"], row["status"])


def _finish(work: Work, message: Message, status: MessageStatus, error_message: str | None) -> Message:
    """The message with its chunks folded in and its end noted; unchanged if it has finished so already."""
    if message.status == status:
        return message
    if not message.status.is_open:
        raise Conflict(f"The message {message.id} is {message.status} and cannot become {status}.")
    appended = chunks.read(work.connection, message.id)
    unreadable = sorted({*message.invalid, *appended.invalid} & {"content", "token_count"})
    if unreadable:
        _keep_original(work, message.id, unreadable)
    chunks.remove(work.connection, message.id)
    now = work.now
    lasted = timestamps.parse(now) - timestamps.parse(message.created_at)
    conversations.touch(work, message.conversation_id, now)
    columns = {
        "content": message.content + appended.text,
        "token_count": message.token_count + appended.token_count,
        "status": status,
        "error_message": error_message,
        "completed_at": now,
        "latency_ms": max(0, lasted // timedelta(milliseconds=1)),
        "updated_at": now,
    }
    return MESSAGES.update(work, message.id, columns)


def _keep_original(work: Work, message_id: int, unreadable: Sequence[str]) -> None:
    """Set aside what is stored of the message and its chunks, before the readable part of it takes its place."""
    row = dict(work.connection.execute("SELECT * FROM messages WHERE id = ?", (message_id,)).fetchone())
    row |= {name: value for name, value in chunks.stored(work.connection, row).items() if name in unreadable}
    reason = orphans.unreadable(unreadable)
    orphans.keep(work.connection, MESSAGES.name, row, reason, work.now, is_carried=True, origin="repair")
