"""Documents of every kind under one kind of id, and what a search by word finds."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from sidecar.models.base import ApiModel, Identifier, Record, ShortText, StoredRecord, UrlIdentifier
from sidecar.models.messages import Role
from sidecar.models.timestamps import Timestamp, TimestampInput

MAX_HITS = 100

OWN_KIND = "^[a-z][a-z0-9_]*\\.[a-z][a-z0-9_]*$"
"""The form of the kinds that extensions declare: `notes.card`. Which there are, the storage knows."""


class DataType(str):
    """The kinds of documents. Each is declared with the table whose rows are such documents."""

    __slots__ = ()

    declared: ClassVar[dict[str, "DataType"]] = {}
    """Every built-in kind by its name, in the order of the index."""

    @classmethod
    def declare(cls, name: str) -> "DataType":
        """Add a kind to those that requests may name; return it."""
        return cls.declared.setdefault(name, cls(name))

    @classmethod
    def of(cls, name: str) -> "DataType":
        """Return the kind of this name, which is built in or has the form of an extension's.

        Raises `PydanticCustomError` for any other.
        """
        found = cls.declared.get(name)
        if found is None and re.fullmatch(OWN_KIND, name):
            return cls(name)
        if found is None:
            *others, last = map(repr, cls.declared)
            raise PydanticCustomError(
                "enum", "Input should be {expected}", {"expected": f"{', '.join(others)} or {last}"}
            )
        return found

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls.of, core_schema.str_schema(), ref=cls.__name__)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "anyOf": [{"type": "string", "enum": list(cls.declared)}, {"type": "string", "pattern": OWN_KIND}],
            "title": cls.__name__,
            "description": "The kinds of documents: the built-in ones, and those of extensions, such as `notes.card`.",
        }


class DocumentData(StoredRecord):
    """A row of some kind as a document."""

    id: str = Field(description="Kind and id of the row: `vault:12`.")
    content: str
    metadata: dict[str, JsonValue] = Field(description="Other fields of the row.")
    data_type: DataType


class QueryResult(Record):
    """Documents that were found, the best first, each with its score: the higher the better."""

    documents: list[DocumentData]
    total_count: int
    scores: list[float]


class TextFragment(Record):
    """A fragment of a text; `match` is true for the searched words."""

    text: str
    match: bool


class SearchHit(Record):
    id: str = Field(description="The document's id, `vault:12`.")
    data_type: DataType
    title: list[TextFragment]
    snippet: list[TextFragment] = Field(
        description="The text around the first matches, in pieces; plain text, never HTML."
    )
    time: Timestamp = Field(description="Time by which rows of this kind are listed.")
    score: float = Field(
        description="Relevance; higher is better. 0 for a row that matches only the beginning of a word."
    )


class SearchPage(Record):
    """The best hits first."""

    items: list[SearchHit]
    total: int = Field(description="How many hits there are; of a kind with very many, only the newest are counted.")
    complete: bool = Field(description="False while rows are still being indexed.")


def _kinds(value: str) -> str:
    if not all(name in DataType.declared or re.fullmatch(OWN_KIND, name) for name in value.split(",")):
        raise ValueError(f"must be names from {', '.join(DataType.declared)}, separated by commas")
    return value


Kinds = Annotated[str, AfterValidator(_kinds), WithJsonSchema({"type": "string", "examples": ["vault,message"]})]


class SearchQuery(ApiModel):
    q: str = Field(
        description='Words, "phrases" and -exclusions; the last word may be incomplete. Any text will do. One dash '
        "before a word of three or more letters and digits that begins with a letter, or before a word of another "
        "script, excludes the word. Everything else with signs (`--force`, `ls -la`, `-5`, `C++`) is found as it is "
        "typed. Of three or more words, one may be missing: such rows come last."
    )
    kinds: Kinds | None = Field(default=None, description="Only these kinds, separated by commas. Default: all.")
    limit: int = Field(default=20, ge=1, le=MAX_HITS)
    offset: int = Field(default=0, ge=0, le=10_000)
    since: TimestampInput | None = Field(default=None, alias="from", description="Only rows from this time or later.")
    before: TimestampInput | None = Field(default=None, description="Only rows from before this time.")
    tag: ShortText | None = Field(default=None, description="Only vaults with this tag.")
    document_type: ShortText | None = Field(default=None, description="Only vaults of this document type.")
    folder: UrlIdentifier | None = Field(default=None, description="Only vaults in this folder and those below it.")
    conversation_id: UrlIdentifier | None = Field(default=None, description="Only messages of this conversation.")
    role: Role | None = Field(default=None, description="Only messages of this role.")


class SearchConditions(ApiModel):
    """Filters of a search in the library: all that are given have to hold. The last three have the seed's names."""

    kinds: list[DataType] | None = None
    since: TimestampInput | None = None
    before: TimestampInput | None = None
    tag: ShortText | None = None
    document_type: ShortText | None = None
    folder: Identifier | None = None
    conversation_id: Identifier | None = None
    role: Role | None = None
    tags: ShortText | list[ShortText] | None = None
    content_type: ShortText | None = None
    data_type: DataType | None = None


class HybridSearch(ApiModel):
    """A search by word and by meaning at once."""

    query: str = Field(description="Words to search for, as in `search.query`.")
    vector: list[float] | None = Field(
        default=None,
        min_length=1,
        max_length=8_192,
        description="Embedding of the query. Without it, the configured embedding endpoint makes one.",
    )
    kinds: list[DataType] | None = Field(default=None, min_length=1, description="Kinds to search. Default: all.")
    limit: int = Field(default=20, ge=1, le=MAX_HITS)


class HybridHit(SearchHit):
    """A hit by words, by meaning or by both. A rank counts from 1; null if it was not found that way."""

    word_rank: int | None
    meaning_rank: int | None
    similarity: float | None = Field(description="Cosine similarity, from -1 to 1, of a hit by meaning.")


class HybridPage(Record):
    """The best hits first."""

    items: list[HybridHit]
    complete: bool = Field(description="False while rows are still being indexed.")
