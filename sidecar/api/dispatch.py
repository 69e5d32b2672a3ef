"""The short way from a request to its operation.

Starlette tries one route after the other, and FastAPI wraps every request in three layers of middleware; with the
routes of this project that costs more than answering does. Here a request finds its operation by walking its path once.
Everything that is not an operation (unknown paths, the OpenAPI document, an app developer's own routes)
goes to the app as usual.
"""

from urllib.parse import unquote_to_bytes

from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from sidecar.api.operation import OperationRoute
from sidecar.api.problems import answer_to
from sidecar.errors import MethodNotAllowed


class _Node:
    """A segment of a path: what may follow it, and the operations that end here, by method."""

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.operations: dict[str, OperationRoute] = {}

    def descend(self, segment: str) -> "_Node":
        """The node for one segment of a template such as `/todos/{todo_id}`."""
        if not segment.startswith("{"):
            return self.literals.setdefault(segment, _Node())
        if self.parameter is None:
            self.parameter = _Node()
        return self.parameter


class Dispatcher:
    """ASGI: answers operations, and hands the rest to the app."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._root = _Node()
        for route in app.routes:
            if isinstance(route, OperationRoute):
                self._add(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(_segments(scope)) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        operations, values = found
        scope["app"] = self._app
        request = Request(scope, receive)
        try:
            route = operations.get(scope["method"])
            if route is None:
                raise MethodNotAllowed(f"{scope['path']} cannot be called with {scope['method']}.", sorted(operations))
            scope["path_params"] = dict(zip(route.param_convertors, values, strict=True))
            response = await route.answer(request)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:  # noqa: BLE001 - every error has an answer; unexpected ones are logged there
            response = answer_to(request, error)
        await response(scope, receive, send)

    def _add(self, route: OperationRoute) -> None:
        node = self._root
        for segment in route.path_format.split("/"):
            node = node.descend(segment)
        node.operations.update(dict.fromkeys(route.methods or (), route))

    def _find(self, segments: list[str]) -> tuple[dict[str, OperationRoute], list[str]] | None:
        """The operations of a path, by method, and the values of its parameters; `None` if it has none."""
        node = self._root
        values: list[str] = []
        for segment in segments:
            following = node.literals.get(segment)
            if following is None and segment:
                following = node.parameter
                values.append(segment)
            if following is None:
                return None
            node = following
        return (node.operations, values) if node.operations else None


def _segments(scope: Scope) -> list[str]:
    """The parts of the path, each decoded by itself: an encoded slash belongs to its part.

    What is not UTF-8 becomes what no text may hold, so that it is refused and not taken for another text.
    """
    encoded: bytes = scope.get("raw_path") or b""
    if b"%" not in encoded:
        path: str = scope["path"]
        return path.split("/")
    return [unquote_to_bytes(segment).decode("utf-8", "surrogateescape") for segment in encoded.split(b"/")]
