"""Values as the seeds' systems wrote them, and what they become here.

Each function returns the stored form, `None` for a value that is absent, and raises `Unfit` for one that cannot be
kept as it is. Times come in two forms: SQLite's `CURRENT_TIMESTAMP`, `YYYY-MM-DD HH:MM:SS`, is UTC; every other time
without an offset was written by Python in the local time of this computer.
"""

import json
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime, tzinfo
from typing import Any

from sidecar.errors import InvalidInput
from sidecar.models import timestamps
from sidecar.models.base import MAX_INTEGER
from sidecar.models.states import MAX_THREAD_ID
from sidecar.storage.sqlite.monitoring_windows import bucket
from sidecar.storage.sqlite.values import json_text

Convert = Callable[[Any], Any]

_BY_SQLITE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_MILLISECONDS_FROM = 1e11
"""Seconds reach this number in the year 5138; what is larger counts milliseconds."""
_WORDS = {"true": 1, "t": 1, "yes": 1, "1": 1, "false": 0, "f": 0, "no": 0, "0": 0, "": 0}


class Unfit(ValueError):
    """The value has no place in its column; the message says why."""


def text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)


def integer(value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = (
            int(value) if isinstance(value, int | str) and str(value).strip().lstrip("-").isdigit() else _whole(value)
        )
    except (TypeError, ValueError, OverflowError):
        raise Unfit(f"{value!r} is not a whole number") from None
    if abs(number) > MAX_INTEGER:
        raise Unfit(f"{value!r} is larger than a number can be")
    return number


def _whole(value: Any) -> int:
    """A number that may be written with a point; what stands behind the point must be nothing."""
    number = float(value)
    if not number.is_integer():
        raise ValueError
    return int(number)


def count(value: Any) -> int | None:
    number = integer(value)
    if number is not None and number < 0:
        raise Unfit(f"{value!r} is less than zero")
    return number


def progress(value: Any) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Unfit(f"{value!r} is not a number") from None
    if not 0 <= number <= 1:
        raise Unfit(f"{value!r} is not from 0 to 1")
    return number


def boolean(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, int | float):
        return int(bool(value))
    word = _WORDS.get(str(text(value)).strip("\x00 ").lower())
    if word is None:
        raise Unfit(f"{value!r} is neither true nor false")
    return word


def one_of(choices: Collection[Any]) -> Convert:
    """A value that is one of `choices`, in whatever case."""

    def convert(value: Any) -> Any:
        if value is None:
            return None
        known = value.lower() if isinstance(value, str) else value
        if known not in choices:
            raise Unfit(f"{value!r} is none of {', '.join(map(str, choices))}")
        return known

    return convert


def thread_id(value: Any) -> str:
    known = text(value)
    if known is None or not 1 <= len(known) <= MAX_THREAD_ID:
        raise Unfit(f"an id has from 1 to {MAX_THREAD_ID} characters")
    return known


def any_json(value: Any) -> str | None:
    """JSON text; a text that is no JSON becomes a JSON string."""
    return None if value in (None, "", b"") else json_text("value", _parsed(value))


def json_object(value: Any) -> str | None:
    """A JSON object; anything else becomes its `value`."""
    if value in (None, "", b""):
        return None
    parsed = _parsed(value)
    return json_text("value", parsed if isinstance(parsed, dict) else {} if parsed is None else {"value": parsed})


def json_list(value: Any) -> str | None:
    """A JSON list; anything else becomes its only item."""
    if value in (None, "", b""):
        return None
    parsed = _parsed(value)
    return json_text("value", parsed if isinstance(parsed, list) else [] if parsed is None else [parsed])


def cost(value: Any) -> str | None:
    """Amounts by name; a bare amount is the `total`."""
    parsed = None if value in (None, "", b"") else _parsed(value)
    if isinstance(parsed, int | float) and not isinstance(parsed, bool):
        return json_text("value", {"total": parsed})
    return json_object(value)


def time_in(zone: tzinfo | None) -> Convert:
    """Times whose local ones belong to `zone`; with `None`, to this computer's."""

    def convert(value: Any) -> str | None:
        if value in (None, "", b""):
            return None
        try:
            return timestamps.render(_moment(value, zone))
        except (ValueError, OverflowError, OSError):
            raise Unfit(f"{value!r} is not a time") from None

    return convert


def hour_in(zone: tzinfo | None) -> Convert:
    """When an hour began; the seed's system named hours in local time, in SQLite's form of a time."""

    def convert(value: Any) -> str | None:
        if value in (None, "", b""):
            return None
        try:
            moment = datetime.fromisoformat(str(text(value)).strip())
            if moment.tzinfo is None:
                moment = moment.astimezone() if zone is None else moment.replace(tzinfo=zone)
            return bucket(timestamps.render(moment))
        except (ValueError, OverflowError, OSError):
            raise Unfit(f"{value!r} is not a time") from None

    return convert


def _moment(value: Any, zone: tzinfo | None) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS_FROM else value, UTC)
    written = str(text(value)).strip()
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is not None:
        return moment
    if _BY_SQLITE.fullmatch(written):
        return moment.replace(tzinfo=UTC)
    return moment.astimezone() if zone is None else moment.replace(tzinfo=zone)


def _parsed(value: Any) -> Any:
    """What the JSON in a column says; the value itself where it is none, or none that can be stored."""
    if not isinstance(value, str | bytes):
        return value
    written = text(value)
    try:
        parsed = json.loads(written or "null")
        json_text("value", parsed)
    except (ValueError, RecursionError, InvalidInput):
        return written
    return parsed
