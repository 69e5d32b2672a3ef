"""From a request to its compiled operation and to an answer, or to FastAPI."""

from inspect import isawaitable
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from sidecar.api.fast_lane.compiled import CompiledOperation, NotUnderstoodError, compiled
from sidecar.api.operation import FOUND, OperationRoute
from sidecar.api.paths import PathTree
from sidecar.api.problems import answer_to
from sidecar.api.reading import check_size


class FastLane:
    """ASGI: answers the operations that it understands, and hands every other request to the app."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._paths: PathTree[OperationRoute] = app.state.paths
        self._operations: dict[str, CompiledOperation | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._operation(scope)
        if operation is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        request = Request(scope, receive)
        try:
            content = b""
            if operation.takes_content:
                content = await _content(receive)
                request = Request(scope, _replaying(content, receive))
                await check_size(content)
            response = await operation.answer(request, content)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:  # noqa: BLE001 - every error has an answer; unexpected ones are logged there
            response = await self._answer_to(request, error)
        await response(scope, receive, send)

    def _operation(self, scope: Scope) -> CompiledOperation | None:
        """Return the operation that a request names; `None` when FastAPI is to answer."""
        if scope["type"] != "http" or self._app.dependency_overrides:
            return None
        found = scope[FOUND] = self._paths.find(scope)
        route = None if found is None else found.routes.get(scope["method"])
        if found is None or route is None:
            return None
        if route.operation_id not in self._operations:
            try:
                self._operations[route.operation_id] = compiled(route)
            except NotUnderstoodError:
                self._operations[route.operation_id] = None
        scope["path_params"] = dict(zip(route.path_names, found.values, strict=True))
        return self._operations[route.operation_id]

    async def _answer_to(self, request: Request, error: Exception) -> Response:
        """Return the answer of the app's exception handler for this error, as Starlette chooses it."""
        handlers = self._app.exception_handlers
        keys: list[Any] = [error.status_code] if isinstance(error, HTTPException) else []
        handler = next((handlers[key] for key in (*keys, *type(error).__mro__) if key in handlers), None)
        if handler is None:
            return answer_to(request, error)
        answer: Any = handler(request, error)
        response: Response = (await answer) if isawaitable(answer) else answer
        return response


async def _content(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _replaying(content: bytes, receive: Receive) -> Receive:
    """Return a `receive` that begins with the content, for an endpoint that reads its request itself."""
    has_replayed = False

    async def replay() -> Message:
        nonlocal has_replayed
        if has_replayed:
            return await receive()
        has_replayed = True
        return {"type": "http.request", "body": content}

    return replay
