"""Todos."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import MAKES_VECTORS, OperationRoute
from sidecar.api.topics import depends_on
from sidecar.models.base import RowsMade, UrlIdentifier
from sidecar.models.contexts import SimilarTodo, SimilarTodos, SimilarTodosQuery, TodoEmbedding
from sidecar.models.daily_counts import DailyCountsQuery, DayCounts
from sidecar.models.todos import Todo, TodoBatch, TodoCreate, TodoPage, TodoQuery, TodoStatusChange, TodoUpdate

router = APIRouter(prefix="/todos", tags=["todos"], route_class=OperationRoute)


@router.post("", operation_id="todos.create", status_code=201)
async def create(storage: Storage, body: TodoCreate, key: WriteKey) -> Todo:
    """Create a todo."""
    return await storage.insert_todo(**vars(body), key=key)


@router.post("/batch", operation_id="todos.create_batch", status_code=201)
async def create_batch(storage: Storage, body: TodoBatch, key: WriteKey) -> RowsMade:
    """Create all of these todos or none."""
    return RowsMade(ids=await storage.batch_insert_todos(body.todos, key=key))


@router.get("", operation_id="todos.list")
async def list_todos(storage: Storage, query: Annotated[TodoQuery, Query()]) -> TodoPage:
    """List todos that match every filter, the most urgent first, or in another `order`."""
    return await storage.get_todos(**query.explicit_fields())


@router.get("/counts", operation_id="todos.counts")
async def counts(storage: Storage, query: Annotated[DailyCountsQuery, Query()]) -> DayCounts:
    """Count the todos that were completed on each day, for example for a heat map."""
    return DayCounts(days=list(await storage.get_todo_counts(**query.explicit_fields())))


@router.get("/{todo_id}", operation_id="todos.get")
async def get(storage: Storage, todo_id: UrlIdentifier) -> Todo:
    """Return a todo."""
    return await storage.get_todo(todo_id)


@router.patch("/{todo_id}", operation_id="todos.update")
async def update(storage: Storage, todo_id: UrlIdentifier, body: TodoUpdate, key: WriteKey) -> Todo:
    """Update some fields of a todo. Its status has operations of its own."""
    return await storage.update_todo(todo_id, **body.explicit_fields(), key=key)


@router.post("/{todo_id}/status", operation_id="todos.set_status")
async def set_status(storage: Storage, todo_id: UrlIdentifier, body: TodoStatusChange, key: WriteKey) -> Todo:
    """Complete a todo or reopen it. A deadline is kept; an end that completing has set is cleared by reopening."""
    return await storage.update_todo_status(todo_id, **body.explicit_fields(), key=key)


@router.post("/{todo_id}/toggle", operation_id="todos.toggle")
async def toggle(storage: Storage, todo_id: UrlIdentifier, key: WriteKey) -> Todo:
    """Complete a pending todo, or reopen a completed one."""
    return await storage.toggle_todo(todo_id, key=key)


@router.delete("/{todo_id}", operation_id="todos.delete", status_code=204)
async def delete(storage: Storage, todo_id: UrlIdentifier, key: WriteKey) -> None:
    """Delete a todo."""
    await storage.delete_todo(todo_id, key=key)


@router.put("/{todo_id}/embedding", operation_id="todos.set_embedding", status_code=204, openapi_extra=MAKES_VECTORS)
async def set_embedding(storage: Storage, todo_id: UrlIdentifier, body: TodoEmbedding, key: WriteKey) -> None:
    """Store the embedding of a todo, which duplicates are found by."""
    await storage.upsert_todo_embedding(todo_id, **body.explicit_fields(), key=key)


@router.delete("/{todo_id}/embedding", operation_id="todos.delete_embedding", status_code=204)
async def delete_embedding(storage: Storage, todo_id: UrlIdentifier, key: WriteKey) -> None:
    """Delete the embedding of a todo."""
    await storage.delete_todo_embedding(todo_id, key=key)


@router.post(
    "/similar", operation_id="todos.similar", openapi_extra=MAKES_VECTORS | depends_on("todos", "todo_embeddings")
)
async def similar(storage: Storage, body: SimilarTodosQuery, key: WriteKey) -> SimilarTodos:  # noqa: ARG001
    """Return todos with almost the same meaning, the nearest first."""
    found = await storage.search_similar_todos(**body.explicit_fields())
    return SimilarTodos(
        items=[
            SimilarTodo(todo_id=todo_id, content=content, similarity=similarity)
            for todo_id, content, similarity in found
        ]
    )
