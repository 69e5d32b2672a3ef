"""Errors by their codes: what another process answers is raised here as the same class."""

from collections.abc import Iterator

from sidecar.errors.base import SidecarError
from sidecar.errors.starts import StartRefused


def error_with(code: object, message: str, otherwise: type[SidecarError] = SidecarError) -> SidecarError:
    """Return the error with this code; `otherwise` for a code that none of this version has."""
    for kind in _kinds(SidecarError):
        if kind.code == code and kind.__init__ is SidecarError.__init__:
            return kind(message)
    return otherwise(message)


def _kinds(kind: type[SidecarError]) -> Iterator[type[SidecarError]]:
    """Yield the classes that a request can fail with. A start's class may share a code with one of them."""
    if kind is not StartRefused:
        yield kind
        for each in kind.__subclasses__():
            yield from _kinds(each)
