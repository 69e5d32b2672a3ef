"""The vector backend: contexts and todos by meaning, in the database of a document backend."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from sidecar.config import EmbeddingSettings
from sidecar.models.health import Component
from sidecar.storage.interfaces import STORE_REPLACED, Change, IVectorStorageBackend, StageListener, StorageType
from sidecar.storage.resources import processed_contexts
from sidecar.storage.sqlite.backend import SQLiteBackend
from sidecar.storage.vectors import context_rows, todos
from sidecar.storage.vectors.cache import Source, VectorCache
from sidecar.storage.vectors.embedding import EmbeddingClient
from sidecar.storage.vectors.meaning import Vectors

NAME = "sqlite"


class VectorBackend(IVectorStorageBackend):
    """Stores vectors in the tables of a SQLite backend, through its one writer, and searches them in memory."""

    def __init__(self, beside: SQLiteBackend) -> None:
        database = beside.database
        self._contexts = VectorCache(database, Source(context_rows.ALL_OF_TYPE, context_rows.THESE))
        self._todos = VectorCache(database, Source(todos.ALL_OF_COLLECTION, todos.THESE))
        self._vectors = Vectors(database, self._contexts, self._todos)
        self._database = database
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def vectors(self) -> Vectors:
        """The vectors, for the methods of `VectorResources`."""
        return self._vectors

    async def initialize(self, config: Mapping[str, Any], announce: StageListener) -> None:  # noqa: ARG002
        """Follow the database's commits; `config["embedding"]` says who makes vectors of text, if anybody does."""
        embedding: EmbeddingSettings | None = config.get("embedding")
        if embedding is not None and embedding.url is not None:
            self._vectors.embedding = EmbeddingClient(embedding, embedding.url)
        self._unsubscribe = self._database.subscribe(self._follow)

    def get_name(self) -> str:
        return NAME

    def get_storage_type(self) -> StorageType:
        return StorageType.VECTOR_DB

    async def health(self) -> Mapping[str, Component]:
        installed = find_spec("numpy") is not None and find_spec("simsimd") is not None
        measures = {
            "loaded": float(self._contexts.loaded + self._todos.loaded),
            "noted": float(self._contexts.noted + self._todos.noted),
        }
        detail = None if installed else "the extra 'vectors' is not installed: there is no search by meaning"
        return {"vectors": Component(ok=True, detail=detail, measures=measures)}

    async def close(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._vectors.embedding is not None:
            await self._vectors.embedding.close()

    def _follow(self, changes: Sequence[Change]) -> None:
        if STORE_REPLACED in changes:
            self._contexts.forget()
            self._todos.forget()
        numbers = [
            change.data["number"] for change in changes if change.topic == processed_contexts.TOPIC and change.data
        ]
        todo_ids = [int(change.id) for change in changes if change.topic in ("todos", todos.TOPIC)]
        self._contexts.note(numbers)
        self._todos.note(todo_ids)
