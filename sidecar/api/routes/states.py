"""Conversation states by thread. A thread's id is any text, percent-encoded in the path."""

from typing import Annotated

from sidecar.api.arguments import Query
from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, Router
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

router = Router("states", prefix="/states")


@router.get("", operation_id="states.list")
async def find(storage: Storage, query: Annotated[PageQuery, Query()]) -> ConversationThreadPage:
    """Threads, the one that changed last first."""
    return await storage.get_threads(**query.given())


@router.put("/{thread_id}", operation_id="states.save")
async def save(storage: Storage, thread_id: ThreadId, body: StateSave, key: WriteKey) -> ConversationThread:
    """Replace a thread's messages; cache information is merged over what is stored."""
    return await storage.save_conversation_state(thread_id, **body.given(), key=key)


@router.get("/{thread_id}", operation_id="states.get")
async def get(storage: Storage, thread_id: ThreadId) -> ConversationState:
    """A thread's messages and cache information; both empty for one that is not there."""
    return await storage.get_conversation_state(thread_id)


@router.delete("/{thread_id}", operation_id="states.clear", status_code=204)
async def clear(storage: Storage, thread_id: ThreadId, key: WriteKey) -> None:
    """Remove a thread's messages and cache information; what is known about it, and its exchanges, stay."""
    await storage.clear_conversation_state(thread_id, key=key)


@router.delete(
    "/{thread_id}/permanent", operation_id="states.delete_permanently", status_code=204, openapi_extra=RESTRICTED
)
async def delete_permanently(storage: Storage, thread_id: ThreadId, key: WriteKey) -> None:
    """Remove a thread with everything that belongs to it."""
    await storage.delete_thread_permanently(thread_id, key=key)


@router.get("/{thread_id}/thread", operation_id="states.thread")
async def thread(storage: Storage, thread_id: ThreadId) -> ConversationThread:
    """What is known about a thread: its first request, project context and times."""
    return await storage.get_thread(thread_id)


@router.patch("/{thread_id}/cache", operation_id="states.update_cache_info")
async def update_cache_info(
    storage: Storage, thread_id: ThreadId, body: CacheInfoUpdate, key: WriteKey
) -> ConversationThread:
    """Merge cache information over that of a thread, null removing a name; 404 for a thread that is not there."""
    updated = await storage.update_cache_info(thread_id, **body.given(), key=key)
    if updated is None:
        raise NotFound(f"There is no thread with the id {thread_id!r}; save its state first.")
    return updated


@router.post("/{thread_id}/exchanges", operation_id="states.add_exchange", status_code=201)
async def add_exchange(storage: Storage, thread_id: ThreadId, body: ExchangeCreate, key: WriteKey) -> Exchange:
    """Note a request to a model, and what it cost."""
    return await storage.add_exchange(thread_id, **body.given(), key=key)


@router.get("/{thread_id}/exchanges", operation_id="states.exchanges")
async def exchanges(storage: Storage, thread_id: ThreadId, query: Annotated[PageQuery, Query()]) -> ExchangePage:
    """A thread's exchanges, the oldest first."""
    return await storage.get_exchanges(thread_id, **query.given())


@router.get("/{thread_id}/cost", operation_id="states.cost")
async def cost(storage: Storage, thread_id: ThreadId) -> ThreadCost:
    """What all exchanges of a thread cost together."""
    return await storage.get_thread_cost(thread_id)
