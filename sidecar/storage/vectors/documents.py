"""Documents by meaning: the contexts and todos nearest to a vector or a text, by their document ids."""

import sqlite3
from collections.abc import Callable, Sequence

from sidecar.models.contexts import MAX_TOP_K, ContextType
from sidecar.models.search import DataType
from sidecar.storage.sqlite.listing import Where, require_range
from sidecar.storage.stores.contexts import DEFAULT_TOP_K, IDocumentMeaningStore, Query
from sidecar.storage.vectors import context_rows, todos
from sidecar.storage.vectors.cache import Scan, VectorCache
from sidecar.storage.vectors.collections import require_model
from sidecar.storage.vectors.meaning import Embedding, Meaning, nearest

Read = Callable[[sqlite3.Connection, list[int]], list[tuple[int, bytes]]]


class DocumentsByMeaning(Embedding, IDocumentMeaningStore):
    _context_cache: VectorCache
    _todo_cache: VectorCache

    async def search_documents_by_meaning(
        self, query: Query, top_k: int = DEFAULT_TOP_K, kinds: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        require_range("top_k", top_k, 1, MAX_TOP_K)
        meaning = await self._meaning("query", query)
        wanted = set(kinds or DataType)
        found: list[tuple[str, float]] = []
        if DataType.CONTEXT in wanted:
            types: list[str] = list(ContextType)
            found += await _search(self._context_cache, DataType.CONTEXT, types, meaning, top_k, _contexts)
        if DataType.TODO in wanted:
            found += await _search(self._todo_cache, DataType.TODO, [todos.COLLECTION], meaning, top_k, todos.vectors)
        return sorted(found, key=lambda hit: hit[1], reverse=True)[:top_k]


async def _search(
    cache: VectorCache, kind: DataType, collections: list[str], meaning: Meaning, top_k: int, read: Read
) -> list[tuple[str, float]]:
    def find(connection: sqlite3.Connection, scan: Scan) -> list[tuple[str, float]]:
        candidates = scan(collections, meaning.packed)
        if meaning.model is not None:
            require_model(connection, collections, meaning.model)
        found = nearest(candidates, meaning.packed, top_k, lambda numbers: read(connection, numbers))
        return [(f"{kind}:{number}", score) for number, score in found]

    return await cache.read(collections, find)


def _contexts(connection: sqlite3.Connection, numbers: list[int]) -> list[tuple[int, bytes]]:
    return context_rows.passing(connection, numbers, Where())
