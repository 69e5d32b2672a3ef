"""Embeddings of todos in the table `todo_embeddings`, for finding duplicates."""

import json
from collections.abc import Sequence
from functools import partial

from sidecar.errors import InvalidInput, NotFound
from sidecar.models.base import Identifier, ShortText, Text
from sidecar.models.contexts import (
    MAX_TOP_K,
)
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.arguments import JsonObject
from sidecar.storage.interfaces import Connection, Work
from sidecar.storage.resources.processed_contexts import TODO_EMBEDDINGS
from sidecar.storage.resources.rows.columns import safe_value
from sidecar.storage.resources.rows.pagination import require_range
from sidecar.storage.resources.rows.validation import json_text
from sidecar.storage.resources.todos import TODOS
from sidecar.storage.vectors.cache import Scan
from sidecar.storage.vectors.collections import is_vector, require_fit, require_model
from sidecar.storage.vectors.meaning import (
    DEFAULT_SIMILARITY_THRESHOLD,
    DEFAULT_TOP_K,
    EmbeddingInput,
    Meaning,
    Query,
    VectorResource,
    nearest,
)
from sidecar.storage.vectors.vector import dimension_of, pack

TOPIC = TODO_EMBEDDINGS.topic
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


class TodoEmbeddings(VectorResource):
    """Embeddings of todos, for finding duplicates."""

    async def upsert_todo_embedding(
        self,
        todo_id: Identifier,
        content: Text | None = None,
        embedding: EmbeddingInput | None = None,
        metadata: JsonObject | None = None,
        model: ShortText | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> None:
        """Store what a todo means: `content`, or the todo's own, and a vector, or the one that is made of the content.

        Raises `NotFound` for a todo that is not there, `InvalidInput`, `Conflict`.
        """
        stored_metadata = json_text("metadata", metadata or {})
        if content is None:
            content = await self._vectors.database.read(lambda connection: _content(connection, todo_id))
        if not content.strip():
            raise InvalidInput.field("content", "must not be empty")
        if embedding is None:
            (meaning,) = await self._vectors.meanings([content])
        else:
            meaning = Meaning(pack("embedding", embedding), model)

        def upsert(work: Work) -> None:
            _content(work.connection, todo_id)
            dimension = dimension_of(meaning.packed)
            require_fit(work.connection, COLLECTION, dimension, meaning.model, lambda: _is_alone(work, todo_id))
            work.connection.execute(_UPSERT, (todo_id, content, meaning.packed, stored_metadata))
            work.changed(TOPIC, todo_id)

        await self._vectors.database.write(upsert, key, type(None))

    async def search_similar_todos(
        self,
        query_embedding: Query,
        top_k: int = DEFAULT_TOP_K,
        similarity_threshold: float = DEFAULT_SIMILARITY_THRESHOLD,
    ) -> list[tuple[int, str, float]]:
        """Ids and contents of the todos that mean almost the same, with their cosine similarity, the nearest first.

        Raises `NotAvailable` where the extra `vectors` is not installed.
        """
        require_range("top_k", top_k, 1, MAX_TOP_K)
        if not -1 <= similarity_threshold <= 1:
            raise InvalidInput.field("similarity_threshold", "must be from -1 to 1")
        meaning = await self._vectors.meaning("query_embedding", query_embedding)

        def find(connection: Connection, scan: Scan) -> list[tuple[int, str, float]]:
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

        return await self._vectors.todos.read([COLLECTION], find)

    async def delete_todo_embedding(self, todo_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Forget what a todo means. Raises `NotFound`."""

        def delete(work: Work) -> None:
            sql = "DELETE FROM todo_embeddings WHERE todo_id = ?"
            if not work.connection.execute(sql, (todo_id,)).rowcount:
                raise NotFound.row("embedding of a todo", todo_id)
            work.changed(TOPIC, todo_id)

        await self._vectors.database.write(delete, key, type(None))


def _content(connection: Connection, todo_id: int) -> str:
    row = connection.execute("SELECT content FROM todo WHERE id = ?", (todo_id,)).fetchone()
    if row is None:
        raise NotFound.row("todo", todo_id)
    return str(safe_value(TODOS.columns["content"], row["content"]))


def _is_alone(work: Work, todo_id: int) -> bool:
    sql = "SELECT 1 FROM todo_embeddings WHERE todo_id != ? LIMIT 1"
    return work.connection.execute(sql, (todo_id,)).fetchone() is None


def vectors(connection: Connection, todo_ids: Sequence[int]) -> list[tuple[int, bytes]]:
    sql = "SELECT todo_id, vector FROM json_each(?) CROSS JOIN todo_embeddings ON todo_id = json_each.value"
    return [(todo_id, vector) for todo_id, vector in connection.execute(sql, (json.dumps(todo_ids),))]


def _contents(connection: Connection, todo_ids: Sequence[int]) -> dict[int, str]:
    sql = "SELECT todo_id, content FROM json_each(?) CROSS JOIN todo_embeddings ON todo_id = json_each.value"
    read = partial(safe_value, TODO_EMBEDDINGS.columns["content"])
    return {todo_id: read(content) for todo_id, content in connection.execute(sql, (json.dumps(todo_ids),))}
