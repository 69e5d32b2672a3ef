"""Parts of the sentences that a person reads: counts with the right plural, findings of pydantic, commands to run."""

import os
import sys

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sidecar import platform

_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "json_invalid": "is not JSON",
    "json_type": "is not JSON",
    "string_type": "must be text",
    "string_unicode": "must be text in UTF-8",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "path_type": "must be a path",
    "recursion_loop": "is nested without end",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "greater_than": "must be more than {gt}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
}
_TYPES = {"int": "must be a whole number", "float": "must be a number", "bool": "must be true or false"}


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Return the count with its noun: `1 row`, `2,000 rows`; `plural` is for a noun that takes more than an s."""
    return f"{count:,} {singular if count == 1 else plural or f'{singular}s'}"


def own_command(*arguments: str | os.PathLike[str]) -> str:
    """Return a line for the shell of this system that runs this program with these arguments, from any folder."""
    program = [sys.executable] if hasattr(sys, "frozen") else [sys.executable, "-m", "sidecar"]
    return platform.command_line([*program, *(os.fspath(argument) for argument in arguments)])


def first_finding(error: ValidationError) -> str:
    """Return the first finding with its field: `todos.status must be one of 0 or 1`."""
    detail = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, detail["loc"]))[:100]
    return f"{field or 'it'} {finding(detail)}"


def finding(detail: ErrorDetails) -> str:
    """Return the finding without its field."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _SENTENCES:
        return _SENTENCES[kind].format_map(context)
    if kind.partition("_")[0] in _TYPES:
        return _TYPES[kind.partition("_")[0]]
    if isinstance(context.get("error"), UnicodeError):
        return "is not text: it holds half of a character"
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    return detail["msg"] if kind == "timestamp" else "has a value that does not fit"
