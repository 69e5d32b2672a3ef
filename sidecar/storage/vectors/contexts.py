"""Processed contexts: stored, listed, and found by meaning."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.errors import InvalidInput
from sidecar.models.contexts import (
    MAX_BATCH,
    MAX_TOP_K,
    ContextPage,
    ContextType,
    ProcessedContext,
    ProcessedContextInput,
)
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.sqlite.listing import Part, Where, require_range
from sidecar.storage.sqlite.values import one_of
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.contexts import DEFAULT_TOP_K, IContextStore, Query
from sidecar.storage.stores.lists import DEFAULT_LIMIT
from sidecar.storage.vectors import context_rows
from sidecar.storage.vectors.cache import Scan, VectorCache
from sidecar.storage.vectors.collections import require_model
from sidecar.storage.vectors.filters import conditions, types_of
from sidecar.storage.vectors.meaning import Embedding, Meaning, nearest
from sidecar.storage.vectors.vector import pack


class Contexts(Embedding, IContextStore):
    _context_cache: VectorCache

    async def upsert_processed_context(
        self, context: ProcessedContextInput, *, key: IdempotencyKey | None = None
    ) -> str:
        columns = context_rows.columns_of("", context, self._database.clock.new_id(), self._now())
        (meaning,) = await self._meanings_of([context], [""])
        return await self._database.write(lambda work: context_rows.upsert(work, columns, meaning), key, str)

    async def batch_upsert_processed_context(
        self, contexts: Sequence[ProcessedContextInput], *, key: IdempotencyKey | None = None
    ) -> list[str]:
        require_range("contexts", len(contexts), 1, MAX_BATCH)
        fields = [f"contexts.{place}." for place in range(len(contexts))]
        now = self._now()
        rows = [
            context_rows.columns_of(field, context, self._database.clock.new_id(), now)
            for field, context in zip(fields, contexts, strict=True)
        ]
        meanings = await self._meanings_of(contexts, fields)

        def upsert_all(work: Work) -> list[str]:
            pairs = zip(rows, meanings, strict=True)
            return [context_rows.upsert(work, columns, meaning) for columns, meaning in pairs]

        return await self._database.write(upsert_all, key, list[str])

    async def get_processed_context(
        self,
        id: str,  # noqa: A002
        context_type: str | None = None,
        need_vector: bool = True,
    ) -> ProcessedContext:
        return await self._database.read(
            lambda connection: context_rows.get(connection, id, _optional_type(context_type), need_vector)
        )

    async def delete_processed_context(
        self,
        id: str,  # noqa: A002
        context_type: str | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> None:
        wanted = _optional_type(context_type)
        await self._database.write(lambda work: context_rows.delete(work, id, wanted), key, type(None))

    async def get_all_processed_contexts(
        self,
        context_types: Sequence[str] | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        filter: Mapping[str, Any] | None = None,  # noqa: A002
        need_vector: bool = False,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> Mapping[ContextType, ContextPage]:
        types = types_of("context_types", context_types)
        if cursor is not None and len(types) != 1:
            raise InvalidInput.field("cursor", "belongs to the list of one type; give that as context_types")
        filtered = conditions("filter", filter)
        part = Part(limit, offset, cursor, with_total)

        def pages(connection: sqlite3.Connection) -> Mapping[ContextType, ContextPage]:
            return {kind: context_rows.page(connection, kind, filtered, part, need_vector) for kind in types}

        return await self._database.read(pages)

    async def get_processed_context_count(self, context_type: str) -> int:
        kind = one_of(ContextType, "context_type", context_type)
        return await self._database.read(lambda connection: context_rows.count(connection, kind))

    async def get_all_processed_context_counts(self) -> Mapping[ContextType, int]:
        return await self._database.read(
            lambda connection: {kind: context_rows.count(connection, kind) for kind in ContextType}
        )

    async def get_available_context_types(self) -> list[ContextType]:
        return list(ContextType)

    async def search(
        self,
        query: Query,
        top_k: int = DEFAULT_TOP_K,
        context_types: Sequence[str] | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> list[tuple[ProcessedContext, float]]:
        require_range("top_k", top_k, 1, MAX_TOP_K)
        types: list[str] = [*types_of("context_types", context_types)]
        filtered = conditions("filters", filters)
        meaning = await self._meaning("query", query)

        def find(connection: sqlite3.Connection, scan: Scan) -> list[tuple[ProcessedContext, float]]:
            return _find(connection, scan, types, meaning, top_k, filtered)

        return await self._context_cache.read(types, find)

    async def _meanings_of(self, contexts: Sequence[ProcessedContextInput], fields: Sequence[str]) -> list[Meaning]:
        """Each context's vector, or that of its text. Before the unit of work: nothing waits for an endpoint in one."""
        given = {
            place: Meaning(pack(f"{field}vector", context.vector), context.model)
            for place, (field, context) in enumerate(zip(fields, contexts, strict=True))
            if context.vector is not None
        }
        without = [place for place in range(len(contexts)) if place not in given]
        for place in without:
            if not contexts[place].text.strip():
                raise InvalidInput.field(f"{fields[place]}vector", "is needed, as there is no text to make it of")
        if without:
            made = await self._meanings([contexts[place].text for place in without])
            given |= dict(zip(without, made, strict=True))
        return [given[place] for place in range(len(contexts))]


def _find(
    connection: sqlite3.Connection, scan: Scan, types: list[str], meaning: Meaning, top_k: int, filtered: Where
) -> list[tuple[ProcessedContext, float]]:
    candidates = scan(types, meaning.packed)
    if meaning.model is not None:
        require_model(connection, types, meaning.model)
    found = nearest(
        candidates, meaning.packed, top_k, lambda numbers: context_rows.passing(connection, numbers, filtered)
    )
    contexts = context_rows.records(connection, [number for number, _ in found])
    return [(context, score) for context, (_, score) in zip(contexts, found, strict=True)]


def _optional_type(context_type: str | None) -> ContextType | None:
    return None if context_type is None else one_of(ContextType, "context_type", context_type)
