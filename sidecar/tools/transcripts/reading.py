"""Stored conversations in the form in which they can be imported."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from sidecar.errors import InvalidInput
from sidecar.models.base import MAX_SHORT_TEXT
from sidecar.models.conversations import Conversation
from sidecar.models.histories import ConversationHistory, HistoryMessage, HistoryThinking, MessagePart
from sidecar.models.messages import Message, MessagePage, MessageStatus
from sidecar.storage.arguments import MAX_LIMIT
from sidecar.storage.unified import UnifiedStorage
from sidecar.tools.archive_limits import MEBIBYTE

_PARTS: TypeAdapter[list[MessagePart]] = TypeAdapter(list[MessagePart])


async def every_conversation(storage: UnifiedStorage) -> list[int]:
    """Return the ids of all conversations that are not deleted, the oldest first."""
    found: list[int] = []
    cursor: str | None = None
    while True:
        page = await storage.get_conversation_list(limit=MAX_LIMIT, cursor=cursor, with_total=False)
        found += (conversation.id for conversation in page.items)
        cursor = page.next_cursor
        if cursor is None:
            return sorted(found)


async def store_id_of(storage: UnifiedStorage) -> str:
    """Return the id of the store, which its copies share."""
    return await storage.export_rows(lambda _, store_id: store_id)


async def histories_of(storage: UnifiedStorage, ids: Iterable[int], most_bytes: int) -> list[ConversationHistory]:
    """Return these conversations. Raises `NotFound`, and `InvalidInput` if they have more bytes than that as JSON."""
    store_id = await store_id_of(storage)
    histories: list[ConversationHistory] = []
    left = most_bytes
    for conversation_id in ids:
        history, size = await _read(storage, conversation_id, store_id, left)
        if history is None:
            raise InvalidInput.field("query.ids", too_large(most_bytes))
        histories.append(history)
        left -= size
    return histories


async def history_of(storage: UnifiedStorage, conversation_id: int, store_id: str) -> ConversationHistory:
    """Return the conversation with all of its messages, deleted or not. Raises `NotFound`.

    One that came from another program keeps its ids there, so that a later import finds it. Any other, and one to which
    messages were added here, gets the ids of this store: importing it here makes a copy, and only the first time.
    """
    history, _ = await _read(storage, conversation_id, store_id, None)
    assert history is not None
    return history


async def _read(
    storage: UnifiedStorage, conversation_id: int, store_id: str, most_bytes: int | None
) -> tuple[ConversationHistory | None, int]:
    """Return the conversation, and the size of its messages; no conversation if that is too large."""
    conversation = await storage.get_conversation(conversation_id)
    messages: list[Message] = []
    size = 0
    while True:
        after = messages[-1].id if messages else None
        content = await storage.get_conversation_messages_as_json(conversation_id, limit=MAX_LIMIT, after=after)
        size += len(content)
        if most_bytes is not None and size > most_bytes:
            return None, size
        page = await asyncio.to_thread(MessagePage.model_validate_json, content)
        messages += page.items
        if not page.has_after or not page.items:
            break
    return await asyncio.to_thread(_history, conversation, messages, store_id), size


def too_large(most_bytes: int) -> str:
    """Return the reason against conversations with more than so many bytes."""
    return (
        f"the conversations have more than {most_bytes // MEBIBYTE} MiB; export fewer at a time, or run `sidecar "
        "export --conversations` while the sidecar is stopped"
    )


def _history(conversation: Conversation, messages: list[Message], store_id: str) -> ConversationHistory:
    metadata = dict(conversation.metadata)
    is_whole = all(message.external_id is not None for message in messages)
    source, external_id = conversation.source, conversation.external_id
    if source is None or external_id is None or not is_whole:
        if external_id is not None:
            metadata["came_from"] = {"source": source, "external_id": external_id}
        source, external_id = f"sidecar:{store_id}", str(conversation.id)
    names = _names(messages)
    return ConversationHistory(
        page_name=conversation.page_name[:MAX_SHORT_TEXT],
        source=_short(source),
        external_id=_short(external_id),
        title=conversation.title,
        user_id=_short(conversation.user_id),
        status=conversation.status,
        metadata=metadata,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        messages=[_message(message, names) for message in messages],
    )


def _names(messages: Iterable[Message]) -> dict[int, str]:
    """Return an external id for each message by its id."""
    return {message.id: message.external_id or f"sidecar-{message.id}" for message in messages}


def _message(message: Message, names: Mapping[int, str]) -> HistoryMessage:
    metadata = dict(message.metadata)
    parent = None if message.parent_message_id is None else names.get(message.parent_message_id)
    is_cut_off = message.status is MessageStatus.STREAMING
    return HistoryMessage(
        role=message.role,
        content=message.content,
        parts=_parts(message.parts, metadata),
        external_id=_short(names[message.id]),
        parent_external_id=_short(parent),
        status=MessageStatus.CANCELLED if is_cut_off else message.status,
        model=_short(message.model),
        prompt_tokens=message.prompt_tokens,
        completion_tokens=message.completion_tokens,
        cost=message.cost,
        token_count=message.token_count,
        created_at=message.created_at,
        updated_at=message.updated_at,
        completed_at=message.completed_at,
        error_message=message.error_message,
        metadata=metadata,
        thinking=[
            HistoryThinking(
                content=step.content,
                stage=_short(step.stage),
                progress=step.progress,
                created_at=step.created_at,
                metadata=step.metadata,
            )
            for step in message.thinking
            if step.content
        ],
    )


def _parts(stored: list[Any], metadata: dict[str, JsonValue]) -> list[MessagePart]:
    """Return the parts; those that another program has written in a form of its own become metadata."""
    try:
        return _PARTS.validate_python(stored)
    except ValidationError:
        metadata["other_parts"] = stored
        return []


def _short(value: str | None) -> str | None:
    return None if value is None else value[:MAX_SHORT_TEXT]
