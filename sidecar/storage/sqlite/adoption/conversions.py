"""Conversions of values that the seeds' systems wrote; times are in `times.py`.

Each conversion returns the stored form, `None` for a value that is absent, and raises `Unfit` for one that cannot be
kept as it is.
"""

import json
from collections.abc import Callable, Collection
from typing import Any

from sidecar.errors import InvalidInput
from sidecar.models.base import MAX_INTEGER, MAX_SHORT_TEXT
from sidecar.models.states import MAX_THREAD_ID
from sidecar.storage.resources.rows.validation import json_text
from sidecar.storage.sqlite.engine.encoding import decode_or_keep

Convert = Callable[[Any], Any]

_LONGEST_SHOWN = 60
_WORDS = {"true": 1, "t": 1, "yes": 1, "1": 1, "false": 0, "f": 0, "no": 0, "0": 0, "": 0}


class Unfit(ValueError):
    """The value cannot be kept as it is; the message says why. `instead` is what can be kept of it, if anything."""

    def __init__(self, message: str, instead: Any = None) -> None:
        super().__init__(message)
        self.instead = instead


def readable(value: Any) -> str:
    """Return the value as text, with a replacement character for bytes that are not UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def shown(value: Any) -> str:
    """Return the value as a reason names it, cut to a short text."""
    whole = repr(value)
    return whole if len(whole) <= _LONGEST_SHOWN else f"{whole[:_LONGEST_SHOWN]}…"


def text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes) and isinstance(decode_or_keep(value), bytes):
        raise Unfit("holds bytes that are not UTF-8", instead=readable(value))
    return readable(value)


def line(most: int = MAX_SHORT_TEXT) -> Convert:
    """Return a conversion to text of at most `most` characters."""

    def convert(value: Any) -> str | None:
        known = None if value is None else readable(value)
        if known is not None and len(known) > most:
            raise Unfit(f"has more than {most} characters", instead=known[:most])
        return text(value)

    return convert


def integer(value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = (
            int(value) if isinstance(value, int | str) and str(value).strip().lstrip("-").isdigit() else _whole(value)
        )
    except (TypeError, ValueError, OverflowError):
        raise Unfit(f"{shown(value)} is not a whole number") from None
    if abs(number) > MAX_INTEGER:
        raise Unfit(f"{shown(value)} is larger than a number can be")
    return number


def _whole(value: Any) -> int:
    """Return the whole number that is written as `5.0` or `5e0`. Raises `ValueError` for any other."""
    number = float(value)
    if not number.is_integer():
        raise ValueError
    return int(number)


def count(value: Any) -> int | None:
    number = integer(value)
    if number is not None and number < 0:
        raise Unfit(f"{shown(value)} is less than zero")
    return number


def progress(value: Any) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Unfit(f"{shown(value)} is not a number") from None
    if not 0 <= number <= 1:
        raise Unfit(f"{shown(value)} is not from 0 to 1")
    return number


def boolean(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, int | float):
        return int(bool(value))
    word = _WORDS.get(readable(value).strip("\x00 ").lower())
    if word is None:
        raise Unfit(f"{shown(value)} is neither true nor false")
    return word


def one_of(choices: Collection[Any]) -> Convert:
    """Return a conversion to one of `choices`, compared without case."""

    def convert(value: Any) -> Any:
        if value is None:
            return None
        known = readable(value).lower() if isinstance(value, str | bytes) else value
        if known not in choices:
            raise Unfit(f"{shown(value)} is none of {', '.join(map(str, choices))}")
        return known

    return convert


def thread_id(value: Any) -> str:
    known = text(value)
    if known is None or not 1 <= len(known) <= MAX_THREAD_ID:
        raise Unfit(f"an id has from 1 to {MAX_THREAD_ID} characters")
    return known


def any_json(value: Any) -> str | None:
    """Return JSON text; a text that is no JSON becomes a JSON string."""
    return _as_json(value, lambda parsed: parsed)


def json_object(value: Any) -> str | None:
    """Return a JSON object; anything else becomes its `value`."""
    return _as_json(value, lambda parsed: parsed if isinstance(parsed, dict) else {"value": parsed})


def json_list(value: Any) -> str | None:
    """Return a JSON list; anything else becomes its only item."""
    return _as_json(value, lambda parsed: parsed if isinstance(parsed, list) else [parsed])


def cost(value: Any) -> str | None:
    """Return an object of amounts by name; a bare amount becomes the `total`."""

    def amounts(parsed: Any) -> Any:
        is_bare = isinstance(parsed, int | float) and not isinstance(parsed, bool)
        return parsed if isinstance(parsed, dict) else {"total" if is_bare else "value": parsed}

    return _as_json(value, amounts)


def _as_json(value: Any, shaped: Callable[[Any], Any]) -> str | None:
    """Return the JSON of a value as `shaped` changes it; `null` is an absent value."""
    if value in (None, "", b""):
        return None
    parsed = _parsed(readable(value)) if isinstance(value, str | bytes) else value
    stored = None if parsed is None else json_text("value", shaped(parsed))
    try:
        text(value)
    except Unfit as unfit:
        raise Unfit(str(unfit), instead=stored) from None
    return stored


def _parsed(written: str) -> Any:
    """Return the parsed JSON; the text itself if it is no JSON, or holds a value that cannot be stored."""
    try:
        parsed = json.loads(written)
        json_text("value", parsed)
    except (ValueError, RecursionError, InvalidInput):
        return written
    return parsed
