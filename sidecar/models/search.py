"""Documents of every kind under one kind of id, and what a search by word finds."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, WithJsonSchema

from sidecar.models.base import Identifier, Line, Record, StoredRecord, Wire
from sidecar.models.timestamps import Timestamp, TimestampInput

MAX_HITS = 100


class DataType(StrEnum):
    """The kinds of documents."""

    VAULT = "vault"
    TODO = "todo"
    ACTIVITY = "activity"
    TIP = "tip"
    MESSAGE = "message"
    CONVERSATION = "conversation"
    CONTEXT = "context"


class DocumentData(StoredRecord):
    """A row of some kind as a document."""

    id: str = Field(description="Its kind and its own id: `vault:12`.")
    content: str
    metadata: dict[str, JsonValue] = Field(description="The other fields that describe it.")
    data_type: DataType


class QueryResult(Record):
    """Documents that were found, the best first, each with its score: the higher the better."""

    documents: list[DocumentData]
    total_count: int
    scores: list[float]


class Part(Record):
    """A piece of a text; `match` says whether it is what was searched for."""

    text: str
    match: bool


class SearchHit(Record):
    id: str = Field(description="The document's id, `vault:12`.")
    data_type: DataType
    title: list[Part]
    snippet: list[Part] = Field(description="The text around the first matches, in pieces; plain text, never HTML.")
    time: Timestamp = Field(description="The time by which its kind is listed.")
    score: float = Field(description="The higher the better; 0 for what was found by the beginning of a word alone.")


class SearchPage(Record):
    """The best hits first."""

    items: list[SearchHit]
    total: int = Field(description="How many hits there are; of a kind with very many, only the newest are counted.")
    complete: bool = Field(description="False while rows are still being put into the index.")


def _kinds(value: str) -> str:
    known = {kind.value for kind in DataType}
    unknown = [name for name in value.split(",") if name not in known]
    if unknown:
        raise ValueError(f"must be names from {', '.join(DataType)}, separated by commas")
    return value


Kinds = Annotated[str, AfterValidator(_kinds), WithJsonSchema({"type": "string", "examples": ["vault,message"]})]


class SearchQuery(Wire):
    q: str = Field(description='Words, "phrases" and -exclusions; the last word may be incomplete. Any text will do.')
    kinds: Kinds | None = Field(default=None, description="Only these kinds, separated by commas; all, if left out.")
    limit: int = Field(default=20, ge=1, le=MAX_HITS)
    offset: int = Field(default=0, ge=0, le=10_000)
    since: TimestampInput | None = Field(
        default=None, alias="from", description="Only what is from this time or later."
    )
    before: TimestampInput | None = Field(default=None, description="Only what is from before this time.")
    tag: Line | None = Field(default=None, description="Only vaults with this tag.")
    document_type: Line | None = Field(default=None, description="Only vaults of this document type.")
    folder: Identifier | None = Field(default=None, description="Only vaults in this folder and those below it.")


class SearchConditions(Wire):
    """Filters of a search in the library: all that are given have to hold. The last three have the seed's names."""

    kinds: list[DataType] | None = None
    since: TimestampInput | None = None
    before: TimestampInput | None = None
    tag: Line | None = None
    document_type: Line | None = None
    folder: Identifier | None = None
    tags: Line | list[Line] | None = None
    content_type: Line | None = None
    data_type: DataType | None = None


class HybridSearch(Wire):
    """A search by word and by meaning at once."""

    query: str = Field(description="As in a search by word.")
    vector: list[float] | None = Field(
        default=None,
        min_length=1,
        max_length=8_192,
        description="What the query means; made of it where an embedding endpoint is configured, if left out.",
    )
    kinds: list[DataType] | None = Field(default=None, min_length=1, description="Only these kinds; all, if left out.")
    limit: int = Field(default=20, ge=1, le=MAX_HITS)


class HybridHit(SearchHit):
    """Found by word, by meaning, or by both: a rank says at which place, from 1; null that it was not found so."""

    word_rank: int | None
    meaning_rank: int | None
    similarity: float | None = Field(description="Cosine similarity, from -1 to 1, of what was found by meaning.")


class HybridPage(Record):
    """The best hits first."""

    items: list[HybridHit]
    complete: bool = Field(description="False while rows are still being put into the index of words.")
