"""The stores of what is found by meaning: processed contexts, and the embeddings of todos."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated

from sidecar.models.base import Identifier, Line, Text
from sidecar.models.contexts import ContextId, ContextPage, ContextType, ProcessedContext, ProcessedContextInput
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.stores.arguments import ANY_VALUE, JsonObject
from sidecar.storage.stores.lists import DEFAULT_LIMIT

Embedding = Annotated[Sequence[float], ANY_VALUE]
"""A vector; checked where it is packed."""

Query = Annotated[Sequence[float] | str, ANY_VALUE]
"""A vector, or text of which an embedding endpoint makes one."""

DEFAULT_TOP_K = 10
DEFAULT_SIMILARITY_THRESHOLD = 0.85


class IContextStore(ABC):
    """Processed contexts. Parameters have the seed's names, those of built-in functions included.

    Vectors are kept as 32-bit floats. Those of one context type have the dimension, and the model where it is named,
    of its first one; others raise `Conflict`. A filter is by property, `keywords`, `entities` or `metadata.NAME`: a
    value, a list of values of which one has to be there, or for times `{"from": ..., "before": ...}`; all have to hold.

    Where text has to become a vector, `NotAvailable` says that no embedding endpoint is configured, and
    `EmbeddingUnavailable` or `EmbeddingRefused` what went wrong there.
    """

    @abstractmethod
    async def upsert_processed_context(
        self, context: ProcessedContextInput, *, key: IdempotencyKey | None = None
    ) -> str:
        """Store a context, in the place of the one with its id; returns the id. Raises `InvalidInput`, `Conflict`."""

    @abstractmethod
    async def batch_upsert_processed_context(
        self, contexts: Sequence[ProcessedContextInput], *, key: IdempotencyKey | None = None
    ) -> list[str]:
        """Store all of them or none; returns their ids in order. Raises `InvalidInput`, `Conflict`."""

    @abstractmethod
    async def get_processed_context(
        self,
        id: ContextId,  # noqa: A002
        context_type: str | None = None,
        need_vector: bool = True,
    ) -> ProcessedContext:
        """One context. Raises `NotFound`, also when it is of another type."""

    @abstractmethod
    async def delete_processed_context(
        self,
        id: ContextId,  # noqa: A002
        context_type: str | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> None:
        """Remove a context with its vector. Raises `NotFound`, also when it is of another type."""

    @abstractmethod
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

    @abstractmethod
    async def get_processed_context_count(self, context_type: str) -> int:
        """How many contexts there are of a type."""

    @abstractmethod
    async def get_all_processed_context_counts(self) -> Mapping[ContextType, int]:
        """How many contexts there are of each type."""

    @abstractmethod
    async def get_available_context_types(self) -> list[ContextType]:
        """Every type that a context may have."""

    @abstractmethod
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


class ITodoEmbeddingStore(ABC):
    """What todos mean, for finding duplicates."""

    @abstractmethod
    async def upsert_todo_embedding(
        self,
        todo_id: Identifier,
        content: Text | None = None,
        embedding: Embedding | None = None,
        metadata: JsonObject | None = None,
        model: Line | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> None:
        """Store what a todo means: `content`, or the todo's own, and a vector, or the one that is made of the content.

        Raises `NotFound` for a todo that is not there, `InvalidInput`, `Conflict`.
        """

    @abstractmethod
    async def search_similar_todos(
        self,
        query_embedding: Query,
        top_k: int = DEFAULT_TOP_K,
        similarity_threshold: float = DEFAULT_SIMILARITY_THRESHOLD,
    ) -> list[tuple[int, str, float]]:
        """Ids and contents of the todos that mean almost the same, with their cosine similarity, the nearest first.

        Raises `NotAvailable` where the extra `vectors` is not installed.
        """

    @abstractmethod
    async def delete_todo_embedding(self, todo_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Forget what a todo means. Raises `NotFound`."""


class IDocumentMeaningStore(ABC):
    """Documents of those kinds that have vectors: contexts, and todos with an embedding."""

    @abstractmethod
    async def search_documents_by_meaning(
        self, query: Query, top_k: int = DEFAULT_TOP_K, kinds: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        """Ids of the documents nearest in meaning, `context:12`, with their cosine similarity, the nearest first.

        Raises `Conflict` for a vector of another dimension than those that are searched, `NotAvailable` where the
        extra `vectors` is not installed, or a text cannot become a vector.
        """
