"""Processed contexts: stored, listed, and found by meaning."""

from collections.abc import Mapping, Sequence

from sidecar.errors import InvalidInput, RequestRefused
from sidecar.models import timestamps
from sidecar.models.base import Identifier
from sidecar.models.contexts import (
    MAX_BATCH,
    MAX_TOP_K,
    ContextId,
    ContextPage,
    ContextType,
    ProcessedContext,
    ProcessedContextInput,
)
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.arguments import DEFAULT_LIMIT, JsonObject
from sidecar.storage.interfaces import Connection, Work
from sidecar.storage.resources.rows.pagination import PageRequest, Where, require_range
from sidecar.storage.resources.rows.validation import one_of
from sidecar.storage.vectors import context_rows, todos
from sidecar.storage.vectors.cache import Scan
from sidecar.storage.vectors.collections import require_model
from sidecar.storage.vectors.filters import conditions, types_of
from sidecar.storage.vectors.meaning import DEFAULT_TOP_K, Meaning, Query, VectorResource, nearest
from sidecar.storage.vectors.vector import pack

VAULT = "vaults"
"""The seed's `raw_type` of a context that was made from a vault."""


class Contexts(VectorResource):
    """Processed contexts. Parameters have the seed's names, those of built-in functions included.

    Vectors are kept as 32-bit floats. Those of one context type have the dimension, and the model where it is named,
    of its first one; others raise `Conflict`. A filter is by property, `keywords`, `entities` or `metadata.NAME`: a
    value, a list of values of which one has to be there, or for times `{"from": ..., "before": ...}`; all have to hold.

    Where text has to become a vector, `NotAvailable` says that no embedding endpoint is configured, and
    `EmbeddingUnavailable` or `EmbeddingRefused` what went wrong there.
    """

    async def upsert_processed_context(
        self, context: ProcessedContextInput, *, key: IdempotencyKey | None = None
    ) -> str:
        """Store a context, in the place of the one with its id; returns the id. Raises `InvalidInput`, `Conflict`."""
        clock = self._vectors.database.clock
        columns = context_rows.columns_of("", context, clock.new_id(), timestamps.now(clock))
        (meaning,) = await self._meanings_of([context], [""])
        return await self._vectors.database.write(lambda work: context_rows.upsert(work, columns, meaning), key, str)

    async def batch_upsert_processed_context(
        self, contexts: Sequence[ProcessedContextInput], *, key: IdempotencyKey | None = None
    ) -> list[str]:
        """Store all of them or none; returns their ids in order. Raises `InvalidInput`, `Conflict`."""
        require_range("contexts", len(contexts), 1, MAX_BATCH)
        fields = [f"contexts.{place}." for place in range(len(contexts))]
        now = timestamps.now(self._vectors.database.clock)
        rows = [
            context_rows.columns_of(field, context, self._vectors.database.clock.new_id(), now)
            for field, context in zip(fields, contexts, strict=True)
        ]
        meanings = await self._meanings_of(contexts, fields)

        def upsert_all(work: Work) -> list[str]:
            pairs = zip(rows, meanings, strict=True)
            return [context_rows.upsert(work, columns, meaning) for columns, meaning in pairs]

        return await self._vectors.database.write(upsert_all, key, list[str])

    async def get_processed_context(
        self,
        id: ContextId,  # noqa: A002
        context_type: str | None = None,
        need_vector: bool = True,
    ) -> ProcessedContext:
        """One context. Raises `NotFound`, also when it is of another type."""
        return await self._vectors.database.read(
            lambda connection: context_rows.get(connection, id, _optional_type(context_type), need_vector)
        )

    async def delete_processed_context(
        self,
        id: ContextId,  # noqa: A002
        context_type: str | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> None:
        """Remove a context with its vector. Raises `NotFound`, also when it is of another type."""
        wanted = _optional_type(context_type)
        await self._vectors.database.write(lambda work: context_rows.delete(work, id, wanted), key, type(None))

    async def delete_contexts(
        self, ids: Sequence[ContextId], context_type: str | None = None, *, key: IdempotencyKey | None = None
    ) -> int:
        """Remove all of them with their vectors, or none; return how many. Raises `NotFound`, also for another type."""
        require_range("ids", len(ids), 1, MAX_BATCH)
        wanted = _optional_type(context_type)

        def delete_all(work: Work) -> int:
            different = dict.fromkeys(ids)
            for place, context_id in enumerate(different):
                try:
                    context_rows.delete(work, context_id, wanted)
                except RequestRefused as error:
                    error.locate(f"ids.{place}")
                    raise
            return len(different)

        return await self._vectors.database.write(delete_all, key, int)

    async def get_all_processed_contexts(
        self,
        context_types: Sequence[str] | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        filter: JsonObject | None = None,  # noqa: A002
        need_vector: bool = False,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> Mapping[ContextType, ContextPage]:
        """A page of each type, by when they were made, the newest first; a `cursor` goes with a single type."""
        types = types_of("context_types", context_types)
        if cursor is not None and len(types) != 1:
            raise InvalidInput.field("cursor", "belongs to the list of one type; give that as context_types")
        filtered = conditions("filter", filter)
        part = PageRequest(limit, offset, cursor, with_total)

        def pages(connection: Connection) -> Mapping[ContextType, ContextPage]:
            return {kind: context_rows.page(connection, kind, filtered, part, need_vector) for kind in types}

        return await self._vectors.database.read(pages)

    async def get_vault_contexts(
        self,
        vault_id: Identifier,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        need_vector: bool = False,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> ContextPage:
        """Contexts of every type that were made from a vault, the newest first; none of a missing vault.

        Their `raw_type` is `vaults`, their `raw_id` the id of the vault.
        """
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._vectors.database.read(
            lambda connection: context_rows.page_of_source(connection, VAULT, str(vault_id), part, need_vector)
        )

    async def get_processed_context_count(self, context_type: str) -> int:
        """How many contexts there are of a type."""
        kind = one_of(ContextType, "context_type", context_type)
        return await self._vectors.database.read(lambda connection: context_rows.count(connection, kind))

    async def get_all_processed_context_counts(self) -> Mapping[ContextType, int]:
        """Number of contexts of each type."""
        return await self._vectors.database.read(
            lambda connection: {kind: context_rows.count(connection, kind) for kind in ContextType}
        )

    async def get_available_context_types(self) -> list[ContextType]:
        """Every type that a context may have."""
        return list(ContextType)

    async def get_collection_names(self) -> list[str]:
        """Names of the collections of vectors: one of each type of context, and one of todos.

        The vectors of a collection have one dimension, and one model where it is known.
        """
        return [*map(str, ContextType), todos.COLLECTION]

    async def search(
        self,
        query: Query,
        top_k: int = DEFAULT_TOP_K,
        context_types: Sequence[str] | None = None,
        filters: JsonObject | None = None,
    ) -> list[tuple[ProcessedContext, float]]:
        """The contexts nearest in meaning with their cosine similarity, the nearest first; without their vectors.

        Raises `NotAvailable` where the extra `vectors` is not installed.
        """
        require_range("top_k", top_k, 1, MAX_TOP_K)
        types: list[str] = [*types_of("context_types", context_types)]
        filtered = conditions("filters", filters)
        meaning = await self._vectors.meaning("query", query)

        def find(connection: Connection, scan: Scan) -> list[tuple[ProcessedContext, float]]:
            return _find(connection, scan, types, meaning, top_k, filtered)

        return await self._vectors.contexts.read(types, find)

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
            made = await self._vectors.meanings([contexts[place].text for place in without])
            given |= dict(zip(without, made, strict=True))
        return [given[place] for place in range(len(contexts))]


def _find(
    connection: Connection, scan: Scan, types: list[str], meaning: Meaning, top_k: int, filtered: Where
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
