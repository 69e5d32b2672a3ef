"""The base of every type on the wire, and the types of fields that several resources share."""

from typing import Annotated, Any, Generic, TypeVar, cast, dataclass_transform

from pydantic import (
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.dataclasses import dataclass
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1
"""SQLite stores integers in at most 64 bits, signed."""

MAX_TEXT_BYTES = 128 * 1024 * 1024
"""UTF-8 bytes of one text, and of one JSON value. The store refuses a longer one, wherever it comes from."""


def is_storable_text(value: str) -> bool:
    """Return whether the text is whole characters, and of no more than `MAX_TEXT_BYTES` in UTF-8."""
    try:
        return len(value) <= MAX_TEXT_BYTES and len(value.encode()) <= MAX_TEXT_BYTES
    except UnicodeEncodeError:  # half of a character
        return False


class _Storable:
    """Validates with `is_storable_text`, which is called only for long texts: a batch has thousands of short ones."""

    def __init__(self, least: int = 0) -> None:
        self._text = core_schema.str_schema(min_length=least or None, strict=True)
        # No character takes more than 4 bytes.
        self._short_text = core_schema.str_schema(min_length=least or None, max_length=MAX_TEXT_BYTES // 4, strict=True)
        self._message = f"must be text of {least} to {MAX_TEXT_BYTES} bytes in UTF-8"

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        long_text = core_schema.no_info_after_validator_function(self._require, self._text)
        return core_schema.union_schema(
            [self._short_text, long_text],
            mode="left_to_right",
            custom_error_type="text",
            custom_error_message=self._message,
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(self._text)

    def _require(self, value: str) -> str:
        if not is_storable_text(value):
            raise ValueError(self._message)
        return value


Integer = Annotated[int, Field(ge=MIN_INTEGER, le=MAX_INTEGER, strict=True)]
Identifier = Integer
"""New rows get ids from 1 on. Rows of other programs may have any, 0 and less included."""
UrlIdentifier = Annotated[int, Field(ge=MIN_INTEGER, le=MAX_INTEGER)]
"""An identifier in a path or a query string, where every value is text."""
MAX_SHORT_TEXT = 1_000
ShortText = Annotated[str, StringConstraints(max_length=MAX_SHORT_TEXT, strict=True)]
"""Titles, tags, names."""
LongText = Annotated[str, _Storable()]
Text = Annotated[str, _Storable(least=1)]

T = TypeVar("T")

MAX_BATCH = 10_000
Batch = Annotated[list[T], Field(min_length=1, max_length=MAX_BATCH), FailFast()]
"""An all-or-nothing batch. Validation stops at the first invalid item."""


_CONFIG = ConfigDict(extra="forbid", defer_build=True)
"""Unknown fields are refused, so that a misspelt one is an error and not a lost value. Validators are built when a type
is first used; building them all at start-up would be most of its time."""


class ApiModel(BaseModel):
    """Base of every type on the wire."""

    model_config = _CONFIG

    def explicit_fields(self) -> dict[str, Any]:
        """The fields that the sender named: absent ones are left out, `null` is `None`."""
        return {name: getattr(self, name) for name in self.model_fields_set}


@dataclass_transform(field_specifiers=(Field,))
def input_dataclass(kind: type[T]) -> type[T]:
    """Make `kind` a dataclass that validates a request to create a row: the parameters of the method that creates it.

    Batches have thousands of rows, and a dataclass takes three quarters of the time of a model and half its memory.
    """
    return cast("type[T]", dataclass(config=_CONFIG)(kind))


def unset(description: str | None = None) -> Any:
    """Return the default of a field that stays as it is when it is left out.

    It is never read: see `ApiModel.explicit_fields`.
    """
    return Field(default=None, description=description, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class Record(ApiModel):
    """Something as it was read; it does not change."""

    model_config = ConfigDict(frozen=True)


class StoredRecord(Record):
    """A stored row. Other programs may have written it, so a value in it may be one that nobody can read."""

    invalid: tuple[str, ...] = Field(
        default=(),
        description="Names of the fields whose stored values cannot be read. Each has a safe default here; "
        "`invalid_rows.list` shows what is stored.",
    )


class RowsMade(Record):
    """The result of a batch."""

    ids: list[Identifier] = Field(description="Ids of the rows, in the order of the request.")


class Page(Record, Generic[T]):
    """A bounded part of a list, and the way to the next one."""

    items: list[T]
    next_cursor: str | None = Field(
        default=None, description="Value of `cursor` for the next page. Null at the end of the list."
    )
    total: int | None = Field(default=None, description="Number of matching rows. Only with `with_total`.")


class PageQuery(ApiModel):
    """Which part of a list is asked for."""

    limit: int = Field(default=100, ge=1, le=1_000, description="Largest number of rows to return.")
    offset: int = Field(
        default=0, ge=0, le=10_000, description="Number of rows to skip. Use `cursor` for deeper pages."
    )
    cursor: str | None = Field(default=None, max_length=200, description="`next_cursor` of the previous page.")
    with_total: bool = Field(default=False, description="Also count all matching rows.")
