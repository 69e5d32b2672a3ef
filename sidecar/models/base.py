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
MAX_LINE = 1_000
Line = Annotated[str, StringConstraints(max_length=MAX_LINE, strict=True)]
"""Titles, tags, names."""
LongText = Annotated[str, _Storable()]
Text = Annotated[str, _Storable(least=1)]

T = TypeVar("T")

MAX_BATCH = 10_000
Batch = Annotated[list[T], Field(min_length=1, max_length=MAX_BATCH), FailFast()]
"""What is made all at once or not at all. The first item that is wrong is told, not every one of ten thousand."""


_CONFIG = ConfigDict(extra="forbid", defer_build=True)
"""Unknown fields are refused, so that a misspelt one is an error and not a lost value. Validators are built when a type
is first used; building them all at start-up would be most of its time."""


class Wire(BaseModel):
    """What is sent, either way."""

    model_config = _CONFIG

    def given(self) -> dict[str, Any]:
        """The fields that the sender named: absent ones are left out, `null` is `None`."""
        return {name: getattr(self, name) for name in self.model_fields_set}


@dataclass_transform(field_specifiers=(Field,))
def new_row(kind: type[T]) -> type[T]:
    """What is sent to make a row, as a dataclass: the parameters of the method that makes it.

    Batches have thousands, and a dataclass is made in three quarters of the time of a model, and in half its memory.
    """
    return cast("type[T]", dataclass(config=_CONFIG)(kind))


def unchanged(description: str | None = None) -> Any:
    """The default of a field that stays as it is when it is left out. It is never read: see `Wire.given`."""
    return Field(default=None, description=description, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class Record(Wire):
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
    """What a batch left behind."""

    ids: list[Identifier] = Field(description="In the order in which the rows were given.")


class Page(Record, Generic[T]):
    """A bounded part of a list, and the way to the next one."""

    items: list[T]
    next_cursor: str | None = Field(
        default=None, description="Give it as `cursor` to get the rows after these; null at the end of the list."
    )
    total: int | None = Field(default=None, description="How many rows match in all; only when `with_total` is given.")


class PageQuery(Wire):
    """Which part of a list is asked for."""

    limit: int = Field(default=100, ge=1, le=1_000, description="At most this many rows.")
    offset: int = Field(
        default=0, ge=0, le=10_000, description="Skip this many rows; deeper pages are reached by `cursor`."
    )
    cursor: str | None = Field(default=None, max_length=200, description="`next_cursor` of the page before.")
    with_total: bool = Field(default=False, description="Count all rows that match, too.")
