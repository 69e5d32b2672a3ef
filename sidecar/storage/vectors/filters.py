"""Filters of contexts, from what a caller names to conditions in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sidecar.errors import InvalidInput
from sidecar.models.base import MAX_INTEGER
from sidecar.models.contexts import ContextType
from sidecar.storage.resources.rows.pagination import Where
from sidecar.storage.resources.rows.validation import one_of, require_known

TIMES = frozenset({"create_time", "event_time", "update_time"})
COLUMNS = frozenset({"title", "source", "raw_type", "raw_id", "confidence", "importance"}) | {
    "call_count",
    "merge_count",
    "duration_count",
}
LISTS = frozenset({"keywords", "entities"})
METADATA = "metadata."
KNOWN = TIMES | COLUMNS | LISTS | {"metadata.NAME"}
MOST_VALUES = 1_000


def conditions(field: str, filters: Mapping[str, Any] | None) -> Where:
    """Return the SQL condition for rows of `processed_contexts`. Raises `InvalidInput` for a wrong filter."""
    where = Where()
    for name, value in (filters or {}).items():
        place = f"{field}.{name}"
        if name in TIMES:
            _time(where, place, name, value)
        elif name in COLUMNS:
            _one_of(where, place, f"processed_contexts.{name}", value)
        elif name in LISTS:
            _any_in(where, place, _each_of(name), value)
        elif name.startswith(METADATA) and name != METADATA:
            # By key and not by path: any text may be a key, and needs no quoting.
            _any_in(where, place, _each_of("metadata"), value, name.removeprefix(METADATA))
        else:
            require_known(place, name, KNOWN)
    return where


def types_of(field: str, context_types: Sequence[str] | None) -> list[ContextType]:
    """The types that are named, each once; all, when none are. Raises `InvalidInput` for one that there is not."""
    if context_types is None:
        return list(ContextType)
    return list(dict.fromkeys(one_of(ContextType, field, name) for name in context_types))


def _time(where: Where, place: str, column: str, value: Any) -> None:
    if not isinstance(value, Mapping) or not value or not value.keys() <= {"from", "before"}:
        raise InvalidInput.field(place, 'must be a range of time: {"from": ..., "before": ...}')
    if not all(isinstance(moment, str | datetime | None) for moment in value.values()):
        raise InvalidInput.field(place, "must hold times")
    named = f"processed_contexts.{column}"
    where.between(named, value.get("from"), value.get("before"), (f"{place}.from", f"{place}.before"))


def _one_of(where: Where, place: str, column: str, value: Any) -> None:
    values = _values(place, value)
    where.that(f"{column} IN ({', '.join('?' for _ in values)})", *values)


def _any_in(where: Where, place: str, source: str, value: Any, key: str | None = None) -> None:
    values = _values(place, value)
    named, keys = ("each.key = ? AND ", [key]) if key is not None else ("", [])
    marks = ", ".join("?" for _ in values)
    where.that(f"EXISTS (SELECT 1 FROM {source} AS each WHERE {named}each.atom IN ({marks}))", *keys, *values)


def _each_of(column: str) -> str:
    """SQL for the items of a column of JSON; of what is none, there are none."""
    json = f"processed_contexts.{column}"
    return f"json_each(CASE WHEN json_valid({json}) THEN {json} ELSE 'null' END)"


def _values(place: str, value: Any) -> list[Any]:
    values = list(value) if isinstance(value, list | tuple) else [value]
    if not 1 <= len(values) <= MOST_VALUES:
        raise InvalidInput.field(place, f"must name from 1 to {MOST_VALUES} values")
    if not all(
        isinstance(each, str | float) or (isinstance(each, int) and abs(each) <= MAX_INTEGER) for each in values
    ):
        raise InvalidInput.field(place, "must be a text, a number, true or false, or a list of those")
    return values
