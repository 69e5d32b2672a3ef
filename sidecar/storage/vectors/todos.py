"""What todos mean: the table `todo_embeddings`, for finding duplicates."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sidecar.errors import InvalidInput, NotFound
from sidecar.models.contexts import MAX_TOP_K
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.sqlite import contexts
from sidecar.storage.sqlite.columns import safe_value
from sidecar.storage.sqlite.listing import require_range
from sidecar.storage.sqlite.stored_columns import STORED
from sidecar.storage.sqlite.values import json_text
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.contexts import (
    DEFAULT_SIMILARITY_THRESHOLD,
    DEFAULT_TOP_K,
    ITodoEmbeddingStore,
    Query,
)
from sidecar.storage.vectors.cache import Scan, VectorCache
from sidecar.storage.vectors.collections import is_vector, require_fit, require_model
from sidecar.storage.vectors.meaning import Embedding, Meaning, nearest
from sidecar.storage.vectors.vector import dimension_of, pack

TOPIC = contexts.TODO_EMBEDDINGS
COLLECTION = "todo"

ALL_OF_COLLECTION = f"""
    SELECT todo_id, vector FROM todo_embeddings
    WHERE '{COLLECTION}' = ? AND {is_vector(f"'{COLLECTION}'")} ORDER BY todo_id
"""
THESE = f"""
    SELECT todo_id, '{COLLECTION}', vector FROM json_each(?)
    CROSS JOIN todo_embeddings ON todo_id = json_each.value WHERE {is_vector(f"'{COLLECTION}'")}
"""
_UPSERT = """
    INSERT INTO todo_embeddings (todo_id, content, vector, metadata) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET content = excluded.content, vector = excluded.vector, metadata = excluded.metadata
"""


class TodoEmbeddings(Embedding, ITodoEmbeddingStore):
    _todo_cache: VectorCache

    async def upsert_todo_embedding(
        self,
        todo_id: int,
        content: str | None = None,
        embedding: Sequence[float] | None = None,
        metadata: Mapping[str, Any] | None = None,
        model: str | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> None:
        stored_metadata = json_text("metadata", metadata or {})
        if content is None:
            content = await self._database.read(lambda connection: _content(connection, todo_id))
        if not content.strip():
            raise InvalidInput.field("content", "must not be empty")
        if embedding is None:
            (meaning,) = await self._meanings([content])
        else:
            meaning = Meaning(pack("embedding", embedding), model)

        def upsert(work: Work) -> None:
            _content(work.connection, todo_id)
            dimension = dimension_of(meaning.packed)
            require_fit(work.connection, COLLECTION, dimension, meaning.model, lambda: _is_alone(work, todo_id))
            work.connection.execute(_UPSERT, (todo_id, content, meaning.packed, stored_metadata))
            work.changed(TOPIC, todo_id)

        await self._database.write(upsert, key, type(None))

    async def search_similar_todos(
        self,
        query_embedding: Query,
        top_k: int = DEFAULT_TOP_K,
        similarity_threshold: float = DEFAULT_SIMILARITY_THRESHOLD,
    ) -> list[tuple[int, str, float]]:
        require_range("top_k", top_k, 1, MAX_TOP_K)
        if not -1 <= similarity_threshold <= 1:
            raise InvalidInput.field("similarity_threshold", "must be from -1 to 1")
        meaning = await self._meaning("query_embedding", query_embedding)

        def find(connection: sqlite3.Connection, scan: Scan) -> list[tuple[int, str, float]]:
            candidates = scan([COLLECTION], meaning.packed)
            if meaning.model is not None:
                require_model(connection, [COLLECTION], meaning.model)
            found = nearest(candidates, meaning.packed, top_k, lambda todo_ids: vectors(connection, todo_ids))
            contents = _contents(connection, [todo_id for todo_id, _ in found])
            return [
                (todo_id, contents[todo_id], similarity)
                for todo_id, similarity in found
                if similarity >= similarity_threshold
            ]

        return await self._todo_cache.read([COLLECTION], find)

    async def delete_todo_embedding(self, todo_id: int, *, key: IdempotencyKey | None = None) -> None:
        def delete(work: Work) -> None:
            sql = "DELETE FROM todo_embeddings WHERE todo_id = ?"
            if not work.connection.execute(sql, (todo_id,)).rowcount:
                raise NotFound.row("embedding of a todo", todo_id)
            work.changed(TOPIC, todo_id)

        await self._database.write(delete, key, type(None))


def _content(connection: sqlite3.Connection, todo_id: int) -> str:
    row = connection.execute("SELECT content FROM todo WHERE id = ?", (todo_id,)).fetchone()
    if row is None:
        raise NotFound.row("todo", todo_id)
    return str(safe_value(STORED["todo"]["content"], row["content"]))


def _is_alone(work: Work, todo_id: int) -> bool:
    sql = "SELECT 1 FROM todo_embeddings WHERE todo_id != ? LIMIT 1"
    return work.connection.execute(sql, (todo_id,)).fetchone() is None


def vectors(connection: sqlite3.Connection, todo_ids: Sequence[int]) -> list[tuple[int, bytes]]:
    sql = "SELECT todo_id, vector FROM json_each(?) CROSS JOIN todo_embeddings ON todo_id = json_each.value"
    return [(todo_id, vector) for todo_id, vector in connection.execute(sql, (json.dumps(todo_ids),))]


def _contents(connection: sqlite3.Connection, todo_ids: Sequence[int]) -> dict[int, str]:
    sql = "SELECT todo_id, content FROM json_each(?) CROSS JOIN todo_embeddings ON todo_id = json_each.value"
    read = partial(safe_value, STORED["todo_embeddings"]["content"])
    return {todo_id: read(content) for todo_id, content in connection.execute(sql, (json.dumps(todo_ids),))}
