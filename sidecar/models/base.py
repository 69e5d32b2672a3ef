"""The base of every type on the wire, and the types of fields that several resources share."""

from typing import Annotated, Any, Generic, TypeVar, cast, dataclass_transform

from pydantic import BaseModel, ConfigDict, FailFast, Field, StringConstraints
from pydantic.dataclasses import dataclass

MAX_INTEGER = 2**63 - 1
"""SQLite stores integers in at most 64 bits, signed."""

Identifier = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
Integer = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
Line = Annotated[str, StringConstraints(max_length=1_000)]
"""Titles, tags, names."""
Text = Annotated[str, StringConstraints(min_length=1)]

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


def unchanged() -> Any:
    """The default of a field that stays as it is when it is left out. It is never read: see `Wire.given`."""
    return Field(default=None, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class Record(Wire):
    """Something as it was read; it does not change."""

    model_config = ConfigDict(frozen=True)


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
