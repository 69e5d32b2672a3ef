"""A tree of path segments, which both lanes use to find the operation that a request names.

A literal segment outranks a parameter, and the decision is final: `/todos/batch` is never the todo with the id "batch".
Each segment is decoded by itself, so an encoded slash belongs to its segment. Walking the tree costs the same for every
route; trying one route after the other, as Starlette does, costs more than answering.
"""

from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

R = TypeVar("R")


class Found(NamedTuple, Generic[R]):
    """The routes at a path, by method, and the values of the path's parameters."""

    routes: Mapping[str, R]
    values: list[str]


class PathTree(Generic[R]):
    """Routes by path and method."""

    def __init__(self) -> None:
        self._root: _Node[R] = _Node()

    def add(self, path: str, method: str, route: R) -> None:
        """Add a route. Raises `ValueError` for a path with a converter, such as `/files/{name:path}`."""
        if ":" in path:
            raise ValueError(f"the path of an operation cannot have a converter: {path}")
        node = self._root
        for segment in path.split("/"):
            node = node.descend(segment)
        node.routes[method] = route

    def find(self, scope: Scope) -> Found[R] | None:
        """Return what is at the path of a request; `None` if nothing is."""
        node = self._root
        values: list[str] = []
        for segment in _segments(scope):
            following = node.literals.get(segment)
            if following is None and segment:
                following = node.parameter
                values.append(segment)
            if following is None:
                return None
            node = following
        return Found(node.routes, values) if node.routes else None


class _Node(Generic[R]):
    """A segment of a path: the segments that may follow it, and the routes that end here, by method."""

    def __init__(self) -> None:
        self.literals: dict[str, _Node[R]] = {}
        self.parameter: _Node[R] | None = None
        self.routes: dict[str, R] = {}

    def descend(self, segment: str) -> "_Node[R]":
        """Return the node for one segment of a template such as `/todos/{todo_id}`."""
        if not segment.startswith("{"):
            return self.literals.setdefault(segment, _Node())
        if self.parameter is None:
            self.parameter = _Node()
        return self.parameter


def _segments(scope: Scope) -> list[str]:
    """Return the decoded segments of the path.

    Bytes that are not UTF-8 become surrogates, which no text may hold, so that the segment is refused and not taken for
    another one.
    """
    encoded: bytes = scope.get("raw_path") or b""
    if b"%" not in encoded:
        path: str = scope["path"]
        return path.split("/")
    return [unquote_to_bytes(segment).decode("utf-8", "surrogateescape") for segment in encoded.split(b"/")]
