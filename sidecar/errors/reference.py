"""The entries of ERRORS.md, read from the docstrings of the classes."""

import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import NamedTuple, TypeVar

from sidecar.errors.base import SidecarError
from sidecar.errors.jobs import JobFailed, JobInterrupted
from sidecar.errors.starts import StartRefused
from sidecar.errors.warnings import HostWarning
from sidecar.exit_codes import ExitCode

Kind = TypeVar("Kind")

_PARTS = re.compile(r"(?P<summary>.+?)\n\nCause: (?P<cause>.+?)\n\nCure: (?P<cure>.+?)", re.DOTALL)


class Entry(NamedTuple):
    """The entry of one class: its code, where it appears, its cause and its cure."""

    code: str
    summary: str
    cause: str
    cure: str
    status: int | None = None
    """HTTP status; `None` for what no request is answered with."""
    exit_code: int | None = None
    """Exit code of a start that ends so; `None` for what ends none."""
    retryable: bool = False


def entries() -> list[Entry]:
    """Return the entry of each error that has a code of its own, in the order of their definition.

    Raises `ValueError` for a class without a cause or a cure.
    """
    return [_entry_of(kind) for kind in _with_code(SidecarError) if kind.__module__.startswith("sidecar.")]


def warnings() -> list[Entry]:
    """Return the entry of each warning to the host. Raises `ValueError` as `entries`."""
    return [described(kind) for kind in _with_code(HostWarning)]


def _entry_of(kind: type[SidecarError]) -> Entry:
    is_start, is_job = issubclass(kind, StartRefused), issubclass(kind, JobFailed | JobInterrupted)
    ends_start = is_start or kind is SidecarError or kind.exit_code is not ExitCode.INTERNAL_ERROR
    return described(kind)._replace(
        status=None if is_start or is_job else kind.status,
        exit_code=int(kind.exit_code) if ends_start else None,
        retryable=kind.retryable,
    )


def described(kind: type[SidecarError] | type[HostWarning]) -> Entry:
    """Return what the class's docstring says. Raises `ValueError` if it has no cause or no cure."""
    parts = _PARTS.fullmatch(cleandoc(vars(kind).get("__doc__") or ""))
    if parts is None:
        raise ValueError(f"{kind.__qualname__} needs a summary, a paragraph `Cause: …` and one `Cure: …`")
    summary, cause, cure = (" ".join(text.split()) for text in parts.groups())
    return Entry(kind.code, summary, cause, cure)


def _with_code(kind: type[Kind]) -> Iterator[type[Kind]]:
    if "code" in vars(kind):
        yield kind
    for each in kind.__subclasses__():
        yield from _with_code(each)
