"""Processed contexts: what was understood of something, found again by meaning; and the embeddings of todos."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from sidecar.models.base import ApiModel, Identifier, LongText, Page, PageQuery, Record, ShortText, StoredRecord, Text
from sidecar.models.timestamps import Timestamp, TimestampInput

MAX_DIMENSIONS = 8_192
MAX_BATCH = 1_000
MAX_TOP_K = 1_000

Vector = Annotated[list[float], Field(min_length=1, max_length=MAX_DIMENSIONS)]
ContextId = Annotated[str, StringConstraints(min_length=1, max_length=200, strict=True)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=2**53, strict=True)]
Filters = dict[str, Any]


class ContextType(StrEnum):
    """The seed's kinds of contexts."""

    ENTITY = "entity"
    ACTIVITY = "activity"
    INTENT = "intent"
    SEMANTIC = "semantic"
    PROCEDURAL = "procedural"
    STATE = "state"
    KNOWLEDGE = "knowledge"


class ExtractedData(ApiModel):
    """The extracted meaning of a context."""

    context_type: ContextType
    title: ShortText | None = None
    summary: LongText | None = None
    keywords: list[ShortText] = Field(default=[])
    entities: list[Any] = Field(default=[])
    confidence: Share | None = None
    importance: float | None = Field(default=None, allow_inf_nan=False)


class PropertiesInput(ApiModel):
    """Times and origin of a context. The default for times is now; an existing context keeps its `create_time`."""

    create_time: TimestampInput | None = None
    event_time: TimestampInput | None = None
    update_time: TimestampInput | None = None
    call_count: Count = 0
    merge_count: Count = 0
    duration_count: Count = 1
    source: ShortText | None = None
    raw_type: ShortText | None = None
    raw_id: ShortText | None = None


class ContextProperties(Record):
    create_time: Timestamp
    event_time: Timestamp
    update_time: Timestamp
    call_count: int
    merge_count: int
    duration_count: int
    source: str | None
    raw_type: str | None
    raw_id: str | None


class ProcessedContextInput(ApiModel):
    """A context to store. It replaces an existing context with the same `id`."""

    id: ContextId | None = Field(default=None, description="Id of the context. Default: a new one.")
    extracted_data: ExtractedData
    properties: PropertiesInput = Field(default_factory=PropertiesInput)
    text: LongText = ""
    vector: Vector | None = Field(default=None, description="Vector of the context. Default: the embedding of `text`.")
    model: ShortText | None = Field(default=None, description="Model that made the vector.")
    metadata: dict[str, Any] = Field(default={})


class ProcessedContext(StoredRecord):
    id: str
    extracted_data: ExtractedData
    properties: ContextProperties
    text: str
    vector: list[float] | None = Field(description="Vector of the context. Only on request.")
    metadata: dict[str, Any]


class ContextPage(Page[ProcessedContext]):
    """Contexts of one type or of one source, the newest first."""


class ContextLists(Record):
    """A page of each type that was asked for."""

    types: dict[str, ContextPage]


class ContextsQuery(PageQuery):
    context_types: str | None = Field(
        default=None,
        max_length=200,
        pattern=r"^[a-z]+(,[a-z]+)*$",
        description="Only these types, such as `intent,state`. Default: all. A `cursor` belongs to one type.",
    )
    filter: str | None = Field(default=None, max_length=10_000, description="Filters as in a search, as a JSON object.")
    need_vector: bool = Field(default=False, description="Return the vectors as well.")


class SourceContextsQuery(PageQuery):
    need_vector: bool = Field(default=False, description="Return the vectors as well.")


class ContextQuery(ApiModel):
    context_type: ContextType | None = Field(
        default=None, description="Type of the context. Another type is not found."
    )
    need_vector: bool = Field(default=False, description="Return the vector as well.")


class ContextTypeQuery(ApiModel):
    context_type: ContextType | None = Field(
        default=None, description="Type of the context. Another type is not found."
    )


class ContextBatch(ApiModel):
    contexts: list[ProcessedContextInput] = Field(min_length=1, max_length=MAX_BATCH)


class ContextDeletion(ApiModel):
    """Which contexts are deleted."""

    ids: list[ContextId] = Field(min_length=1, max_length=MAX_BATCH)
    context_type: ContextType | None = Field(
        default=None, description="Type of the contexts. One of another type is not found."
    )


class ContextsDeleted(Record):
    deleted: int = Field(description="Number of deleted contexts. An id that was given twice counts once.")


class ContextCollections(Record):
    names: list[str] = Field(
        description="Names of the collections of vectors: one of each type of context, and one of todos."
    )


class ContextStored(Record):
    id: str


class ContextsStored(Record):
    ids: list[str] = Field(description="Ids of the contexts, in the order of the request.")


class ContextTypes(Record):
    types: list[ContextType]


class ContextCounts(Record):
    counts: dict[str, int] = Field(description="Number of contexts of each type.")


class ContextSearch(ApiModel):
    query: Vector | Text = Field(description="A vector, or text when an embedding endpoint is configured.")
    top_k: int = Field(default=10, ge=1, le=MAX_TOP_K)
    context_types: list[ContextType] | None = Field(
        default=None, min_length=1, description="Types to search. Default: all."
    )
    filters: Filters | None = Field(
        default=None,
        description="Conditions by property, `keywords`, `entities` or `metadata.NAME`: a value, a list of values of "
        'which one must match, or for times `{"from": ..., "before": ...}`. All conditions must hold.',
    )


class ContextHit(Record):
    context: ProcessedContext
    score: float = Field(description="Cosine similarity, from -1 to 1.")


class ContextHits(Record):
    items: list[ContextHit]


class TodoEmbedding(ApiModel):
    """The embedding of a todo. Default: the embedding of the todo's content."""

    content: Text | None = Field(default=None, description="Text that is embedded. Default: the content of the todo.")
    embedding: Vector | None = None
    model: ShortText | None = Field(default=None, description="Model that made the embedding.")
    metadata: dict[str, Any] = Field(default={})


class SimilarTodosQuery(ApiModel):
    query_embedding: Vector | Text = Field(description="A vector, or text when an embedding endpoint is configured.")
    top_k: int = Field(default=10, ge=1, le=MAX_TOP_K)
    similarity_threshold: float = Field(default=0.85, ge=-1, le=1)


class SimilarTodo(Record):
    todo_id: Identifier
    content: str
    similarity: float


class SimilarTodos(Record):
    items: list[SimilarTodo]
