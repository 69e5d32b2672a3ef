"""Documents by meaning: the contexts and todos nearest to a vector or a text, by their document ids."""

from collections.abc import Callable, Sequence

from sidecar.models.contexts import (
    MAX_TOP_K,
    ContextType,
)
from sidecar.storage.interfaces import Connection
from sidecar.storage.resources.rows.pagination import Where, require_range
from sidecar.storage.vectors import context_rows, todos
from sidecar.storage.vectors.cache import Scan, VectorCache
from sidecar.storage.vectors.collections import require_model
from sidecar.storage.vectors.meaning import DEFAULT_TOP_K, Meaning, Query, VectorResource, nearest

CONTEXT, TODO = "context", "todo"
"""The kinds of documents that have vectors."""

Read = Callable[[Connection, list[int]], list[tuple[int, bytes]]]


class DocumentsByMeaning(VectorResource):
    """Documents of those kinds that have vectors: contexts, and todos with an embedding."""

    async def search_documents_by_meaning(
        self, query: Query, top_k: int = DEFAULT_TOP_K, kinds: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        """Ids of the documents nearest in meaning, `context:12`, with their cosine similarity, the nearest first.

        Raises `Conflict` for a vector of another dimension than those that are searched, `NotAvailable` where the
        extra `vectors` is not installed, or a text cannot become a vector.
        """
        require_range("top_k", top_k, 1, MAX_TOP_K)
        meaning = await self._vectors.meaning("query", query)
        wanted = set(kinds or (CONTEXT, TODO))
        found: list[tuple[str, float]] = []
        if CONTEXT in wanted:
            types: list[str] = list(ContextType)
            found += await _search(self._vectors.contexts, CONTEXT, types, meaning, top_k, _contexts)
        if TODO in wanted:
            collections = [todos.COLLECTION]
            found += await _search(self._vectors.todos, TODO, collections, meaning, top_k, todos.vectors)
        return sorted(found, key=lambda hit: hit[1], reverse=True)[:top_k]


async def _search(
    cache: VectorCache, kind: str, collections: list[str], meaning: Meaning, top_k: int, read: Read
) -> list[tuple[str, float]]:
    def find(connection: Connection, scan: Scan) -> list[tuple[str, float]]:
        candidates = scan(collections, meaning.packed)
        if meaning.model is not None:
            require_model(connection, collections, meaning.model)
        found = nearest(candidates, meaning.packed, top_k, lambda numbers: read(connection, numbers))
        return [(f"{kind}:{number}", score) for number, score in found]

    return await cache.read(collections, find)


def _contexts(connection: Connection, numbers: list[int]) -> list[tuple[int, bytes]]:
    return context_rows.passing(connection, numbers, Where())
