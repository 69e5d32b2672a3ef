"""The router of an extension: FastAPI's own, whose routes are operations like the built-in ones."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from sidecar.api.operation import OperationRoute

PREFIX = "/x"


class ExtensionRouter(APIRouter):
    """Routes under `/x/<namespace>`. Without an `operation_id`, a route has `<namespace>.<name of its function>`."""

    def __init__(self, namespace: str) -> None:
        super().__init__(prefix=f"{PREFIX}/{namespace}", tags=[namespace], route_class=OperationRoute)
        self._namespace = namespace

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route. Raises `ValueError` for an operation id that does not begin with the namespace."""
        operation_id = options.get("operation_id") or f"{self._namespace}.{endpoint.__name__}"
        if not operation_id.startswith(f"{self._namespace}."):
            raise ValueError(f"the operation id {operation_id!r} must begin with '{self._namespace}.'")
        options["operation_id"] = operation_id
        options["route_class_override"] = OperationRoute
        super().add_api_route(path, endpoint, **options)

    def add_api_websocket_route(self, path: str, *_: Any, **__: Any) -> None:
        """Raise `ValueError`: a page has no websockets to the sidecar."""
        raise ValueError(
            f"the route {path!r} is a websocket, which pages cannot reach; publish changes as events, and give long "
            "work an operation that returns at once"
        )
