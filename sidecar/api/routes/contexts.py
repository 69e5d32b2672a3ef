"""Contexts and todos by meaning."""

from typing import Annotated

from pydantic import TypeAdapter, ValidationError

from sidecar.api.arguments import Query
from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import Router, problems
from sidecar.errors import InvalidInput
from sidecar.models.base import Identifier
from sidecar.models.contexts import (
    ContextBatch,
    ContextCounts,
    ContextHit,
    ContextHits,
    ContextId,
    ContextLists,
    ContextQuery,
    ContextSearch,
    ContextsQuery,
    ContextsStored,
    ContextStored,
    ContextTypeQuery,
    ContextTypes,
    Filters,
    ProcessedContext,
    ProcessedContextInput,
    SimilarTodo,
    SimilarTodos,
    SimilarTodosQuery,
    TodoEmbedding,
)

router = Router("contexts", prefix="/contexts")
todos_router = Router("todos", prefix="/todos")

MAKES_VECTORS = problems(501, 502)
"""Text becomes a vector by an endpoint, which may not be configured or may refuse."""

_FILTERS = TypeAdapter(Filters)


@router.post("", operation_id="contexts.upsert", status_code=201, openapi_extra=MAKES_VECTORS)
async def upsert(storage: Storage, body: ProcessedContextInput, key: WriteKey) -> ContextStored:
    """Store a context, in the place of the one with its id."""
    return ContextStored(id=await storage.upsert_processed_context(body, key=key))


@router.post("/batch", operation_id="contexts.upsert_batch", status_code=201, openapi_extra=MAKES_VECTORS)
async def upsert_batch(storage: Storage, body: ContextBatch, key: WriteKey) -> ContextsStored:
    """Store all of these contexts or none."""
    return ContextsStored(ids=await storage.batch_upsert_processed_context(body.contexts, key=key))


@router.get("", operation_id="contexts.list")
async def find(storage: Storage, query: Annotated[ContextsQuery, Query()]) -> ContextLists:
    """A page of each type, the newest first."""
    given = query.given()
    if query.context_types is not None:
        given["context_types"] = query.context_types.split(",")
    if query.filter is not None:
        given["filter"] = _filters(query.filter)
    lists = await storage.get_all_processed_contexts(**given)
    return ContextLists(types={str(kind): page for kind, page in lists.items()})


@router.get("/counts", operation_id="contexts.counts")
async def counts(storage: Storage) -> ContextCounts:
    """How many contexts there are of each type."""
    counted = await storage.get_all_processed_context_counts()
    return ContextCounts(counts={str(kind): count for kind, count in counted.items()})


@router.get("/types", operation_id="contexts.types")
async def types(storage: Storage) -> ContextTypes:
    """Every type that a context may have."""
    return ContextTypes(types=await storage.get_available_context_types())


@router.post("/search", operation_id="contexts.search", openapi_extra=MAKES_VECTORS)
async def search(storage: Storage, body: ContextSearch, key: WriteKey) -> ContextHits:  # noqa: ARG001
    """The contexts nearest in meaning to a vector or a text, by cosine similarity, the nearest first."""
    found = await storage.search(**body.given())
    return ContextHits(items=[ContextHit(context=context, score=score) for context, score in found])


@router.get("/{context_id}", operation_id="contexts.get")
async def get(storage: Storage, context_id: ContextId, query: Annotated[ContextQuery, Query()]) -> ProcessedContext:
    """One context."""
    return await storage.get_processed_context(context_id, query.context_type, query.need_vector)


@router.delete("/{context_id}", operation_id="contexts.delete", status_code=204)
async def delete(
    storage: Storage, context_id: ContextId, query: Annotated[ContextTypeQuery, Query()], key: WriteKey
) -> None:
    """Remove a context with its vector."""
    await storage.delete_processed_context(context_id, query.context_type, key=key)


@todos_router.put(
    "/{todo_id}/embedding", operation_id="todos.set_embedding", status_code=204, openapi_extra=MAKES_VECTORS
)
async def set_embedding(storage: Storage, todo_id: Identifier, body: TodoEmbedding, key: WriteKey) -> None:
    """Store what a todo means, for finding duplicates."""
    await storage.upsert_todo_embedding(todo_id, **body.given(), key=key)


@todos_router.delete("/{todo_id}/embedding", operation_id="todos.delete_embedding", status_code=204)
async def delete_embedding(storage: Storage, todo_id: Identifier, key: WriteKey) -> None:
    """Forget what a todo means."""
    await storage.delete_todo_embedding(todo_id, key=key)


@todos_router.post("/similar", operation_id="todos.similar", openapi_extra=MAKES_VECTORS)
async def similar(storage: Storage, body: SimilarTodosQuery, key: WriteKey) -> SimilarTodos:  # noqa: ARG001
    """Todos that mean almost the same, the nearest first."""
    found = await storage.search_similar_todos(**body.given())
    return SimilarTodos(
        items=[
            SimilarTodo(todo_id=todo_id, content=content, similarity=similarity)
            for todo_id, content, similarity in found
        ]
    )


def _filters(text: str) -> Filters:
    try:
        return _FILTERS.validate_json(text)
    except ValidationError:
        raise InvalidInput.field("query.filter", "is not a JSON object") from None
