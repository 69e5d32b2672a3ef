"""Tables that an extension declares: their rows are searched, exported and repaired like the built-in ones."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sidecar.models.base import StoredRecord
from sidecar.storage.interfaces import Work
from sidecar.storage.resources.rows import declaration
from sidecar.storage.resources.rows.columns import Columns, Kind
from sidecar.storage.resources.rows.declaration import Reference
from sidecar.storage.resources.rows.table import Table
from sidecar.storage.resources.rows.validation import json_text, required_time

R = TypeVar("R", bound=StoredRecord)


@dataclass(frozen=True, kw_only=True)
class Searched:
    """How the rows of a table are found by word."""

    time: str
    """The column by which hits are filtered, and which they show."""
    content: tuple[str, ...]
    """Columns that are a document's text, one below the other."""
    title: str | None = None
    """The column that is a document's title. A match in it counts eight times one in the text."""
    metadata: tuple[str, ...] = ()
    """Columns that describe a document besides its text."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """How the rows of a table are exported and imported."""

    birth: tuple[str, ...] = ()
    """Columns that never change: with the id, they tell a row of one store from all others."""
    references: tuple[Reference, ...] = ()
    """Columns that name rows of other exported tables, which an import gives the ids that those rows have there."""
    same: tuple[str, ...] = ()
    """Columns by which an imported row is the same as a stored one, unless one of them is NULL. No two rows have the
    same values in them."""


class OwnTable(Table[R]):
    """A table of an extension. Its methods take the values of records, and store them as the columns say."""

    def insert(self, work: Work, columns: Mapping[str, Any]) -> R:
        """Insert a row, and return it with its id and defaults. Raises `InvalidInput`."""
        return super().insert(work, self._stored_values(columns))

    def insert_many(self, work: Work, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Insert rows that all give the same columns, and return their ids in order. Raises `InvalidInput`."""
        return super().insert_many(work, map(self._stored_values, rows))

    def update(self, work: Work, row_id: int, columns: Mapping[str, Any]) -> R:
        """Set the columns, and return the row. Raises `NotFound`, `InvalidInput`."""
        return super().update(work, row_id, self._stored_values(columns))

    def _stored_values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._stored_value(name, value) for name, value in values.items()}

    def _stored_value(self, name: str, value: Any) -> Any:
        column = self.columns.get(name)
        if column is None or value is None:
            return value
        if column.kind is Kind.TIME:
            return required_time(name, value)
        return column.write(value) if column.null is None else json_text(name, value)


def own_table(
    namespace: str,
    name: str,
    record: type[R],
    columns: Columns,
    kind: str,
    searched: Searched | None,
    exported: Exported | None,
) -> OwnTable[R]:
    """Return the table `<namespace>_<name>`. Raises `ValueError` for names that do not fit together."""
    table, topic = f"{namespace}_{name}", f"{namespace}.{name}"
    odd = next((column for column in columns if re.fullmatch("[a-z][a-z0-9_]*", column) is None), None)
    if odd is not None:
        raise ValueError(f"the column {odd!r} of the table {table} must be lower-case letters, digits and underscores")
    fields = record.model_fields.keys() - {"id", "invalid"}
    _require_columns(table, columns, "the record", fields)
    if "id" not in record.model_fields:
        raise ValueError(f"the record of the table {table} has no field `id: int`")
    if searched is not None:
        title = () if searched.title is None else (searched.title,)
        _require_columns(table, columns, "Searched", (searched.time, *searched.content, *title, *searched.metadata))
        if not searched.content:
            raise ValueError(f"Searched of the table {table} names no column as its content")
        if len(searched.content) > 1 and all(columns[name].optional for name in searched.content):
            raise ValueError(f"the content of the table {table} needs a column that is not optional")
    if exported is not None:
        named = (reference.column for reference in exported.references)
        _require_columns(table, columns, "Exported", (*exported.birth, *exported.same, *named))
    return OwnTable(
        table,
        record,
        columns,
        kind=kind,
        topic=topic,
        searched=None
        if searched is None
        else declaration.Searched(
            f"{namespace}.{kind}",
            0,  # each database has its own; see `own_search.py`
            searched.time,
            searched.metadata,
            title=searched.title,
            content=searched.content,
        ),
        exported=None
        if exported is None
        else declaration.Exported(topic, birth=exported.birth, references=exported.references, same=exported.same),
    )


def _require_columns(table: str, columns: Columns, where: str, names: Iterable[str]) -> None:
    unknown = sorted(set(names) - columns.keys())
    if unknown:
        raise ValueError(f"{where} of the table {table} names '{unknown[0]}', which is none of its columns")
