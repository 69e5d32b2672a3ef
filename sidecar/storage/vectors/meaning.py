"""Meanings: vectors given or made of text, and the search for the nearest ones."""

from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

from sidecar.errors import NotAvailable
from sidecar.storage.arguments import ANY_VALUE, ChecksArguments
from sidecar.storage.interfaces import Database
from sidecar.storage.vectors.cache import Candidates, VectorCache
from sidecar.storage.vectors.embedding import EmbeddingClient
from sidecar.storage.vectors.index import cosines
from sidecar.storage.vectors.vector import pack

EmbeddingInput = Annotated[Sequence[float], ANY_VALUE]
"""A vector; checked where it is packed."""

Query = Annotated[Sequence[float] | str, ANY_VALUE]
"""A vector, or text of which an embedding endpoint makes one."""

DEFAULT_TOP_K = 10
DEFAULT_SIMILARITY_THRESHOLD = 0.85

LEAST_SHORT_LIST = 48
"""Rows that are ranked by their true vectors at least; the scan's 8 bits bring the nearest ten among far fewer."""


class Meaning(NamedTuple):
    """A vector as it is stored, and the model that made it where that is known."""

    packed: bytes
    model: str | None


class Vectors:
    """An engine of vectors, as its methods see it: a database, caches of what searches scan, and vectors of text."""

    def __init__(self, database: Database, contexts: VectorCache, todos: VectorCache) -> None:
        self.database = database
        self.contexts = contexts
        self.todos = todos
        self.embedding: EmbeddingClient | None = None
        """Makes vectors of text, where an endpoint is configured."""

    async def meaning(self, field: str, query: Sequence[float] | str) -> Meaning:
        """Return the meaning of a vector, or of text. Raises `InvalidInput`, and what the endpoint may raise."""
        if isinstance(query, str):
            (meaning,) = await self.meanings([query])
            return meaning
        return Meaning(pack(field, query), None)

    async def meanings(self, texts: Sequence[str]) -> list[Meaning]:
        """Return the meaning of each text. Raises `NotAvailable`, and what the endpoint may raise."""
        if self.embedding is None:
            raise NotAvailable("Text cannot become a vector: give a vector, or configure an endpoint in [embedding].")
        vectors = await self.embedding.embed(texts)
        return [Meaning(pack("embedding", vector), self.embedding.model) for vector in vectors]


class VectorResource(ChecksArguments, checks=False):
    """The base of resources that are found by meaning."""

    def __init__(self, vectors: Vectors) -> None:
        self.__vectors = vectors

    @property
    def _vectors(self) -> Vectors:
        return self.__vectors


def nearest(
    candidates: Candidates,
    query: bytes,
    top_k: int,
    read: Callable[[list[int]], list[tuple[int, bytes]]],
) -> list[tuple[int, float]]:
    """Numbers and cosines of the `top_k` nearest, the nearest first.

    `read` returns the numbers and vectors of the rows that pass; it is called again while too few do.
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
