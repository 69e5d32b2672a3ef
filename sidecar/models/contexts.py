"""Processed contexts: what was understood of something, found again by meaning; and the embeddings of todos."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from sidecar.models.base import Identifier, Line, LongText, Page, PageQuery, Record, StoredRecord, Text, Wire
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


class ExtractedData(Wire):
    """What was understood."""

    context_type: ContextType
    title: Line | None = None
    summary: LongText | None = None
    keywords: list[Line] = Field(default=[])
    entities: list[Any] = Field(default=[])
    confidence: Share | None = None
    importance: float | None = Field(default=None, allow_inf_nan=False)


class PropertiesInput(Wire):
    """When and from where; times that are left out are now, and a context that was there keeps its `create_time`."""

    create_time: TimestampInput | None = None
    event_time: TimestampInput | None = None
    update_time: TimestampInput | None = None
    call_count: Count = 0
    merge_count: Count = 0
    duration_count: Count = 1
    source: Line | None = None
    raw_type: Line | None = None
    raw_id: Line | None = None


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


class ProcessedContextInput(Wire):
    """A context to store. With the `id` of one that is there, it takes that one's place."""

    id: ContextId | None = Field(default=None, description="Made, if left out.")
    extracted_data: ExtractedData
    properties: PropertiesInput = Field(default_factory=PropertiesInput)
    text: LongText = ""
    vector: Vector | None = Field(default=None, description="Made from `text`, if left out.")
    model: Line | None = Field(default=None, description="By which model the vector was made.")
    metadata: dict[str, Any] = Field(default={})


class ProcessedContext(StoredRecord):
    id: str
    extracted_data: ExtractedData
    properties: ContextProperties
    text: str
    vector: list[float] | None = Field(description="Only where it was asked for.")
    metadata: dict[str, Any]


class ContextPage(Page[ProcessedContext]):
    """Contexts of one type, the newest first."""


class ContextLists(Record):
    """A page of each type that was asked for."""

    types: dict[str, ContextPage]


class ContextsQuery(PageQuery):
    context_types: str | None = Field(
        default=None,
        max_length=200,
        pattern=r"^[a-z]+(,[a-z]+)*$",
        description="Only these types, e.g. `intent,state`; all, if left out. A `cursor` belongs to one type.",
    )
    filter: str | None = Field(default=None, max_length=10_000, description="Filters as in a search, as a JSON object.")
    need_vector: bool = Field(default=False, description="With their vectors.")


class ContextQuery(Wire):
    context_type: ContextType | None = Field(default=None, description="Only if it is of this type.")
    need_vector: bool = Field(default=False, description="With its vector.")


class ContextTypeQuery(Wire):
    context_type: ContextType | None = Field(default=None, description="Only if it is of this type.")


class ContextBatch(Wire):
    contexts: list[ProcessedContextInput] = Field(min_length=1, max_length=MAX_BATCH)


class ContextStored(Record):
    id: str


class ContextsStored(Record):
    ids: list[str] = Field(description="In the order in which the contexts were given.")


class ContextTypes(Record):
    types: list[ContextType]


class ContextCounts(Record):
    counts: dict[str, int] = Field(description="How many contexts there are of each type.")


class ContextSearch(Wire):
    query: Vector | Text = Field(description="A vector, or text when an embedding endpoint is configured.")
    top_k: int = Field(default=10, ge=1, le=MAX_TOP_K)
    context_types: list[ContextType] | None = Field(default=None, min_length=1, description="All, if left out.")
    filters: Filters | None = Field(
        default=None,
        description="By property, `keywords`, `entities` or `metadata.NAME`: a value, a list of values of which one has"
        ' to be there, or for times `{"from": ..., "before": ...}`. All have to hold.',
    )


class ContextHit(Record):
    context: ProcessedContext
    score: float = Field(description="Cosine similarity, from -1 to 1.")


class ContextHits(Record):
    items: list[ContextHit]


class TodoEmbedding(Wire):
    """What a todo means; its content, and the vector that is made of it, if left out."""

    content: Text | None = Field(default=None, description="The todo's own, if left out.")
    embedding: Vector | None = None
    model: Line | None = Field(default=None, description="By which model the embedding was made.")
    metadata: dict[str, Any] = Field(default={})


class SimilarTodosQuery(Wire):
    query_embedding: Vector | Text = Field(description="A vector, or text when an embedding endpoint is configured.")
    top_k: int = Field(default=10, ge=1, le=MAX_TOP_K)
    similarity_threshold: float = Field(default=0.85, ge=-1, le=1)


class SimilarTodo(Record):
    todo_id: Identifier
    content: str
    similarity: float


class SimilarTodos(Record):
    items: list[SimilarTodo]
