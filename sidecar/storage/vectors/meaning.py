"""What every part of the vector backend has: the cache, vectors of text, and the search over both."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sidecar.errors import NotAvailable
from sidecar.storage.sqlite.table import Domain
from sidecar.storage.vectors.cache import Candidates
from sidecar.storage.vectors.embedding import EmbeddingClient
from sidecar.storage.vectors.index import cosines
from sidecar.storage.vectors.vector import pack

LEAST_SHORT_LIST = 48
"""Rows that are ranked by their true vectors at least; the scan's 8 bits bring the nearest ten among far fewer."""


class Meaning(NamedTuple):
    """A vector as it is stored, and the model that made it where that is known."""

    packed: bytes
    model: str | None


class Embedding(Domain):
    """A part of the backend that makes vectors of text where it has to."""

    _embedding: EmbeddingClient | None

    async def _meaning(self, field: str, query: Sequence[float] | str) -> Meaning:
        """Of a vector, or of text. Raises `InvalidInput`, and what the embedding endpoint may raise."""
        if isinstance(query, str):
            (meaning,) = await self._meanings([query])
            return meaning
        return Meaning(pack(field, query), None)

    async def _meanings(self, texts: Sequence[str]) -> list[Meaning]:
        if self._embedding is None:
            raise NotAvailable("Text cannot become a vector: give a vector, or configure an endpoint in [embedding].")
        vectors = await self._embedding.embed(texts)
        return [Meaning(pack("embedding", vector), self._embedding.model) for vector in vectors]


def nearest(
    candidates: Candidates,
    query: bytes,
    top_k: int,
    read: Callable[[list[int]], list[tuple[int, bytes]]],
) -> list[tuple[int, float]]:
    """Numbers and cosines of the `top_k` nearest, the nearest first.

    `read` tells numbers and vectors of those rows that pass; as long as too few do, it is asked for more.
    """
    enough = max(LEAST_SHORT_LIST, 3 * top_k)
    passed: list[tuple[float, int]] = []
    for numbers in candidates.widening(enough):
        rows = read(numbers)
        if rows:
            scores = cosines(query, [vector for _, vector in rows])
            passed += [(-score, number) for (number, _), score in zip(rows, scores, strict=True)]
        if len(passed) >= enough:
            break
    return [(number, -score) for score, number in sorted(passed)[:top_k]]
