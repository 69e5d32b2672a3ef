"""Messages: the table `messages`.

A message is open (`pending`, `streaming`) or finished (`completed`, `failed`, `cancelled`). An open one grows by
chunks; when it finishes they are folded into its content. Whoever reads it in between sees every chunk that was
acknowledged.
"""

from collections.abc import Sequence
from typing import Any

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.base import MAX_BATCH, Identifier, LongText, ShortText, Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.message_parts import MessagePart
from sidecar.models.messages import (
    Appended,
    BatchMessage,
    Cost,
    Count,
    Message,
    MessageCreate,
    MessagePage,
    MessageStatus,
    Role,
    Tokens,
)
from sidecar.models.timestamps import TimestampInput
from sidecar.storage.arguments import MAX_LIMIT, UNSET, JsonObject, Unset, without_unset
from sidecar.storage.interfaces import Connection, MessageAsJson, MessageSpan, Work
from sidecar.storage.resources import chunks, conversations, message_columns, message_page, message_rows
from sidecar.storage.resources.message_columns import Given
from sidecar.storage.resources.message_finish import finish
from sidecar.storage.resources.message_table import MESSAGES
from sidecar.storage.resources.rows.pagination import require_range
from sidecar.storage.resources.rows.table import Resource
from sidecar.storage.resources.rows.validation import json_text, one_of, optional_time

DELTAS = "messages.delta"
"""The topic of appended chunks, whose events hold the text."""


class Messages(Resource, tables=(MESSAGES,)):
    """Messages, which may grow while they are read."""

    async def create_message(
        self,
        conversation_id: Identifier,
        role: str,
        content: LongText | None,
        is_complete: bool = True,
        token_count: Count = 0,
        parent_message_id: Identifier | None = None,
        metadata: JsonObject | None = None,
        external_id: ShortText | None = None,
        parent_external_id: ShortText | None = None,
        parts: Sequence[MessagePart] = (),
        model: ShortText | None = None,
        prompt_tokens: Tokens | None = None,
        completion_tokens: Tokens | None = None,
        cost: Cost | None = None,
        created_at: TimestampInput | None = None,
        updated_at: TimestampInput | None = None,
        completed_at: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Add a message; one that is not complete is `pending`. Without a `content`, it has the text of its parts.

        The message of the conversation that has the same `external_id` is replaced; its times stay unless others are
        given. Raises `NotFound` for the conversation or the parent, `Conflict` for a deleted conversation or a parent
        in another one.
        """
        given = message_columns.given(
            self._now(),
            conversation_id,
            one_of(Role, "role", role),
            message_columns.text_of(content, parts),
            MessageStatus.COMPLETED if is_complete else MessageStatus.PENDING,
            token_count,
            metadata,
            (parts, external_id, model, prompt_tokens, completion_tokens, cost),
            (created_at, updated_at, completed_at),
        )
        return await self._create(given, parent_message_id, parent_external_id, key)

    async def batch_create_messages(
        self,
        conversation_id: Identifier,
        messages: Sequence[BatchMessage | MessageCreate],
        *,
        key: IdempotencyKey | None = None,
    ) -> list[int]:
        """Add all of them in this order or none; returns their ids.

        The parent of a `BatchMessage` may be another of the batch. The message of the conversation that has the same
        `external_id` is replaced. Raises `InvalidInput`, and what `create_message` raises.
        """
        require_range("messages", len(messages), 1, MAX_BATCH)
        return await self._database.write(
            lambda work: message_rows.create_many(work, conversation_id, messages), key, list[int]
        )

    async def create_streaming_message(
        self,
        conversation_id: Identifier,
        role: str,
        parent_message_id: Identifier | None = None,
        metadata: JsonObject | None = None,
        external_id: ShortText | None = None,
        parent_external_id: ShortText | None = None,
        model: ShortText | None = None,
        created_at: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Add an empty message that is going to grow. Raises as `create_message` does."""
        given = message_columns.given(
            self._now(),
            conversation_id,
            one_of(Role, "role", role),
            "",
            MessageStatus.STREAMING,
            0,
            metadata,
            ((), external_id, model),
            (created_at, None, None),
        )
        return await self._create(given, parent_message_id, parent_external_id, key)

    async def _create(
        self,
        given: Given,
        parent_message_id: int | None,
        parent_external_id: str | None,
        key: IdempotencyKey | None,
    ) -> Message:
        def create(work: Work) -> Message:
            return message_rows.create(work, given, parent_message_id, parent_external_id)

        return await self._database.write(create, key, Message)

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
        external_id: ShortText | None = None,
    ) -> MessagePage:
        """A page of messages, the oldest first: the first one, the last one (`newest`), or the one next to a message.

        With an `external_id`, only the message that has it.

        Raises `NotFound` for the conversation.
        """
        return MessagePage.model_validate_json(
            await self.get_conversation_messages_as_json(
                conversation_id, limit, after, before, newest, include_thinking, external_id
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
        external_id: ShortText | None = None,
    ) -> bytes:
        """The same page as its `MessagePage` in JSON, for those who only hand it on; much faster."""
        require_range("limit", limit, 1, MAX_LIMIT)
        if sum(anchor is not None for anchor in (after, before)) + newest > 1:
            raise InvalidInput.field("after", "cannot be given together with before or newest")
        backwards = before is not None or newest

        span = MessageSpan(conversation_id, after, before, limit + 1, backwards, external_id)

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
        parts: Sequence[MessagePart] = (),
        model: ShortText | Unset | None = UNSET,
        prompt_tokens: Tokens | Unset | None = UNSET,
        completion_tokens: Tokens | Unset | None = UNSET,
        cost: Cost | Unset | None = UNSET,
        updated_at: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Replace the content and its parts, and finish the message if it is open and now complete.

        Raises `NotFound`.
        """
        usage = without_unset(model=model, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens, cost=cost)
        columns: dict[str, Any] = {
            "content": new_content,
            "updated_at": optional_time("updated_at", updated_at) or self._now(),
            **usage,
        }
        if token_count is not None:
            columns["token_count"] = token_count
        given_parts = message_columns.parts_text(parts) if parts else None

        def update(work: Work) -> Message:
            message = MESSAGES.get(work.connection, message_id)
            chunks.remove(work.connection, message_id)
            changed = {**columns, "parts": given_parts} if given_parts or message.parts else columns
            message = MESSAGES.update(work, message_id, changed)
            is_ending = is_complete and message.status.is_open
            return finish(work, message, MessageStatus.COMPLETED, None) if is_ending else message

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
            conversation_id, status = message_rows.state(work.connection, message_id)
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
        parts: Sequence[MessagePart] = (),
        model: ShortText | None = None,
        prompt_tokens: Tokens | None = None,
        completion_tokens: Tokens | None = None,
        cost: Cost | None = None,
        completed_at: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Finish an open message: fold its chunks, set its end and latency, and what it has used.

        One that finished the same way stays as it is, but for parts, model, tokens and cost that are given. Raises
        `NotFound`, and `Conflict` when it finished otherwise.
        """
        wanted = one_of(MessageStatus, "status", status)
        if wanted.is_open:
            raise InvalidInput.field("status", f"must be one of a finished message, not {wanted}")
        details = message_columns.details(parts, None, model, prompt_tokens, completion_tokens, cost)
        ended = optional_time("completed_at", completed_at)

        def end(work: Work) -> Message:
            return finish(work, MESSAGES.get(work.connection, message_id), wanted, error_message, details, ended)

        return await self._database.write(end, key, Message)

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
