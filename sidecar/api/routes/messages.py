"""Messages of conversations, and the thinking behind them."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import OperationRoute
from sidecar.api.reading import JSON
from sidecar.api.topics import depends_on
from sidecar.errors import InvalidInput
from sidecar.models.base import RowsMade, UrlIdentifier
from sidecar.models.messages import (
    Appended,
    Message,
    MessageAppend,
    MessageBatch,
    MessageCreate,
    MessageFinish,
    MessageMetadataUpdate,
    MessagePage,
    MessageQuery,
    MessagesQuery,
    MessageThinking,
    MessageUpdate,
    StreamingMessageCreate,
    ThinkingBatch,
    ThinkingCreate,
    ThinkingList,
)
from sidecar.models.usage import UsageQuery, UsageReport

router = APIRouter(tags=["messages"], route_class=OperationRoute)

IN_CONVERSATION = "/conversations/{conversation_id}/messages"
ONE = "/messages/{message_id}"

DEPENDS_ON_MESSAGE = depends_on("messages", "messages.delta", "thinking", "conversations")
"""A message that is streaming has what was appended so far; one of a deleted conversation is not found."""


@router.post(IN_CONVERSATION, operation_id="messages.create", status_code=201)
async def create(storage: Storage, conversation_id: UrlIdentifier, body: MessageCreate, key: WriteKey) -> Message:
    """Create a message.

    The message of the conversation that has the same `external_id` is replaced, if there is one.
    """
    if body.content is None and not body.parts:
        raise InvalidInput.field("body.content", "is required for a message without parts")
    return await storage.create_message(conversation_id, **vars(body), key=key)


@router.post(f"{IN_CONVERSATION}/batch", operation_id="messages.create_batch", status_code=201)
async def create_batch(storage: Storage, conversation_id: UrlIdentifier, body: MessageBatch, key: WriteKey) -> RowsMade:
    """Create all of these messages in this order or none. They may answer each other and existing messages."""
    return RowsMade(ids=await storage.batch_create_messages(conversation_id, body.messages, key=key))


@router.post(f"{IN_CONVERSATION}/stream", operation_id="messages.create_streaming", status_code=201)
async def create_streaming(
    storage: Storage, conversation_id: UrlIdentifier, body: StreamingMessageCreate, key: WriteKey
) -> Message:
    """Create an empty message that grows by `messages.append`."""
    return await storage.create_streaming_message(conversation_id, **dict(body), key=key)


@router.get(
    IN_CONVERSATION,
    operation_id="messages.list",
    response_model=MessagePage,
    openapi_extra=DEPENDS_ON_MESSAGE,
)
async def list_messages(
    storage: Storage, conversation_id: UrlIdentifier, query: Annotated[MessagesQuery, Query()]
) -> Response:
    """List the messages of a conversation, the oldest first."""
    page = await storage.get_conversation_messages_as_json(conversation_id, **query.explicit_fields())
    return Response(page, media_type=JSON)


@router.get("/messages/usage", operation_id="messages.usage")
async def usage(storage: Storage, query: Annotated[UsageQuery, Query()]) -> UsageReport:
    """Return the sums of tokens, cost and messages by model, conversation and day.

    Messages of deleted conversations count. Days are at most 3,660.
    """
    given = query.explicit_fields()
    groups = given.pop("group_by", None)
    return await storage.get_message_usage([] if groups is None else groups.split(","), **given)


@router.get(ONE, operation_id="messages.get", openapi_extra=DEPENDS_ON_MESSAGE)
async def get(storage: Storage, message_id: UrlIdentifier, query: Annotated[MessageQuery, Query()]) -> Message:
    """Return a message. While it streams, it has everything that was appended so far."""
    return await storage.get_message(message_id, **query.explicit_fields())


@router.patch(ONE, operation_id="messages.update")
async def update(storage: Storage, message_id: UrlIdentifier, body: MessageUpdate, key: WriteKey) -> Message:
    """Replace the content of a message."""
    return await storage.update_message(message_id, **body.explicit_fields(), key=key)


@router.post(f"{ONE}/append", operation_id="messages.append")
async def append(storage: Storage, message_id: UrlIdentifier, body: MessageAppend, key: WriteKey) -> Appended:
    """Append a chunk to a message that is not finished, up to 128 MiB in all."""
    return await storage.append_message_content(message_id, **body.explicit_fields(), key=key)


@router.patch(f"{ONE}/metadata", operation_id="messages.update_metadata")
async def update_metadata(
    storage: Storage, message_id: UrlIdentifier, body: MessageMetadataUpdate, key: WriteKey
) -> Message:
    """Merge fields into the metadata of a message."""
    return await storage.update_message_metadata(message_id, body.metadata, key=key)


@router.post(f"{ONE}/finish", operation_id="messages.finish")
async def finish(storage: Storage, message_id: UrlIdentifier, body: MessageFinish, key: WriteKey) -> Message:
    """Finish a message: completed, failed or cancelled."""
    return await storage.mark_message_finished(message_id, **body.explicit_fields(), key=key)


@router.post(f"{ONE}/interrupt", operation_id="messages.interrupt")
async def interrupt(storage: Storage, message_id: UrlIdentifier, key: WriteKey) -> Message:
    """Cancel a message that is streaming. Its content is kept."""
    return await storage.interrupt_message(message_id, key=key)


@router.delete(ONE, operation_id="messages.delete", status_code=204)
async def delete(storage: Storage, message_id: UrlIdentifier, key: WriteKey) -> None:
    """Delete a message with its thinking."""
    await storage.delete_message(message_id, key=key)


@router.post(f"{ONE}/thinking", operation_id="messages.add_thinking", status_code=201)
async def add_thinking(
    storage: Storage, message_id: UrlIdentifier, body: ThinkingCreate, key: WriteKey
) -> MessageThinking:
    """Create a step of the thinking behind a message."""
    return await storage.add_message_thinking(message_id, **vars(body), key=key)


@router.post(f"{ONE}/thinking/batch", operation_id="messages.add_thinking_batch", status_code=201)
async def add_thinking_batch(
    storage: Storage, message_id: UrlIdentifier, body: ThinkingBatch, key: WriteKey
) -> RowsMade:
    """Create all of these steps of thinking or none."""
    return RowsMade(ids=await storage.batch_add_message_thinking(message_id, body.thinking, key=key))


@router.get(
    f"{ONE}/thinking",
    operation_id="messages.thinking",
    openapi_extra=depends_on("thinking", "messages", "conversations"),
)
async def thinking(storage: Storage, message_id: UrlIdentifier) -> ThinkingList:
    """List the thinking behind a message, in order."""
    return ThinkingList(items=list(await storage.get_message_thinking(message_id)))


@router.delete(f"{ONE}/thinking", operation_id="messages.clear_thinking", status_code=204)
async def clear_thinking(storage: Storage, message_id: UrlIdentifier, key: WriteKey) -> None:
    """Delete the thinking behind a message."""
    await storage.clear_message_thinking(message_id, key=key)
