"""The route class of every operation: declared like any FastAPI route, answered with less work.

FastAPI still reads the declaration and writes the OpenAPI document. For a request, though, its general solver of
dependencies, bodies and response models costs about three times what an operation needs; the class below is FastAPI's
own extension point for that. It knows the parameters that operations have, and refuses others when it is first called:

    body: TodoCreate                                a model: the JSON body
    query: Annotated[TodoQuery, Query()]            a model: the whole query string
    todo_id: Identifier                             a name in the path
    key: Annotated[str, Header(alias="Some-Key")]   a header
    storage: Annotated[Storage, Depends(function)]  what a function of such parameters returns
    request: Request                                the request itself
    content: Annotated[bytes, Depends(content_of)]  its body as it came

Nothing here waits but for the body, so a dependency is a plain function.

An operation returns a model, `None` for an answer without content, or a whole response.
"""

import inspect
from collections.abc import Callable, Coroutine, Iterable
from functools import cached_property, partial
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.params import Depends, Header, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path

from sidecar.errors import FieldError, InvalidInput, MalformedRequest, UnsupportedMediaType

JSON = "application/json"

RESTRICTED = {"x-restricted": True}
"""For `openapi_extra`: a page may call the operation only when its app allows it by name."""


def problems(*statuses: int) -> dict[str, Any]:
    """For `openapi_extra`: statuses with which the operation can fail besides those that its shape tells."""
    return {"x-problems": list(statuses)}


Reader = Callable[[Request, bytes], Any]
"""Gets one argument out of a request and the content of its body."""


async def content_of(request: Request) -> bytes:
    """The body of a request as it came: what a dependency asks for with `Depends(content_of)`."""
    parts: list[bytes] = []
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


class OperationRoute(APIRoute):
    """A route whose handler is compiled from the endpoint's own signature, when it is first called.

    FastAPI reads a declaration for the sake of the document, and a sidecar that serves needs no document: that waits
    until something asks for what only FastAPI knows. Reading all of them was a fourth of the time to `ready`.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **declaration: Any) -> None:
        self.path = path
        self.endpoint = endpoint
        self.name = endpoint.__name__
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.methods = set(declaration["methods"])
        self.operation_id = declaration["operation_id"]
        self.status_code = declaration["status_code"]
        self._unread_declaration: dict[str, Any] | None = declaration

    def __getattr__(self, name: str) -> Any:
        """An attribute that is missing, because FastAPI has not read the declaration, or because there is none."""
        declaration = self.__dict__.get("_unread_declaration")
        if declaration is None:
            raise AttributeError(name=name, obj=self)
        self._unread_declaration = None
        super().__init__(self.path, self.endpoint, **declaration)
        return getattr(self, name)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.answer

    async def answer(self, request: Request) -> Response:
        """The answer to a request whose path fits. Raises what the operation raises, and `RequestRefused`."""
        content = await content_of(request) if self._takes_content else b""
        arguments = {name: read(request, content) for name, read in self._readers.items()}
        result = await self.endpoint(**arguments)
        if result is None:
            return Response(status_code=204)
        if isinstance(result, Response):
            return result
        return Response(result.model_dump_json(), self.status_code or 200, media_type=JSON)

    @cached_property
    def _readers(self) -> dict[str, Reader]:
        return _readers_of(self.endpoint, frozenset(self.param_convertors))

    @cached_property
    def _takes_content(self) -> bool:
        return _takes_content(self._readers.values())


def _readers_of(function: Callable[..., Any], path_names: frozenset[str]) -> dict[str, Reader]:
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters
    return {name: _reader(name, hints[name], parameter, path_names) for name, parameter in parameters.items()}


def _reader(name: str, hint: Any, parameter: inspect.Parameter, path_names: frozenset[str]) -> Reader:
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    for mark in marks:
        if isinstance(mark, Depends) and mark.dependency is content_of:
            return _read_content
        if isinstance(mark, Depends) and mark.dependency is not None:
            return partial(_read_dependency, mark.dependency, _readers_of(mark.dependency, path_names))
        if isinstance(mark, Header):
            return partial(_read_header, mark.alias or name, TypeAdapter(hint), parameter.default)
        if isinstance(mark, Query):
            return partial(_read_query, kind)
    if kind is Request:
        return _read_request
    if name in path_names:
        return partial(_read_path, name, TypeAdapter(hint))
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return partial(_read_body, kind)
    raise TypeError(f"an operation cannot have the parameter '{name}: {hint}'; see {__name__}")


def _takes_content(readers: Iterable[Reader]) -> bool:
    for read in readers:
        function, arguments = (read.func, read.args) if isinstance(read, partial) else (read, ())
        if function in (_read_content, _read_body):
            return True
        if function is _read_dependency and _takes_content(arguments[1].values()):
            return True
    return False


def _read_request(request: Request, _: bytes) -> Request:
    return request


def _read_content(_: Request, content: bytes) -> bytes:
    return content


def _read_dependency(function: Callable[..., Any], readers: dict[str, Reader], request: Request, content: bytes) -> Any:
    return function(**{name: read(request, content) for name, read in readers.items()})


def _read_path(name: str, adapter: TypeAdapter[Any], request: Request, _: bytes) -> Any:
    try:
        return adapter.validate_strings(request.path_params[name])
    except ValidationError as error:
        raise _refused("path", error, name) from None


def _read_header(name: str, adapter: TypeAdapter[Any], default: Any, request: Request, _: bytes) -> Any:
    value = _header(request, name.lower().encode())
    if value is None:
        return default
    try:
        return adapter.validate_strings(value)
    except ValidationError as error:
        raise _refused("header", error, name) from None


def _read_query(model: type[BaseModel], request: Request, _: bytes) -> BaseModel:
    values: dict[str, str] = {}
    for name, value in parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if name in values:
            raise InvalidInput.field(f"query.{name}", "is given more than once")
        values[name] = value
    try:
        return model.model_validate_strings(values)
    except ValidationError as error:
        raise _refused("query", error) from None


def _read_body(model: type[BaseModel], request: Request, content: bytes) -> BaseModel:
    content_type = _header(request, b"content-type") or ""
    if content_type != JSON and content_type.partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMediaType(f"The body must be {JSON}, not '{content_type[:100]}'.")
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise MalformedRequest(f"The body is not JSON in UTF-8: {first['ctx']['error']}.") from None
        raise _refused("body", error) from None


def _header(request: Request, wanted: bytes) -> str | None:
    for name, value in request.scope["headers"]:
        if name == wanted:
            decoded: str = value.decode("latin-1")
            return decoded
    return None


def _refused(place: str, error: ValidationError, *path: str) -> InvalidInput:
    """What pydantic found, with the place of each finding: `body.title`."""
    found = [
        FieldError(".".join([place, *path, *map(str, detail["loc"])]), detail["msg"].removeprefix("Value error, "))
        for detail in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return InvalidInput("; ".join(f"{field}: {message}" for field, message in found[:3]), found)
