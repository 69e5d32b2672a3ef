"""Kinds of stored columns: the values that each may hold, and the reading of values that another program wrote.

A value that means something is normalised when it is read; any other raises `Unreadable`, which carries a safe value to
answer instead.
"""

import math
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from pydantic_core import from_json

from sidecar.errors import InvalidInput
from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.storage.resources.rows.times import normalised_time
from sidecar.storage.resources.rows.validation import json_text

UNKNOWN_TIME = "1970-01-01T00:00:00.000Z"
"""Stands for a time that a row must have and that is absent or unreadable: the same at every reading and adoption."""

LARGEST_REAL = sys.float_info.max

_TRUTH = {"true": True, "t": True, "yes": True, "1": True, "false": False, "f": False, "no": False, "0": False}


_MAY_OVERFLOW = re.compile(r"[0-9][eE]\+?[0-9]{3}|[0-9]{309}")
"""Numbers above 1.8e308 would silently become infinite."""


class Unreadable(ValueError):
    """The stored value means nothing in its column."""

    def __init__(self, instead: Any) -> None:
        super().__init__()
        self.instead = instead


def _as_it_is(value: Any) -> Any:
    return value


class Kind(Enum):
    """The kinds of values that a column may hold."""

    TEXT = "text"
    INTEGER = "integer"
    REFERENCE = "reference"
    REAL = "real"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    TIME = "time"
    JSON_OBJECT = "object"
    JSON_LIST = "array"
    JSON_VALUE = "value"


@dataclass(frozen=True)
class Column:
    """One column: the values that it may hold, how they are read, and how they are written."""

    kind: Kind
    read: Callable[[Any], Any]
    """Turns a stored value into the value of a record. Raises `Unreadable`."""
    write: Callable[[Any], Any] = _as_it_is
    """Turns a record's value into the stored form."""
    optional: bool = False
    least: float = -math.inf
    most: float = math.inf
    choices: type[Enum] | None = None
    null: str | None = None
    """For a column of JSON: the JSON that NULL stands for."""
    is_added: bool = False
    """True if the column came later: in an archive of before, its rows have the safe value of an absent one."""


Columns = Mapping[str, Column]


def text(*, optional: bool = False) -> Column:
    """Any text."""

    def read(value: Any) -> str | None:
        if value is None and optional:
            return None
        return _text(value)

    return Column(Kind.TEXT, read, optional=optional)


def integer(least: int = MIN_INTEGER, most: int = MAX_INTEGER, *, optional: bool = False) -> Column:
    """A whole number from `least` to `most`."""
    default = None if optional else 0

    def read(value: Any) -> int | None:
        if value is None and optional:
            return None
        number = _whole(value)
        if number is None or not least <= number <= most:
            raise Unreadable(default)
        return number

    return Column(
        Kind.INTEGER,
        read,
        optional=optional,
        least=least if least > MIN_INTEGER else -math.inf,
        most=most if most < MAX_INTEGER else math.inf,
    )


def reference() -> Column:
    """The id of another row, stored as text; an empty text is none."""

    def read(value: Any) -> int | None:
        if value in (None, "", b""):
            return None
        number = _whole(value)
        if number is None or not MIN_INTEGER <= number <= MAX_INTEGER:
            raise Unreadable(None)
        return number

    def write(value: int | None) -> str | None:
        return None if value is None else str(value)

    return Column(Kind.REFERENCE, read, write, optional=True)


def real(least: float = -math.inf, most: float = math.inf, *, optional: bool = False) -> Column:
    """A finite number from `least` to `most`."""
    default = None if optional else 0.0

    def read(value: Any) -> float | None:
        if value is None and optional:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise Unreadable(default) from None
        if not (math.isfinite(number) and least <= number <= most):
            raise Unreadable(default)
        return number

    return Column(Kind.REAL, read, optional=optional, least=least, most=most)


def boolean() -> Column:
    """True or false: numbers, and the words for them."""

    def read(value: Any) -> bool:
        if isinstance(value, int | float):
            return bool(value)
        known = _TRUTH.get(_replaced(value).strip().lower()) if isinstance(value, str | bytes) else None
        if known is None:
            raise Unreadable(False)
        return known

    return Column(Kind.BOOLEAN, read)


def choice(kind: type[Enum], default: Enum | None) -> Column:
    """A member of `kind`; words in any case. Without a default it may be absent."""

    def read(value: Any) -> Any:
        if value is None and default is None:
            return None
        try:
            return kind(_text(value).lower() if isinstance(value, str | bytes) else value)
        except ValueError:
            raise Unreadable(default) from None

    return Column(Kind.CHOICE, read, optional=default is None, choices=kind)


def time(*, optional: bool = False) -> Column:
    """A time in any form that SQLite knows; one without an offset is UTC."""

    def read(value: Any) -> str | None:
        if value is None and optional:
            return None
        try:
            return normalised_time(value)
        except ValueError:
            raise Unreadable(None if optional else UNKNOWN_TIME) from None

    return Column(Kind.TIME, read, optional=optional)


def json_object(*, optional: bool = False) -> Column:
    """A JSON object; what is none is kept as its `value`."""

    def read(value: Any) -> dict[str, Any]:
        parsed = _parsed(value, {})
        if not isinstance(parsed, dict):
            raise Unreadable({"value": parsed})
        return parsed

    return Column(Kind.JSON_OBJECT, _instead(read, lambda raw: {"value": raw}), _json, optional, null="{}")


def json_list(items: type | None = None, *, optional: bool = False) -> Column:
    """A JSON list; what is none is kept as its only item. `items` is the type that each must have."""

    def read(value: Any) -> list[Any]:
        parsed = _parsed(value, [])
        if not isinstance(parsed, list):
            raise Unreadable(only_items([parsed]))
        if items is not None and not all(isinstance(item, items) for item in parsed):
            raise Unreadable(only_items(parsed))
        return parsed

    def only_items(found: list[Any]) -> list[Any]:
        return found if items is None else [item for item in found if isinstance(item, items)]

    return Column(Kind.JSON_LIST, _instead(read, lambda raw: only_items([raw])), _json, optional, null="[]")


def json_value() -> Column:
    """Any JSON; a text that is none is kept as a text."""
    return Column(
        Kind.JSON_VALUE,
        _instead(lambda value: _parsed(value, None), lambda raw: raw),
        _json,
        optional=True,
        null="null",
    )


def added(column: Column) -> Column:
    """Return the column as one that came after the table: archives of before lack it."""
    return replace(column, is_added=True)


def safe_value(column: Column, value: Any) -> Any:
    """Return the value as `column` reads it, or the safe one for an unreadable value."""
    try:
        return column.read(value)
    except Unreadable as unreadable:
        return unreadable.instead


def usual_json(text: str) -> Any:
    """Return the parsed JSON, if this project may have written it. Raises `ValueError` for JSON to examine closely."""
    if _MAY_OVERFLOW.search(text):
        raise ValueError("a number in it may be too large to be one")
    return from_json(text, allow_inf_nan=False)


def read_row(columns: Columns, row: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the values of a row as `columns` read them, and the names of those that are unreadable.

    Values without a declared column stay as they are.
    """
    values, invalid = dict(row), []
    for name in columns.keys() & values.keys():
        try:
            values[name] = columns[name].read(values[name])
        except Unreadable as unreadable:
            values[name] = unreadable.instead
            invalid.append(name)
    return values, tuple(sorted(invalid))


class _NoJson(ValueError):
    """The text is not JSON; it is `raw`."""

    def __init__(self, raw: str) -> None:
        super().__init__()
        self.raw = raw


def _instead(read: Callable[[Any], Any], instead: Callable[[str], Any]) -> Callable[[Any], Any]:
    """Return `read` with a safe value for text that is not JSON: the one that `instead` makes of the text."""

    def read_or_keep(value: Any) -> Any:
        try:
            return read(value)
        except _NoJson as no_json:
            raise Unreadable(instead(no_json.raw)) from None

    return read_or_keep


def _parsed(value: Any, absent: Any) -> Any:
    """Return a column's parsed JSON; NULL, an empty text and JSON's own null are `absent`."""
    if value in (None, "", b""):
        return absent
    if not isinstance(value, str | bytes):
        return value
    try:
        parsed = from_json(value, allow_inf_nan=False)
        json_text("value", parsed)  # which notices a number that is too large to be one
    except (ValueError, InvalidInput):
        raise _NoJson(_replaced(value)) from None
    return absent if parsed is None else parsed


def _text(value: Any) -> str:
    """Return a text, from its bytes too. Raises `Unreadable` for bytes that are not UTF-8, and for NULL."""
    if isinstance(value, str):
        return value
    if value is None:
        raise Unreadable("")
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Unreadable(_replaced(value)) from None


def _replaced(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _whole(value: Any) -> int | None:
    """Return a whole number, however it is written (`5`, `"5"`, `"5.0"`); `None` for what is none."""
    if isinstance(value, int):
        return int(value)
    if not isinstance(value, str | float):
        return None
    with suppress(ValueError, OverflowError):
        return int(value) if isinstance(value, str) else _exactly(value)
    with suppress(ValueError, OverflowError):
        return _exactly(float(value))
    return None


def _exactly(number: float) -> int | None:
    return int(number) if number.is_integer() else None


def _json(value: Any) -> str | None:
    return None if value is None else json_text("value", value)
