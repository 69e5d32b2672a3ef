"""The arguments of an operation: how it declares them, and how they are read from a request.

An endpoint's own signature tells what it takes; what is not in this list is refused when the operation is first called:

    body: TodoCreate                                  a model or a dataclass: the JSON body
    query: Annotated[TodoQuery, Query()]              a model: the whole query string
    todo_id: Identifier                               a name in the path
    key: Annotated[str | None, Header("Some-Key")]    a header; limits are a pydantic `Field` beside it
    storage: Annotated[Storage, Depends(function)]    what a function of such parameters returns
    request: Request                                  the request itself
    content: Annotated[bytes, Depends(content_of)]    its body as it came

The words are FastAPI's, which is told of them where the OpenAPI document is made (`openapi.py`). It does not read the
arguments: its general solver costs about three times what an operation needs.

Nothing here waits but for the body, so a dependency is a plain function.
"""

import inspect
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, is_dataclass
from functools import partial
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request

from sidecar.api.json_bodies import not_json
from sidecar.errors import InvalidInput, UnsupportedMediaType
from sidecar.models.validation import refused

JSON = "application/json"


@dataclass(frozen=True)
class Query:
    """Marks the model of the whole query string."""


@dataclass(frozen=True)
class Header:
    """Marks what is taken from the header of this name."""

    name: str


@dataclass(frozen=True)
class Depends:
    """Marks what the function returns."""

    dependency: Callable[..., Any]


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


def readers_of(function: Callable[..., Any], path_names: Collection[str]) -> dict[str, Reader]:
    """How to get each argument of a function. Raises `TypeError` for a parameter that is none of those above."""
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters
    return {name: _reader(name, hints[name], parameter, path_names) for name, parameter in parameters.items()}


def parts_of(hint: Any) -> tuple[Any, ...]:
    """The type of a parameter, and what it is marked with."""
    return get_args(hint) if get_origin(hint) is Annotated else (hint,)


def _reader(name: str, hint: Any, parameter: inspect.Parameter, path_names: Collection[str]) -> Reader:
    kind, *marks = parts_of(hint)
    for mark in marks:
        if isinstance(mark, Depends) and mark.dependency is content_of:
            return _read_content
        if isinstance(mark, Depends):
            return partial(_read_dependency, mark.dependency, readers_of(mark.dependency, path_names))
        if isinstance(mark, Header):
            return partial(_read_header, mark.name, TypeAdapter(hint), parameter.default)
        if isinstance(mark, Query):
            return partial(_read_query, kind)
    if kind is Request:
        return _read_request
    if name in path_names:
        return partial(_read_path, name, TypeAdapter(hint))
    if is_dataclass(kind) or (inspect.isclass(kind) and issubclass(kind, BaseModel)):
        return partial(_read_body, TypeAdapter(kind))
    raise TypeError(f"an operation cannot have the parameter '{name}: {hint}'; see {__name__}")


def take_content(readers: Iterable[Reader]) -> bool:
    """Whether one of them needs the body."""
    for read in readers:
        function, arguments = (read.func, read.args) if isinstance(read, partial) else (read, ())
        if function in (_read_content, _read_body):
            return True
        if function is _read_dependency and take_content(arguments[1].values()):
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
        raise refused(error, "path", name) from None


def _read_header(name: str, adapter: TypeAdapter[Any], default: Any, request: Request, _: bytes) -> Any:
    value = _header(request, name.lower().encode())
    if value is None:
        return default
    try:
        return adapter.validate_strings(value)
    except ValidationError as error:
        raise refused(error, "header", name) from None


def _read_query(model: type[BaseModel], request: Request, _: bytes) -> BaseModel:
    values: dict[str, str] = {}
    for name, value in parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if name in values:
            raise InvalidInput.field(f"query.{name}", "is given more than once")
        values[name] = value
    try:
        return model.model_validate_strings(values)
    except ValidationError as error:
        raise refused(error, "query") from None


def _read_body(adapter: TypeAdapter[Any], request: Request, content: bytes) -> Any:
    content_type = _header(request, b"content-type") or ""
    if content_type != JSON and content_type.partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMediaType(f"The body must be {JSON}, not '{content_type[:100]}'.")
    try:
        return adapter.validate_json(content)
    except ValidationError as error:
        if error.error_count() == 1:
            first = error.errors(include_url=False, include_input=False)[0]
            if first["type"] == "json_invalid":
                raise not_json(content, first["ctx"]["error"]) from None
        raise refused(error, "body") from None


def _header(request: Request, wanted: bytes) -> str | None:
    for name, value in request.scope["headers"]:
        if name == wanted:
            decoded: str = value.decode("latin-1")
            return decoded
    return None
