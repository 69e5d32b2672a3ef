"""The router of an extension: FastAPI's own, whose routes are operations like the built-in ones."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter

from sidecar.api.operation import OperationRoute
from sidecar.api.topics import FIELD, depends_on

PREFIX = "/x"

F = TypeVar("F", bound=Callable[..., Any])


class ExtensionRouter(APIRouter):
    """Routes under `/x/<namespace>`. Without an `operation_id`, a route has `<namespace>.<name of its function>`."""

    def __init__(self, namespace: str) -> None:
        super().__init__(prefix=f"{PREFIX}/{namespace}", tags=[namespace], route_class=OperationRoute)
        self._namespace = namespace

    def get(self, path: str, *, topics: Sequence[str] | None = None, **options: Any) -> Callable[[F], F]:
        """Return a decorator for a route that reads.

        `topics` are those on which its answer depends, such as `notes.cards` or `todos`: live queries read it again
        when a commit reports one of them. Default: every topic of the extension. A route whose answer depends on none
        has an empty list. `options` are those of `fastapi.APIRouter.get`.
        """
        return super().get(path, **_with_topics(topics, options))

    def post(self, path: str, *, topics: Sequence[str] | None = None, **options: Any) -> Callable[[F], F]:
        """Return a decorator for a route that changes something; with `topics`, for one that only reads."""
        return super().post(path, **_with_topics(topics, options))

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route. Raises `ValueError` for an operation id that does not begin with the namespace."""
        operation_id = options.get("operation_id") or f"{self._namespace}.{endpoint.__name__}"
        if not operation_id.startswith(f"{self._namespace}."):
            raise ValueError(f"the operation id {operation_id!r} must begin with '{self._namespace}.'")
        options["operation_id"] = operation_id
        options["route_class_override"] = OperationRoute
        extra = options.get("openapi_extra") or {}
        if "GET" in (options.get("methods") or ["GET"]) and FIELD not in extra:
            options["openapi_extra"] = extra | depends_on(f"{self._namespace}.*")
        super().add_api_route(path, endpoint, **options)

    def add_api_websocket_route(self, path: str, *_: Any, **__: Any) -> None:
        """Raise `ValueError`: a page has no websockets to the sidecar."""
        raise ValueError(
            f"the route {path!r} is a websocket, which pages cannot reach; publish changes as events, and give long "
            "work an operation that returns at once"
        )


def _with_topics(topics: Sequence[str] | None, options: dict[str, Any]) -> dict[str, Any]:
    if topics is None:
        return options
    return options | {"openapi_extra": (options.get("openapi_extra") or {}) | depends_on(*topics)}
