"""Todos."""

from typing import Annotated

from sidecar.api.arguments import Query
from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import Router
from sidecar.models.base import Identifier, RowsMade
from sidecar.models.todos import Todo, TodoBatch, TodoCreate, TodoPage, TodoQuery, TodoStatusChange, TodoUpdate

router = Router("todos", prefix="/todos")


@router.post("", operation_id="todos.create", status_code=201)
async def create(storage: Storage, body: TodoCreate, key: WriteKey) -> Todo:
    """Make a todo."""
    return await storage.insert_todo(**vars(body), key=key)


@router.post("/batch", operation_id="todos.create_batch", status_code=201)
async def create_batch(storage: Storage, body: TodoBatch, key: WriteKey) -> RowsMade:
    """Make all of these todos or none."""
    return RowsMade(ids=await storage.batch_insert_todos(body.todos, key=key))


@router.get("", operation_id="todos.list")
async def find(storage: Storage, query: Annotated[TodoQuery, Query()]) -> TodoPage:
    """Todos, the newest first."""
    return await storage.get_todos(**query.given())


@router.get("/{todo_id}", operation_id="todos.get")
async def get(storage: Storage, todo_id: Identifier) -> Todo:
    """One todo."""
    return await storage.get_todo(todo_id)


@router.patch("/{todo_id}", operation_id="todos.update")
async def update(storage: Storage, todo_id: Identifier, body: TodoUpdate, key: WriteKey) -> Todo:
    """Change some fields of a todo; its status has operations of its own."""
    return await storage.update_todo(todo_id, **body.given(), key=key)


@router.post("/{todo_id}/status", operation_id="todos.set_status")
async def set_status(storage: Storage, todo_id: Identifier, body: TodoStatusChange, key: WriteKey) -> Todo:
    """Complete a todo, which sets its end, or reopen it, which clears that."""
    return await storage.update_todo_status(todo_id, **body.given(), key=key)


@router.post("/{todo_id}/toggle", operation_id="todos.toggle")
async def toggle(storage: Storage, todo_id: Identifier, key: WriteKey) -> Todo:
    """Complete a pending todo, reopen a completed one."""
    return await storage.toggle_todo(todo_id, key=key)


@router.delete("/{todo_id}", operation_id="todos.delete", status_code=204)
async def delete(storage: Storage, todo_id: Identifier, key: WriteKey) -> None:
    """Remove a todo."""
    await storage.delete_todo(todo_id, key=key)
