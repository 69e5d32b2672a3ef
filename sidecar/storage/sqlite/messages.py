"""Messages: the table `messages`.

A message is open (`pending`, `streaming`) or finished (`completed`, `failed`, `cancelled`). An open one grows by
chunks; when it finishes they are folded into its content. Whoever reads it in between sees every chunk that was
acknowledged.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache, partial
from typing import Any

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models import timestamps
from sidecar.models.base import MAX_BATCH
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import Appended, Message, MessageCreate, MessagePage, MessageStatus, Role
from sidecar.storage.sqlite import chunks, conversations, message_json, orphans
from sidecar.storage.sqlite.columns import safe_value
from sidecar.storage.sqlite.listing import require_range
from sidecar.storage.sqlite.stored_columns import STORED
from sidecar.storage.sqlite.table import Domain, Table
from sidecar.storage.sqlite.values import json_text, one_of
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.lists import MAX_LIMIT
from sidecar.storage.stores.messages import IMessageStore

MESSAGES = Table("messages", Message, kind="message", topic="messages", computed=("next_sequence", "thinking"))
DELTAS = "messages.delta"
"""The topic under which an appended chunk is told, with its text."""

CUT_OFF = "The sidecar ended while this message was being written."


class Messages(Domain, IMessageStore):
    async def create_message(
        self,
        conversation_id: int,
        role: str,
        content: str,
        is_complete: bool = True,
        token_count: int = 0,
        parent_message_id: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
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
        self, conversation_id: int, messages: Sequence[MessageCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
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
        conversation_id: int,
        role: str,
        parent_message_id: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        speaker, now = one_of(Role, "role", role), self._now()
        columns = _new_columns(now, conversation_id, speaker, "", False, 0, parent_message_id, metadata)
        columns["status"] = MessageStatus.STREAMING
        return await self._database.write(lambda work: _insert(work, columns, parent_message_id), key, Message)

    async def get_message(self, message_id: int, include_thinking: bool = True) -> Message:
        return await self._database.read(lambda connection: _read(connection, message_id, include_thinking))

    async def get_conversation_messages(
        self,
        conversation_id: int,
        limit: int = MAX_LIMIT,
        after: int | None = None,
        before: int | None = None,
        newest: bool = False,
        include_thinking: bool = True,
    ) -> MessagePage:
        return MessagePage.model_validate_json(
            await self.get_conversation_messages_as_json(
                conversation_id, limit, after, before, newest, include_thinking
            )
        )

    async def get_conversation_messages_as_json(
        self,
        conversation_id: int,
        limit: int = MAX_LIMIT,
        after: int | None = None,
        before: int | None = None,
        newest: bool = False,
        include_thinking: bool = True,
    ) -> bytes:
        require_range("limit", limit, 1, MAX_LIMIT)
        if sum(anchor is not None for anchor in (after, before)) + newest > 1:
            raise InvalidInput.field("after", "cannot be given together with before or newest")
        backwards = before is not None or newest

        span = message_json.Span(conversation_id, after, before, limit + 1, backwards)

        def read(connection: sqlite3.Connection) -> list[message_json.Found]:
            conversations.CONVERSATIONS.get(connection, conversation_id)
            return message_json.read_messages(connection, span, include_thinking=include_thinking)

        found = await self._database.read(read)
        there_is_more = len(found) > limit
        items = found[:limit]
        if backwards:
            items.reverse()
        return message_json.page(
            items,
            has_before=there_is_more if backwards else after is not None,
            has_after=before is not None if backwards else there_is_more,
        )

    async def update_message(
        self,
        message_id: int,
        new_content: str,
        is_complete: bool = False,
        token_count: int | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
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
        message_id: int,
        content_chunk: str,
        token_count: int = 0,
        sequence: int | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Appended:
        def append(work: Work) -> Appended:
            conversation_id, status = _state(work.connection, message_id)
            if not status.is_open:
                raise Conflict(f"The message {message_id} is {status}; nothing can be appended to it.")
            if status is MessageStatus.PENDING:
                MESSAGES.update(work, message_id, {"status": MessageStatus.STREAMING})
            written = chunks.append(work.connection, message_id, content_chunk, token_count, sequence)
            if written < 0:
                return Appended(message_id=message_id, next_sequence=(sequence or 0) + 1)
            delta = {"conversation_id": conversation_id, "sequence": written, "text": content_chunk}
            work.changed(DELTAS, message_id, delta)
            return Appended(message_id=message_id, next_sequence=written + 1)

        return await self._database.write(append, key, Appended)

    async def update_message_metadata(
        self, message_id: int, metadata: Mapping[str, Any], *, key: IdempotencyKey | None = None
    ) -> Message:
        def update(work: Work) -> Message:
            merged = {**MESSAGES.get(work.connection, message_id).metadata, **metadata}
            kept = {name: value for name, value in merged.items() if value is not None}
            columns = {"metadata": json_text("metadata", kept), "updated_at": work.now}
            MESSAGES.update(work, message_id, columns)
            return _read(work.connection, message_id, include_thinking=False)

        return await self._database.write(update, key, Message)

    async def mark_message_finished(
        self,
        message_id: int,
        status: str = MessageStatus.COMPLETED,
        error_message: str | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        wanted = one_of(MessageStatus, "status", status)
        if wanted.is_open:
            raise InvalidInput.field("status", f"must be one of a finished message, not {wanted}")
        return await self._database.write(
            lambda work: _finish(work, MESSAGES.get(work.connection, message_id), wanted, error_message), key, Message
        )

    async def interrupt_message(self, message_id: int, *, key: IdempotencyKey | None = None) -> Message:
        return await self.mark_message_finished(message_id, MessageStatus.CANCELLED, key=key)

    async def delete_message(self, message_id: int, *, key: IdempotencyKey | None = None) -> None:
        await self._database.write(lambda work: MESSAGES.delete(work, message_id), key, type(None))

    async def fail_cut_off_messages(self) -> None:
        """Finish, as failed, what was streaming when the sidecar ended; for the start, before anybody writes."""

        def fail_all(work: Work) -> None:
            sql = "SELECT id FROM messages WHERE status = ?"
            for (message_id,) in work.connection.execute(sql, (MessageStatus.STREAMING,)).fetchall():
                message = MESSAGES.get(work.connection, message_id)
                _finish(work, message, MessageStatus.FAILED, CUT_OFF)

        await self._database.write(fail_all)


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
    """What is stored of a new message. Raises `InvalidInput`."""
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


def _require_parent(connection: sqlite3.Connection, conversation_id: int, parent_id: int | None) -> None:
    """Raises `NotFound`, and `Conflict` for a parent in another conversation."""
    if parent_id is None:
        return
    of_parent, _ = _state(connection, parent_id)
    if of_parent != conversation_id:
        raise Conflict(f"The parent message {parent_id} belongs to another conversation.")


def _state(connection: sqlite3.Connection, message_id: int) -> tuple[int, MessageStatus]:
    """The conversation and the status of a message, without reading its text. Raises `NotFound`."""
    row = connection.execute("SELECT conversation_id, status FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise NotFound.row(MESSAGES.kind, message_id)
    return row["conversation_id"], safe_value(STORED["messages"]["status"], row["status"])


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


def _read(connection: sqlite3.Connection, message_id: int, include_thinking: bool) -> Message:
    found = message_json.read_message(connection, message_id, include_thinking=include_thinking)
    if found is None:
        raise NotFound.row(MESSAGES.kind, message_id)
    return Message.model_validate_json(found)
