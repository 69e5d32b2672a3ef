"""Contexts and todos by meaning."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import TypeAdapter, ValidationError

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import MAKES_VECTORS, OperationRoute, problems
from sidecar.api.topics import depends_on
from sidecar.errors import InvalidInput
from sidecar.models.contexts import (
    ContextBatch,
    ContextCollections,
    ContextCounts,
    ContextDeletion,
    ContextHit,
    ContextHits,
    ContextId,
    ContextLists,
    ContextQuery,
    ContextsDeleted,
    ContextSearch,
    ContextsQuery,
    ContextsStored,
    ContextStored,
    ContextTypeQuery,
    ContextTypes,
    Filters,
    ProcessedContext,
    ProcessedContextInput,
)

router = APIRouter(prefix="/contexts", tags=["contexts"], route_class=OperationRoute)

_FILTERS = TypeAdapter(Filters)


@router.post("", operation_id="contexts.upsert", status_code=201, openapi_extra=MAKES_VECTORS)
async def upsert(storage: Storage, body: ProcessedContextInput, key: WriteKey) -> ContextStored:
    """Create a context, or replace the one with the same id."""
    return ContextStored(id=await storage.upsert_processed_context(body, key=key))


@router.post("/batch", operation_id="contexts.upsert_batch", status_code=201, openapi_extra=MAKES_VECTORS)
async def upsert_batch(storage: Storage, body: ContextBatch, key: WriteKey) -> ContextsStored:
    """Create or replace all of these contexts or none."""
    return ContextsStored(ids=await storage.batch_upsert_processed_context(body.contexts, key=key))


@router.get("", operation_id="contexts.list")
async def list_contexts(storage: Storage, query: Annotated[ContextsQuery, Query()]) -> ContextLists:
    """List contexts by type: a page of each type, the newest first."""
    given = query.explicit_fields()
    if query.context_types is not None:
        given["context_types"] = query.context_types.split(",")
    if query.filter is not None:
        given["filter"] = _filters(query.filter)
    lists = await storage.get_all_processed_contexts(**given)
    return ContextLists(types={str(kind): page for kind, page in lists.items()})


@router.get("/counts", operation_id="contexts.counts")
async def counts(storage: Storage) -> ContextCounts:
    """Count the contexts of each type."""
    counted = await storage.get_all_processed_context_counts()
    return ContextCounts(counts={str(kind): count for kind, count in counted.items()})


@router.get("/types", operation_id="contexts.types", openapi_extra=depends_on())
async def types(storage: Storage) -> ContextTypes:
    """List every type that a context may have."""
    return ContextTypes(types=await storage.get_available_context_types())


@router.get("/collections", operation_id="contexts.collections", openapi_extra=depends_on())
async def collections(storage: Storage) -> ContextCollections:
    """List the collections of vectors."""
    return ContextCollections(names=await storage.get_collection_names())


@router.post("/delete", operation_id="contexts.delete_batch", openapi_extra=problems(404))
async def delete_batch(storage: Storage, body: ContextDeletion, key: WriteKey) -> ContextsDeleted:
    """Delete all of these contexts with their vectors, or none."""
    return ContextsDeleted(deleted=await storage.delete_contexts(**body.explicit_fields(), key=key))


@router.post("/search", operation_id="contexts.search", openapi_extra=MAKES_VECTORS | depends_on("contexts"))
async def search(storage: Storage, body: ContextSearch, key: WriteKey) -> ContextHits:  # noqa: ARG001
    """Return the contexts nearest in meaning to a vector or a text, by cosine similarity, the nearest first."""
    found = await storage.search(**body.explicit_fields())
    return ContextHits(items=[ContextHit(context=context, score=score) for context, score in found])


@router.get("/{context_id}", operation_id="contexts.get")
async def get(storage: Storage, context_id: ContextId, query: Annotated[ContextQuery, Query()]) -> ProcessedContext:
    """Return a context."""
    return await storage.get_processed_context(context_id, query.context_type, query.need_vector)


@router.delete("/{context_id}", operation_id="contexts.delete", status_code=204)
async def delete(
    storage: Storage, context_id: ContextId, query: Annotated[ContextTypeQuery, Query()], key: WriteKey
) -> None:
    """Delete a context with its vector."""
    await storage.delete_processed_context(context_id, query.context_type, key=key)


def _filters(text: str) -> Filters:
    try:
        return _FILTERS.validate_json(text)
    except ValidationError:
        raise InvalidInput.field("query.filter", "is not a JSON object") from None
