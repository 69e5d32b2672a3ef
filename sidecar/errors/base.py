"""The base of the tree, and the page that has an entry for each of its codes."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from sidecar.exit_codes import ExitCode

PAGE = "ERRORS.md"
"""The page with the cause and the cure of every error. Its anchors are the codes."""

UNDOCUMENTED = "about:blank"
"""The `type` of a problem that has no entry there, as RFC 9457 has it."""

_OWN = __name__.partition(".")[0] + "."
_documented = {"internal_error"}


class FieldError(NamedTuple):
    """One wrong field of a request: its place (`body.title`, `query.limit`) and the reason."""

    field: str
    message: str


def type_of(code: str) -> str:
    """Return the `type` of a problem with this code: its entry in the page, `ERRORS.md#not_found`.

    The codes of an extension's own errors have none.
    """
    return f"{PAGE}#{code}" if code in _documented else UNDOCUMENTED


class SidecarError(Exception):
    """Something failed that no other code stands for.

    Cause: a fault in the sidecar, or an exception that an extension does not handle. It says nothing of the caller's
    input, and a change that was under way was rolled back.

    Cure: look for the traceback in the sidecar's log, at the time of the error. In an extension, handle the exception,
    or raise an `HTTPException`. Otherwise report it, with `sidecar.supportBundle()`.
    """

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    """The code in words, unless a class says otherwise."""
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL_ERROR

    def __init_subclass__(cls) -> None:
        if "title" not in vars(cls):
            cls.title = cls.code.replace("_", " ").capitalize()
        if cls.__module__.startswith(_OWN):
            _documented.add(cls.code)

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.errors = tuple(errors)
