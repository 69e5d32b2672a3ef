"""Conversations."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, OperationRoute
from sidecar.models.base import RowsMade, UrlIdentifier
from sidecar.models.conversations import (
    Conversation,
    ConversationBatch,
    ConversationCreate,
    ConversationPage,
    ConversationQuery,
    ConversationUpdate,
)

router = APIRouter(prefix="/conversations", tags=["conversations"], route_class=OperationRoute)


@router.post("", operation_id="conversations.create", status_code=201)
async def create(storage: Storage, body: ConversationCreate, key: WriteKey) -> Conversation:
    """Create a conversation."""
    return await storage.create_conversation(**vars(body), key=key)


@router.post("/batch", operation_id="conversations.create_batch", status_code=201)
async def create_batch(storage: Storage, body: ConversationBatch, key: WriteKey) -> RowsMade:
    """Create all of these conversations or none."""
    return RowsMade(ids=await storage.batch_create_conversations(body.conversations, key=key))


@router.get("", operation_id="conversations.list")
async def list_conversations(storage: Storage, query: Annotated[ConversationQuery, Query()]) -> ConversationPage:
    """List conversations, the last changed first."""
    return await storage.get_conversation_list(**{"with_total": False, **query.explicit_fields()})


@router.get("/{conversation_id}", operation_id="conversations.get")
async def get(storage: Storage, conversation_id: UrlIdentifier) -> Conversation:
    """Return a conversation, deleted or not."""
    return await storage.get_conversation(conversation_id)


@router.patch("/{conversation_id}", operation_id="conversations.update")
async def update(
    storage: Storage, conversation_id: UrlIdentifier, body: ConversationUpdate, key: WriteKey
) -> Conversation:
    """Update some fields of a conversation."""
    return await storage.update_conversation(conversation_id, **body.explicit_fields(), key=key)


@router.delete("/{conversation_id}", operation_id="conversations.delete")
async def delete(storage: Storage, conversation_id: UrlIdentifier, key: WriteKey) -> Conversation:
    """Delete a conversation; `conversations.restore` restores it."""
    return await storage.delete_conversation(conversation_id, key=key)


@router.post("/{conversation_id}/restore", operation_id="conversations.restore")
async def restore(storage: Storage, conversation_id: UrlIdentifier, key: WriteKey) -> Conversation:
    """Restore a deleted conversation with the status that it had."""
    return await storage.restore_conversation(conversation_id, key=key)


@router.delete(
    "/{conversation_id}/permanent",
    operation_id="conversations.delete_permanently",
    status_code=204,
    openapi_extra=RESTRICTED,
)
async def delete_permanently(storage: Storage, conversation_id: UrlIdentifier, key: WriteKey) -> None:
    """Delete a conversation for good, with its messages and their thinking."""
    await storage.delete_conversation_permanently(conversation_id, key=key)
