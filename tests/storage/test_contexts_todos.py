"""Todos by meaning: finding duplicates."""

from pathlib import Path

import pytest

from sidecar.config import Settings
from sidecar.errors import Conflict, InvalidInput, NotAvailable, NotFound
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.unified import UnifiedStorage, configured_backends
from tests.vectors.contexts import embedding_of, embedding_server


async def test_similar_todos_come_with_their_similarity_the_nearest_first(storage: UnifiedStorage) -> None:
    todos = [await storage.insert_todo(content) for content in ("buy bread", "get bread", "swim")]
    vectors: list[list[float]] = [[1, 0.1], [1, 0], [0, 1]]
    for todo, vector in zip(todos, vectors, strict=True):
        await storage.upsert_todo_embedding(todo.id, todo.content, vector)
    similar = await storage.search_similar_todos([1, 0])
    assert [found[:2] for found in similar] == [(todos[1].id, "get bread"), (todos[0].id, "buy bread")]
    assert [found[2] for found in similar] == pytest.approx([1, 1 / 1.01**0.5])
    assert len(await storage.search_similar_todos([1, 0], similarity_threshold=-1)) == 3
    assert len(await storage.search_similar_todos([1, 0], top_k=1)) == 1
    assert len(await storage.search_similar_todos([1, 0], similarity_threshold=0.9999)) == 1


async def test_the_default_threshold_is_the_seeds(storage: UnifiedStorage) -> None:
    near, far = [await storage.insert_todo("x") for _ in range(2)]
    await storage.upsert_todo_embedding(near.id, "near", [0.86, (1 - 0.86**2) ** 0.5])
    await storage.upsert_todo_embedding(far.id, "far", [0.84, (1 - 0.84**2) ** 0.5])
    assert [content for _, content, _ in await storage.search_similar_todos([1, 0])] == ["near"]


async def test_an_embedding_is_replaced_and_forgotten(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("swim")
    for vector in ([1, 0], [0, 1]):
        await storage.upsert_todo_embedding(todo.id, None, vector, {"by": "test"})
        assert [found[:2] for found in await storage.search_similar_todos(vector)] == [(todo.id, "swim")]
    assert await storage.search_similar_todos([1, 0]) == []
    key = IdempotencyKey("key-1")
    for _ in range(2):
        await storage.delete_todo_embedding(todo.id, key=key)
    assert await storage.search_similar_todos([0, 1]) == []
    with pytest.raises(NotFound):
        await storage.delete_todo_embedding(todo.id)


async def test_a_todo_that_is_removed_is_not_found_any_more(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("swim")
    await storage.upsert_todo_embedding(todo.id, "swim", [1, 0])
    assert len(await storage.search_similar_todos([1, 0])) == 1
    await storage.delete_todo(todo.id)
    assert await storage.search_similar_todos([1, 0]) == []
    assert (await storage.health())["contexts.vectors"].measures["loaded"] == 0
    with pytest.raises(NotFound):
        await storage.delete_todo_embedding(todo.id)


async def test_the_todo_must_be_there(storage: UnifiedStorage) -> None:
    for content in ("swim", None):
        with pytest.raises(NotFound, match="todo"):
            await storage.upsert_todo_embedding(7, content, [1, 0])


async def test_wrong_values_are_refused(storage: UnifiedStorage) -> None:
    one, two = [await storage.insert_todo("x") for _ in range(2)]
    with pytest.raises(InvalidInput, match="embedding"):
        await storage.upsert_todo_embedding(one.id, "x", [0, 0])
    with pytest.raises(InvalidInput, match="content"):
        await storage.upsert_todo_embedding(one.id, " ", [1, 0])
    with pytest.raises(InvalidInput, match="similarity_threshold"):
        await storage.search_similar_todos([1, 0], similarity_threshold=1.5)
    with pytest.raises(NotAvailable, match=r"\[embedding\]"):
        await storage.upsert_todo_embedding(one.id, "x")
    await storage.upsert_todo_embedding(one.id, "x", [1, 0])
    with pytest.raises(Conflict, match="'todo' have 2 dimensions"):
        await storage.upsert_todo_embedding(two.id, "x", [1, 0, 0])
    with pytest.raises(Conflict, match="'todo' have 2 dimensions"):
        await storage.search_similar_todos([1, 0, 0])


async def test_the_content_becomes_the_vector_where_there_is_an_endpoint(tmp_path: Path) -> None:
    with embedding_server() as server:
        settings = Settings.model_validate({"embedding": {"url": server.url}})
        storage = UnifiedStorage.create(configured_backends(settings, tmp_path))
        await storage.initialize()
        todo = await storage.insert_todo("swim")
        await storage.upsert_todo_embedding(todo.id)
        for query in ("swim", embedding_of("swim")):
            assert [found[:2] for found in await storage.search_similar_todos(query)] == [(todo.id, "swim")]
        await storage.close()
