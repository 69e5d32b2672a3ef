"""Operations: what a route file declares, and how a request is answered with it.

A route file has a `Router`, whose decorators look like FastAPI's and take what FastAPI takes for the OpenAPI document.
They only note it: FastAPI itself is imported when somebody asks for that document (see `openapi.py`). Its import was a
fourth of the time to `ready` (384 ms with it, 290 without) and 6 MB.

An operation returns a model, `None` for an answer without content, or a whole response.
"""

from collections.abc import Callable, Coroutine
from functools import cached_property, partial
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from sidecar.api.arguments import JSON, Reader, content_of, readers_of, take_content
from sidecar.api.json_bodies import COUNTED_FROM, check_parts

Endpoint = Callable[..., Coroutine[Any, Any, Any]]
E = TypeVar("E", bound=Endpoint)

RESTRICTED = {"x-restricted": True}
"""For `openapi_extra`: a page may call the operation only when its app allows it by name."""


def problems(*statuses: int) -> dict[str, Any]:
    """For `openapi_extra`: statuses with which the operation can fail besides those that its shape tells."""
    return {"x-problems": list(statuses)}


class Operation:
    """One route. `documentation` is what only the OpenAPI document needs, by the names that FastAPI has for it."""

    def __init__(
        self, method: str, path: str, endpoint: Endpoint, operation_id: str, status_code: int, **documentation: Any
    ) -> None:
        self.method = method
        self.path = path
        self.endpoint = endpoint
        self.operation_id = operation_id
        self.status_code = status_code
        self.documentation = documentation
        self.path_names = [segment[1:-1] for segment in path.split("/") if segment.startswith("{")]

    async def answer(self, request: Request) -> Response:
        """The answer to a request whose path fits. Raises what the operation raises, and `RequestRefused`."""
        content = await content_of(request) if self._takes_content else b""
        if len(content) > COUNTED_FROM:
            await check_parts(content)
        arguments = {name: read(request, content) for name, read in self._readers.items()}
        result = await self.endpoint(**arguments)
        if result is None:
            return Response(status_code=204)
        if isinstance(result, Response):
            return result
        return Response(result.model_dump_json(), self.status_code, media_type=JSON)

    @cached_property
    def _readers(self) -> dict[str, Reader]:
        return readers_of(self.endpoint, self.path_names)

    @cached_property
    def _takes_content(self) -> bool:
        return take_content(self._readers.values())


class Router:
    """The operations of one resource, in the order in which they are declared."""

    def __init__(self, tag: str, prefix: str = "") -> None:
        self.operations: list[Operation] = []
        self._tag = tag
        self._prefix = prefix
        self.get = partial(self._operation, "GET")
        self.post = partial(self._operation, "POST")
        self.put = partial(self._operation, "PUT")
        self.patch = partial(self._operation, "PATCH")
        self.delete = partial(self._operation, "DELETE")

    def _operation(
        self, method: str, path: str, *, operation_id: str, status_code: int = 200, **documentation: Any
    ) -> Callable[[E], E]:
        def note(endpoint: E) -> E:
            described = {"tags": [self._tag], **documentation}
            self.operations.append(
                Operation(method, self._prefix + path, endpoint, operation_id, status_code, **described)
            )
            return endpoint

        return note
