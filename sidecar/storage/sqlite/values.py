"""Values on their way into a column: checked, and in the one form that is stored."""

from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic_core import from_json, to_json

from sidecar.errors import InvalidInput
from sidecar.models import timestamps

MAX_NESTING = 190
_ANSWER_NESTING = 11
"""pydantic's parser takes 201 levels (measured); the first of them are an answer's own."""

_NOT_JSON = (
    "cannot be stored as JSON, which holds text, finite numbers, true, false and null, and lists and objects of these, "
    f"up to {MAX_NESTING} deep"
)


def optional_time(field: str, value: str | None) -> str | None:
    """`value` as it is stored. Raises `InvalidInput` when it is not a time with an offset."""
    if value is None:
        return None
    try:
        return timestamps.canonical(value)
    except ValueError as error:
        raise InvalidInput.field(field, str(error)) from None


def require_order(start_time: str | None, end_time: str | None) -> None:
    """Raises `InvalidInput` when the end lies before the start. Both in stored form."""
    if start_time is not None and end_time is not None and end_time < start_time:
        raise InvalidInput.field("end_time", f"lies before start_time ({end_time} < {start_time})")


def known_zone(field: str, name: str) -> ZoneInfo:
    """The time zone of this IANA name. Raises `InvalidInput` when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput.field(field, f"there is no time zone '{name}'; try one like Europe/Berlin") from None


def require_text(field: str, value: str, least: int, most: int) -> None:
    """Raises `InvalidInput` for a text that is shorter or longer, in characters, or that cannot be stored."""
    if not least <= len(value) <= most:
        raise InvalidInput.field(field, f"must have from {least} to {most} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput.field(field, "is not text: it holds half of a character") from None


def json_text(field: str, value: Any) -> str:
    """`value` as JSON text. Raises `InvalidInput` for what JSON would not give back as it was, or not at all."""
    if value == {}:
        return "{}"  # as most metadata
    try:
        text = to_json(value)
        is_kept = from_json(text, allow_inf_nan=False) == value
        # A level takes two characters, so that most texts need no counting.
        if len(text) > 2 * MAX_NESTING and text.count(b"[") + text.count(b"{") > MAX_NESTING:
            from_json(b"[" * _ANSWER_NESTING + text + b"]" * _ANSWER_NESTING)
    except ValueError:
        is_kept = False
    if not is_kept:
        raise InvalidInput.field(field, _NOT_JSON)
    return text.decode()


E = TypeVar("E", bound=Enum)


def one_of(kind: type[E], field: str, value: object) -> E:
    """The member of `kind` that `value` names. Raises `InvalidInput` for any other."""
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(member.value) for member in kind)
        raise InvalidInput.field(field, f"must be one of {choices}") from None
