"""Conversation states by thread. A thread's id is any text, percent-encoded in the path."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, OperationRoute
from sidecar.errors import NotFound
from sidecar.models.base import PageQuery
from sidecar.models.states import (
    CacheInfoUpdate,
    ConversationState,
    ConversationThread,
    ConversationThreadPage,
    Exchange,
    ExchangeCreate,
    ExchangePage,
    StateSave,
    ThreadCost,
    ThreadId,
)

router = APIRouter(prefix="/states", tags=["states"], route_class=OperationRoute)


@router.get("", operation_id="states.list")
async def list_threads(storage: Storage, query: Annotated[PageQuery, Query()]) -> ConversationThreadPage:
    """List threads, the last changed first."""
    return await storage.get_threads(**query.explicit_fields())


@router.put("/{thread_id}", operation_id="states.save")
async def save(storage: Storage, thread_id: ThreadId, body: StateSave, key: WriteKey) -> ConversationThread:
    """Replace the messages of a thread, and merge cache information into its own."""
    return await storage.save_conversation_state(thread_id, **body.explicit_fields(), key=key)


@router.get("/{thread_id}", operation_id="states.get")
async def get(storage: Storage, thread_id: ThreadId) -> ConversationState:
    """Return the messages and cache information of a thread; both are empty for an unknown thread."""
    return await storage.get_conversation_state(thread_id)


@router.delete("/{thread_id}", operation_id="states.clear", status_code=204)
async def clear(storage: Storage, thread_id: ThreadId, key: WriteKey) -> None:
    """Delete the messages and cache information of a thread. Its details and exchanges stay."""
    await storage.clear_conversation_state(thread_id, key=key)


@router.delete(
    "/{thread_id}/permanent", operation_id="states.delete_permanently", status_code=204, openapi_extra=RESTRICTED
)
async def delete_permanently(storage: Storage, thread_id: ThreadId, key: WriteKey) -> None:
    """Delete a thread with everything that belongs to it."""
    await storage.delete_thread_permanently(thread_id, key=key)


@router.get("/{thread_id}/thread", operation_id="states.thread")
async def thread(storage: Storage, thread_id: ThreadId) -> ConversationThread:
    """Return the details of a thread: its first request, project context and times."""
    return await storage.get_thread(thread_id)


@router.patch("/{thread_id}/cache", operation_id="states.update_cache_info")
async def update_cache_info(
    storage: Storage, thread_id: ThreadId, body: CacheInfoUpdate, key: WriteKey
) -> ConversationThread:
    """Merge cache information into that of a thread; null removes a name. An unknown thread is answered with 404."""
    updated = await storage.update_cache_info(thread_id, **body.explicit_fields(), key=key)
    if updated is None:
        raise NotFound(f"There is no thread with the id {thread_id!r}; save its state first.")
    return updated


@router.post("/{thread_id}/exchanges", operation_id="states.add_exchange", status_code=201)
async def add_exchange(storage: Storage, thread_id: ThreadId, body: ExchangeCreate, key: WriteKey) -> Exchange:
    """Create a record of a request to a model and its cost."""
    return await storage.add_exchange(thread_id, **body.explicit_fields(), key=key)


@router.get("/{thread_id}/exchanges", operation_id="states.exchanges")
async def exchanges(storage: Storage, thread_id: ThreadId, query: Annotated[PageQuery, Query()]) -> ExchangePage:
    """List the exchanges of a thread, the oldest first."""
    return await storage.get_exchanges(thread_id, **query.explicit_fields())


@router.get("/{thread_id}/cost", operation_id="states.cost")
async def cost(storage: Storage, thread_id: ThreadId) -> ThreadCost:
    """Return the total cost of a thread's exchanges."""
    return await storage.get_thread_cost(thread_id)
