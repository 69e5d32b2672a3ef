"""Validation errors of pydantic as `InvalidInput`, in one form for HTTP and for the library."""

from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sidecar.errors import FieldError, InvalidInput

MOST_FINDINGS = 1_000
"""An input with more mistakes than these is refused without naming them, which would take seconds."""

NAMED = 3
"""Number of findings that the error's own message names; `errors` names all."""


def refused(error: ValidationError, *place: str) -> InvalidInput:
    """Return the error that names every finding with its place: `body.title` where `place` is `body`."""
    if error.error_count() > MOST_FINDINGS:
        return _too_many(error.error_count(), ".".join(place))
    return with_findings(error.errors(include_url=False, include_input=False, include_context=False), *place)


def with_findings(details: Sequence[ErrorDetails], *place: str) -> InvalidInput:
    """Return the error that names every finding, of which there is at least one, with its place."""
    if len(details) > MOST_FINDINGS:
        return _too_many(len(details), ".".join([*place, str(details[0]["loc"][0])]))
    found = [FieldError(".".join([*place, *map(str, detail["loc"])]), _message(detail)) for detail in details]
    return InvalidInput("; ".join(f"{field}: {message}" for field, message in found[:NAMED]), found)


def _too_many(count: int, place: str) -> InvalidInput:
    return InvalidInput.field(place, f"Has {count:,} mistakes, too many to name them")


def _message(detail: ErrorDetails) -> str:
    if detail["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:  # of a model, of a dataclass
        return "There is no such field"
    return detail["msg"].removeprefix("Value error, ")
