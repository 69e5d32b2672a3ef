"""Operations: FastAPI's own routes, which differ from its plain ones in four points.

A router declares them with `APIRouter(route_class=OperationRoute)`, which is FastAPI's way to extend a route.

- They are found in the tree of paths (see `paths.py`): a literal outranks a parameter, `Allow` names every method.
- A JSON body is validated as text in one step. Its errors then speak of JSON, and the content type must be exact.
- Only the first wrong argument is reported, in the order path, query, body, headers.
- A route builds its FastAPI parts when they are first needed. Building all of them took 0.3 s; the fast lane and most
  runs never need them.
"""

import inspect
import warnings
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import is_dataclass
from functools import cached_property
from threading import RLock
from typing import Any

from fastapi import params
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from sidecar.api.paths import Found, PathTree
from sidecar.api.problems import first_place, first_refused
from sidecar.api.reading import content_of, lists_in, query_of, read_json
from sidecar.errors import MethodNotAllowed, RequestRefused

RESTRICTED = {"x-restricted": True}
"""For `openapi_extra`: a page may call the operation only when its app allows it by name."""

FOUND = "sidecar.found"
"""The name, in an ASGI scope, of what the tree of paths has for the request."""

_DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(APIRoute).parameters.items()
    if name.startswith("response_model_") or name in ("dependencies", "max_body_size", "form_limits")
}
_BUILDING = RLock()


def problems(*statuses: int) -> dict[str, Any]:
    """Return `openapi_extra` for failure statuses besides those that follow from the operation's parameters."""
    return {"x-problems": list(statuses)}


MAKES_VECTORS = problems(501, 502)
"""Text becomes a vector by an endpoint, which may not be configured or may refuse."""


class OperationRoute(APIRoute):
    """One operation."""

    methods: set[str]
    operation_id: str

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.path = path
        self.endpoint = endpoint
        self.methods = {method.upper() for method in options["methods"]}
        self.operation_id = options["operation_id"]
        self.status_code = options["status_code"]
        self.response_class = options["response_class"]
        self.include_in_schema = options["include_in_schema"]
        self.response_model = self.declared_model = options.get("response_model")
        """The declared one stays when FastAPI, which builds the route later, fills in what the endpoint returns."""
        self.is_plain = all(options.get(name, default) in (default, []) for name, default in _DEFAULTS.items())
        """True where FastAPI neither filters the endpoint's result nor adds dependencies."""
        self._options = options

    def __getattr__(self, name: str) -> Any:
        """Build the route: called for an attribute that is not there yet."""
        if not name.startswith("__"):
            with _BUILDING:
                options = self.__dict__.pop("_options", None)
                if options is not None:
                    super().__init__(self.path, self.endpoint, **options)
                    _build_validators(self)
                if name in self.__dict__:
                    return self.__dict__[name]
        raise AttributeError(f"a route has no attribute '{name}'")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether this is the operation that a request names."""
        found = _found(scope)
        if found is None or all(route is not self for route in found.routes.values()):
            return Match.NONE, {}
        match = Match.FULL if scope["method"] in self.methods else Match.PARTIAL
        values = dict(zip(self.path_names, found.values, strict=True))
        return match, {"endpoint": self.endpoint, "path_params": values, "route": self}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request whose path is this route's. Raises `MethodNotAllowed`."""
        found = _found(scope)
        if scope["method"] not in self.methods and found is not None:
            raise MethodNotAllowed(f"{scope['path']} cannot be called with {scope['method']}.", sorted(found.routes))
        await self.app(scope, receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function that answers a request."""
        handle = super().get_route_handler()
        body, query = _body_adapter(self), _query_model(self)
        takes_content = body is not None or content_of in _calls(self.dependant)

        async def answer(plain: Request) -> Response:
            request = _OperationRequest(plain, body, query)
            if takes_content:
                await content_of(request)
            try:
                response = await handle(request)
            except RequestValidationError as error:
                await request.refuse(first_place(error.errors()))
                raise first_refused(error.errors()) from None
            if response.status_code == 204:
                del response.headers["content-type"]
            return response

        return answer

    @cached_property
    def path_names(self) -> list[str]:
        """The names of the path's parameters, in their order."""
        return [segment[1:-1] for segment in self.path.split("/") if segment.startswith("{")]


def tree_of(routes: Iterable[OperationRoute]) -> PathTree[OperationRoute]:
    """Return the tree in which the operations of an app are found; an app has it as `state.paths`."""
    tree: PathTree[OperationRoute] = PathTree()
    for route in routes:
        for method in route.methods:
            tree.add(route.path, method, route)
    return tree


class _OperationRequest(Request):
    """A request as FastAPI reads it for an operation.

    What is wrong by this project's own rules is given to FastAPI as what its validation refuses, too, so that it is
    reported in its turn.
    """

    def __init__(self, plain: Request, body: TypeAdapter[Any] | None, query_model: type[BaseModel] | None) -> None:
        super().__init__(plain.scope, plain.receive)
        self._body_adapter = body
        self._lists = None if query_model is None else lists_in(query_model)

    async def json(self) -> Any:
        if self._body_adapter is None:
            return await super().json()
        try:
            return await self._read_json(self._body_adapter)
        except RequestRefused:
            return await self.body()  # what FastAPI takes for a body that is not JSON; it fits no model

    @property
    def query_params(self) -> QueryParams:
        given = super().query_params
        if self._lists is None or len(given) == len(given.multi_items()):
            return given
        single = [name for name, _ in given.multi_items() if name not in self._lists]
        if len(single) == len({*single}):
            return given
        return QueryParams([*given.multi_items(), (" repeated", "")])  # a model has no such field

    async def refuse(self, place: str) -> None:
        """Raise `RequestRefused` for what this project's rules say about the body or the query string."""
        if place == "body" and self._body_adapter is not None:
            await self._read_json(self._body_adapter)
        if place == "query" and self._lists is not None:
            query_of(super().query_params.multi_items(), self._lists)

    async def _read_json(self, adapter: TypeAdapter[Any]) -> Any:
        return read_json(adapter, self.headers.get("content-type", ""), await self.body())


def _build_validators(route: APIRoute) -> None:
    """Build the validators of a route, which models put off until the first use.

    FastAPI ignores pydantic's warning about the names that it gives to fields where it makes a validator; one that is
    built later gives the warning again.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
        for field in (*route.dependant.query_params, route.body_field, route.response_field):
            if field is not None:
                field.validate(None, {}, loc=())


def _body_adapter(route: APIRoute) -> TypeAdapter[Any] | None:
    """Return how to read the body of a route that takes one model or dataclass; `None` for any other."""
    field = route.body_field
    if field is None or field not in route.dependant.body_params or isinstance(field.field_info, params.Form):
        return None
    kind = field.field_info.annotation
    if not inspect.isclass(kind) or not (issubclass(kind, BaseModel) or is_dataclass(kind)):
        return None
    return TypeAdapter(kind) if field.field_info.is_required() else None


def _query_model(route: APIRoute) -> type[BaseModel] | None:
    """Return the model that takes the whole query string and refuses unknown parameters; `None` without one."""
    kinds: list[Any] = [field.field_info.annotation for field in route.dependant.query_params]
    return kinds[0] if len(kinds) == 1 and is_closed_model(kinds[0]) else None


def is_closed_model(kind: object) -> bool:
    """Return whether it is a pydantic model that refuses unknown fields."""
    return inspect.isclass(kind) and issubclass(kind, BaseModel) and kind.model_config.get("extra") == "forbid"


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any] | None]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _calls(dependency)


def _found(scope: Scope) -> Found[OperationRoute] | None:
    if FOUND not in scope:
        scope[FOUND] = scope["app"].state.paths.find(scope)
    found: Found[OperationRoute] | None = scope[FOUND]
    return found
