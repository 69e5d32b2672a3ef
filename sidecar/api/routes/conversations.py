"""Conversations."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, OperationRoute, problems
from sidecar.models.base import RowsMade, UrlIdentifier
from sidecar.models.conversations import (
    Conversation,
    ConversationBatch,
    ConversationChanges,
    ConversationCount,
    ConversationCountQuery,
    ConversationCreate,
    ConversationFolders,
    ConversationPage,
    ConversationQuery,
    ConversationsOrganized,
    ConversationTags,
    ConversationUpdate,
    NamesQuery,
)
from sidecar.models.daily_counts import DailyCountsQuery, DayCounts
from sidecar.models.histories import HistoriesImported, HistoryBatch

router = APIRouter(prefix="/conversations", tags=["conversations"], route_class=OperationRoute)


@router.post("", operation_id="conversations.create", status_code=201)
async def create(storage: Storage, body: ConversationCreate, key: WriteKey) -> Conversation:
    """Create a conversation."""
    return await storage.create_conversation(**vars(body), key=key)


@router.post("/batch", operation_id="conversations.create_batch", status_code=201)
async def create_batch(storage: Storage, body: ConversationBatch, key: WriteKey) -> RowsMade:
    """Create all of these conversations or none."""
    return RowsMade(ids=await storage.batch_create_conversations(body.conversations, key=key))


@router.post("/import", operation_id="conversations.import_histories", status_code=201)
async def import_histories(storage: Storage, body: HistoryBatch, key: WriteKey) -> HistoriesImported:
    """Import conversations with their messages and thinking, all or none.

    A conversation that is stored with the same `source` and `external_id` is updated: fields that are given replace the
    stored ones, but for its status. A message with a stored `external_id` is replaced if it differs. Other messages are
    added. Nothing is removed without `remove_missing`. A batch has at most 1,000 conversations and 100,000 messages; a
    request has room for about 10,000 messages with all their fields. A longer conversation is sent in several requests,
    each with its `external_id`.
    """
    return await storage.import_histories(body.conversations, body.dry_run, key=key)


@router.get("", operation_id="conversations.list")
async def list_conversations(storage: Storage, query: Annotated[ConversationQuery, Query()]) -> ConversationPage:
    """List conversations, the last changed first by default."""
    return await storage.get_conversation_list(**{"with_total": False, **query.explicit_fields()})


@router.get("/count", operation_id="conversations.count")
async def count(storage: Storage, query: Annotated[ConversationCountQuery, Query()]) -> ConversationCount:
    """Count the conversations that match the filters."""
    return ConversationCount(count=await storage.get_conversation_count(**query.explicit_fields()))


@router.post("/organize", operation_id="conversations.organize", openapi_extra=problems(404))
async def organize(storage: Storage, body: ConversationChanges, key: WriteKey) -> ConversationsOrganized:
    """Move conversations to a folder, tag, pin or archive them: all of them or none.

    Their `updated_at` and their place in the list stay as they are.
    """
    return await storage.organize_conversations(**body.explicit_fields(), key=key)


@router.get("/folders", operation_id="conversations.folders")
async def folders(storage: Storage, query: Annotated[NamesQuery, Query()]) -> ConversationFolders:
    """List the folders that hold conversations, by name."""
    return await storage.get_conversation_folders(**query.explicit_fields())


@router.get("/tags", operation_id="conversations.tags")
async def tags(storage: Storage, query: Annotated[NamesQuery, Query()]) -> ConversationTags:
    """List the tags of conversations, by name."""
    return await storage.get_conversation_tags(**query.explicit_fields())


@router.get("/counts", operation_id="conversations.counts")
async def counts(storage: Storage, query: Annotated[DailyCountsQuery, Query()]) -> DayCounts:
    """Count the conversations that were created on each day, without deleted ones."""
    return DayCounts(days=list(await storage.get_conversation_counts(**query.explicit_fields())))


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
