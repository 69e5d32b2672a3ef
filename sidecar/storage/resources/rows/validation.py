"""Values on their way into a column: checked, and in the one form that is stored."""

from collections.abc import Collection
from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic_core import from_json, to_json

from sidecar.errors import InvalidInput
from sidecar.models import timestamps
from sidecar.models.base import MAX_TEXT_BYTES, is_storable_text

MAX_NESTING = 190
_ANSWER_NESTING = 11
"""pydantic's parser takes 201 levels (measured); the first of them are an answer's own."""

_NOT_JSON = (
    "cannot be stored as JSON, which holds text, finite numbers, true, false and null, and lists and objects of these, "
    f"up to {MAX_NESTING} deep"
)


def optional_time(field: str, value: timestamps.Moment | None) -> str | None:
    """`value` as it is stored. Raises `InvalidInput` when it is not a time with an offset."""
    return None if value is None else required_time(field, value)


def required_time(field: str, value: timestamps.Moment) -> str:
    """Do the same for a value that must be there."""
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


def require_text(field: str, value: str, least: int = 0, most: int = MAX_TEXT_BYTES) -> None:
    """Raises `InvalidInput` for a text that is shorter or longer, in characters, or that cannot be stored.

    No text can be stored that has more than `MAX_TEXT_BYTES` in UTF-8, or that holds half of a character.
    """
    if not least <= len(value) <= most:
        raise InvalidInput.field(field, f"must have from {least} to {most} characters")
    if not is_storable_text(value):
        raise InvalidInput.field(
            field, f"must be text of whole characters, and of at most {MAX_TEXT_BYTES} bytes in UTF-8"
        )


def json_text(field: str, value: Any, most: int = MAX_TEXT_BYTES) -> str:
    """`value` as JSON text. Raises `InvalidInput` for what JSON would not give back as it was, or if it is too long."""
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
    if len(text) > most:
        raise InvalidInput.field(field, f"is too large: JSON text of at most {most} bytes can be stored")
    return text.decode()


def require_known(field: str, name: object, known: Collection[str]) -> None:
    """Raises `InvalidInput` for a name that is not among the known ones, with the one that was probably meant."""
    if name not in known:
        from difflib import get_close_matches  # only for an error

        nearest = get_close_matches(str(name), known, 1)
        advice = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(sorted(known))}"
        raise InvalidInput.field(field, f"is not known; {advice}")


E = TypeVar("E", bound=Enum)


def one_of(kind: type[E], field: str, value: object) -> E:
    """The member of `kind` that `value` names. Raises `InvalidInput` for any other."""
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(member.value) for member in kind)
        raise InvalidInput.field(field, f"must be one of {choices}") from None
