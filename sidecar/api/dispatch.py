"""From a request to its operation, by walking its path once, and to an answer whatever happens.

Trying one route after the other, as Starlette does, costs more with this project's routes than answering.
"""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from sidecar.api.context import CONTEXT, Context
from sidecar.api.operation import Operation
from sidecar.api.problems import answer_to
from sidecar.errors import MethodNotAllowed, NotFound


class _Node:
    """A segment of a path: what may follow it, and the operations that end here, by method."""

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.operations: dict[str, Operation] = {}

    def descend(self, segment: str) -> "_Node":
        """The node for one segment of a template such as `/todos/{todo_id}`."""
        if not segment.startswith("{"):
            return self.literals.setdefault(segment, _Node())
        if self.parameter is None:
            self.parameter = _Node()
        return self.parameter


class Dispatcher:
    """ASGI: answers each request with the operation that it names, or with a problem."""

    def __init__(self, operations: Iterable[Operation], context: Context) -> None:
        self._context = context
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"the sidecar speaks HTTP and not '{scope['type']}'")
        scope[CONTEXT] = self._context
        request = Request(scope, receive)
        try:
            response = await self._operation(scope).answer(request)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:  # noqa: BLE001 - every error has an answer; unexpected ones are logged there
            response = answer_to(request, error)
        await response(scope, receive, send)

    def _operation(self, scope: Scope) -> Operation:
        """The operation that a request names; what its path says is put beside it. Raises `RequestRefused`."""
        path = scope["path"]
        found = self._find(_segments(scope))
        if found is None:
            raise NotFound(f"There is nothing at {path}.")
        operations, values = found
        operation = operations.get(scope["method"])
        if operation is None:
            raise MethodNotAllowed(f"{path} cannot be called with {scope['method']}.", sorted(operations))
        scope["path_params"] = dict(zip(operation.path_names, values, strict=True))
        return operation

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.path.split("/"):
            node = node.descend(segment)
        node.operations[operation.method] = operation

    def _find(self, segments: list[str]) -> tuple[dict[str, Operation], list[str]] | None:
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
