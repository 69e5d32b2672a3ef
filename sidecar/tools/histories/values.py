"""Values of other programs, in a form that the store takes: whole characters, real times, bounded JSON, no bytes."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from pydantic import JsonValue

from sidecar.models import timestamps
from sidecar.models.base import MAX_SHORT_TEXT
from sidecar.models.messages import MAX_TOKENS
from sidecar.tools.histories.notes import Note, Notes

MOST_NESTED = 100
"""Levels of a value that is kept; the store takes 190, and an object of metadata or a part is around it."""

LARGEST_ORIGINAL = 1_000_000
"""Characters of an original that is kept in metadata, which every list of messages carries along."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 1e11, 1e14, 1e17
"""From here on, a number of seconds would lie after the year 5138, so it counts a smaller unit."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_DATA_URL = re.compile(r"data:([\w.+-]{1,60}/[\w.+-]{1,60})?((?:;[\w.+=-]{1,60})*);base64,([A-Za-z0-9+/=_-]{1000,})")
"""The bytes of a file within a text. Short ones, such as an icon of a page, stay."""


def mapping(value: Any) -> dict[str, Any]:
    """Return the object, or an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return the list, or an empty one for any other value."""
    return value if isinstance(value, list) else []


def string(value: Any) -> str:
    """Return the text, or an empty one for any other value."""
    return value if isinstance(value, str) else ""


def identifier(value: Any) -> str | None:
    """Return an id as text that the store takes; a long one becomes its digest."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    name = str(value)
    return name if len(name) <= MAX_SHORT_TEXT and not _SURROGATE.search(name) else digest(name)


def digest(text: str) -> str:
    """Return a stable id of a text."""
    return f"sha256:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def count(value: Any) -> int | None:
    """Return a number of tokens, or `None` for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS else None


def text(value: str, notes: Notes) -> str:
    """Return the text in whole characters, and without the bytes of files."""
    if not value.isascii():
        value, replaced = _SURROGATE.subn("\ufffd", value) if _SURROGATE.search(value) else (value, 0)
        notes.add(Note.HALF_CHARACTER, replaced)
    if ";base64," in value:
        value, removed = _DATA_URL.subn(_reference_of_data, value)
        notes.add(Note.IMAGE_BYTES, removed)
    return value


def short(value: Any, notes: Notes) -> str | None:
    """Return a name in at most 1,000 characters; `None` for a value without one."""
    if not isinstance(value, str) or not value:
        return None
    if len(value) > MAX_SHORT_TEXT:
        notes.add(Note.LONG_NAME)
    return text(value, notes)[:MAX_SHORT_TEXT]


def reference(address: str, notes: Notes) -> str:
    """Return the reference of an image: its address or id; for its bytes, their digest."""
    if address.startswith("data:"):
        notes.add(Note.IMAGE_BYTES)
        kind = address[5:].partition(",")[0].partition(";")[0][:100]
        return f"data:{kind};{digest(address)}"
    address = text(address, notes)
    if len(address) > MAX_SHORT_TEXT:
        notes.add(Note.LONG_REFERENCE)
    return address[:MAX_SHORT_TEXT]


def moment(value: Any, notes: Notes) -> str | None:
    """Return a time in the stored form, from seconds (or smaller units) since 1970 or from a text.

    A text without an offset counts as UTC, in which these programs write. Zero and nothing are no time.
    """
    if value is None or value == "" or value == 0 or isinstance(value, bool):
        return None
    try:
        if isinstance(value, str):
            return _from_text(value)
        if isinstance(value, int | float):
            return timestamps.render(_EPOCH + timedelta(seconds=_seconds(value)))
    except (ValueError, OverflowError):
        pass  # counted below, as is a value of another type
    notes.add(Note.UNREADABLE_TIME)
    return None


def later(moment: str | None, milliseconds: Any) -> str | None:
    """Return the time so many milliseconds after another one; `None` without either."""
    if moment is None or not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool):
        return None
    try:
        return timestamps.render(timestamps.parse(moment) + timedelta(milliseconds=milliseconds))
    except (ValueError, OverflowError):
        return None


def kept(value: Any, notes: Notes, level: int = 0) -> JsonValue:
    """Return JSON that the store takes, equal to `value` but for what is noted."""
    if isinstance(value, str):
        return text(value, notes)
    if isinstance(value, float) and not math.isfinite(value):
        notes.add(Note.NOT_JSON)
        return None
    if isinstance(value, dict | list):
        if level >= MOST_NESTED:
            notes.add(Note.DEEP_VALUE)
            return None
        if isinstance(value, list):
            return [kept(each, notes, level + 1) for each in value]
        return {text(str(name), notes): kept(each, notes, level + 1) for name, each in value.items()}
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def parsed(value: Any, notes: Notes) -> JsonValue:
    """Return JSON that another program keeps as text as the value that it says; any other text as it is."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return text(value, notes)
    return kept(value, notes)


def original(fields: Mapping[str, Any], without: frozenset[str], notes: Notes) -> dict[str, JsonValue]:
    """Return the fields of a record that are not imported by another way and that hold something."""
    found: dict[str, JsonValue] = {}
    for name, value in fields.items():
        if name in without or value is None or value == "" or value == [] or value == {}:
            continue
        clean = kept(value, notes)
        if isinstance(clean, str | list | dict) and size_of(clean) > LARGEST_ORIGINAL:
            notes.add(Note.LARGE_ORIGINAL)
            continue
        found[text(name, notes)] = clean
    return found


def size_of(value: JsonValue) -> int:
    """Return the number of characters of the value's texts and of its items, roughly the length of its JSON."""
    if isinstance(value, str):
        return len(value) + 2
    if isinstance(value, list):
        return 2 + sum(size_of(each) + 1 for each in value)
    if isinstance(value, dict):
        return 2 + sum(len(name) + 4 + size_of(each) for name, each in value.items())
    return 5


def _seconds(value: int | float) -> float:
    for limit, unit in ((_NANOSECONDS, 1e9), (_MICROSECONDS, 1e6), (_MILLISECONDS, 1e3)):
        if value >= limit:
            return value / unit
    return float(value)


def _from_text(value: str) -> str:
    try:
        parsed = datetime.fromisoformat(value.strip())
    except ValueError:
        return timestamps.render(_EPOCH + timedelta(seconds=_seconds(float(value))))
    return timestamps.render(parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC))


def _reference_of_data(found: re.Match[str]) -> str:
    return f"data:{found[1] or 'application/octet-stream'};{digest(found[0])}"
