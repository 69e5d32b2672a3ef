"""The lines of an archive: for each kind of row, the type of a line, made from the declaration of its table."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, JsonValue, create_model

from sidecar.models.base import MAX_INTEGER, MIN_INTEGER, Identifier
from sidecar.models.timestamps import TimestampInput
from sidecar.models.transfer import AdoptionRow, ArchiveRow, SetAsideRow, String
from sidecar.storage.resources.all import TABLES
from sidecar.storage.resources.rows.columns import Column, Kind, safe_value
from sidecar.storage.resources.rows.declaration import Declaration

_TYPES: dict[Kind, Any] = {
    Kind.TEXT: String,
    Kind.REFERENCE: Identifier,
    Kind.BOOLEAN: bool,
    Kind.TIME: TimestampInput,
    Kind.JSON_OBJECT: dict[str, JsonValue],
    Kind.JSON_LIST: list[JsonValue],
    Kind.JSON_VALUE: JsonValue,
}


def _type_of(column: Column) -> Any:
    if column.kind is Kind.INTEGER:
        least, most = int(max(column.least, MIN_INTEGER)), int(min(column.most, MAX_INTEGER))
        required: Any = Annotated[int, Field(ge=least, le=most, strict=True)]
    elif column.kind is Kind.REAL:
        required = Annotated[float, Field(ge=column.least, le=column.most, allow_inf_nan=False)]
    elif column.kind is Kind.CHOICE:
        required = column.choices
    else:
        required = _TYPES[column.kind]
    return required | None if column.optional and column.kind is not Kind.JSON_VALUE else required


def line_type(table: Declaration) -> type[ArchiveRow]:
    """Return the type of a line that says a row of the table."""
    fields: dict[str, Any] = {table.key: (String if table.has_text_key else Identifier, ...)}
    for name, column in table.columns.items():
        if name != table.key:
            fields[name] = (_type_of(column), safe_value(column, None) if column.is_added else ...)
    return create_model(f"{table.name}_line", __base__=ArchiveRow, **fields)


EXPORTED = {table.exported.kind: table for table in TABLES.values() if table.exported is not None}
"""The tables whose rows are exported, by the names of their kinds."""


class Lines(Mapping[str, type[ArchiveRow]]):
    """The type of every kind's lines, in the order in which an archive holds them.

    A kind comes after those that it refers to. Types are made when they are first asked for; no start needs them.
    """

    def __init__(self) -> None:
        self._made: dict[str, type[ArchiveRow]] = {}

    def __getitem__(self, kind: str) -> type[ArchiveRow]:
        if kind not in self._made:
            self._made[kind] = _OF_THE_STORE.get(kind) or line_type(EXPORTED[kind])
        return self._made[kind]

    def __iter__(self) -> Iterator[str]:
        return iter((*EXPORTED, *_OF_THE_STORE))

    def __len__(self) -> int:
        return len(EXPORTED) + len(_OF_THE_STORE)


_OF_THE_STORE: dict[str, type[ArchiveRow]] = {"adoptions": AdoptionRow, "set_aside": SetAsideRow}
"""Kinds of rows that no resource declares."""

LINES = Lines()

REQUIRED = frozenset(kind for kind, table in EXPORTED.items() if table.exported and table.exported.is_required)
"""Kinds that every archive holds. The others are in it only where there are rows of them: archives of the time when the
format had no more are still imported, and programs of that time import ours."""
