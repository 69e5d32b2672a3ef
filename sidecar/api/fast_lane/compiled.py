"""Routes as direct calls: what FastAPI would find out for each request is found out once."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import is_dataclass
from functools import partial
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from fastapi import params
from fastapi.datastructures import DefaultPlaceholder
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sidecar.api.operation import OperationRoute, is_closed_model
from sidecar.api.reading import JSON, content_of, lists_in, query_of, read_json
from sidecar.errors import InvalidInput
from sidecar.models.validation import refused

Reader = Callable[[Request, bytes], Any]
"""Gets one argument out of a request and the content of its body."""

_PATH, _QUERY, _BODY, _REQUEST, _HEADER = range(5)
"""Places of arguments, in the order in which a wrong one is reported."""


class NotUnderstoodError(Exception):
    """A route uses something that is not in the subset: FastAPI answers it."""


class CompiledOperation:
    """An operation that is answered without FastAPI."""

    def __init__(self, route: OperationRoute, function: "_Function", result: type[BaseModel] | None) -> None:
        self._route = route
        self._function = function
        self._result = result
        self._status_code = route.status_code or 200
        self.takes_content = function.takes_content

    async def answer(self, request: Request, content: bytes) -> Response:
        """Return the answer to a request. Raises what the endpoint raises, and `RequestRefused`."""
        try:
            result = await self._function.call(request, content)
        except _HeaderRefusedError as error:
            raise error.refusal from None
        if type(result) is self._result:
            return Response(result.model_dump_json(), self._status_code, media_type=JSON)
        if isinstance(result, Response):
            return result
        if self._status_code == 204:
            return Response(status_code=204)
        # Another value than the endpoint has promised: it is converted, as FastAPI does.
        if self._route.response_field is None:
            return JSONResponse(jsonable_encoder(result), self._status_code)
        adapter: TypeAdapter[Any] = TypeAdapter(self._route.response_model)
        converted = adapter.validate_python(result, from_attributes=True)
        return Response(adapter.dump_json(converted), self._status_code, media_type=JSON)


def compiled(route: OperationRoute) -> CompiledOperation:
    """Return a route as a direct call. Raises `NotUnderstoodError`."""
    if type(route) is not OperationRoute or not route.is_plain:
        raise NotUnderstoodError
    hints = get_type_hints(route.endpoint, include_extras=True)
    result = hints.get("return")
    is_model = inspect.isclass(result) and issubclass(result, BaseModel)
    is_response = inspect.isclass(result) and issubclass(result, Response)
    is_empty = result is type(None) and route.status_code == 204
    is_written_here = isinstance(route.response_class, DefaultPlaceholder) and (
        isinstance(route.response_model, DefaultPlaceholder) or route.response_model is (None if is_empty else result)
    )
    if not is_response and not ((is_model or is_empty) and is_written_here):
        raise NotUnderstoodError
    function = _Function(route.endpoint, hints, frozenset(route.path_names), set())
    return CompiledOperation(route, function, result if is_model else None)


class _HeaderRefusedError(Exception):
    """A header is wrong. It is reported after what is wrong in the path, the query string and the body."""

    def __init__(self, refusal: InvalidInput) -> None:
        super().__init__()
        self.refusal = refusal


class _Function:
    """An endpoint or a dependency, and how its arguments are read."""

    def __init__(
        self,
        function: Callable[..., Awaitable[Any]],
        hints: dict[str, Any],
        path_names: frozenset[str],
        seen: set[Callable[..., Any]],
    ) -> None:
        if not inspect.iscoroutinefunction(function):
            raise NotUnderstoodError
        self.takes_content = False
        self._function = function
        self._path_names = path_names
        self._is_endpoint = not seen
        self._seen = seen
        seen.add(function)
        self._dependencies: list[tuple[str, _Function]] = []
        readers: list[tuple[int, str, Reader]] = []
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise NotUnderstoodError
            kind, *marks = get_args(hints[name]) if get_origin(hints[name]) is Annotated else (hints.get(name),)
            dependency = next((mark for mark in marks if isinstance(mark, params.Depends)), None)
            if dependency is None:
                readers.append((*self._reader(name, hints[name], kind, marks, parameter.default),))
            elif dependency.dependency is content_of:
                self.takes_content = True
                readers.append((_REQUEST, name, _read_content))
            else:
                self._add_dependency(name, dependency)
        readers.sort(key=lambda reader: reader[0])
        self._readers = [(name, read) for place, name, read in readers if place != _HEADER]
        self._headers = [(name, read) for place, name, read in readers if place == _HEADER]

    async def call(self, request: Request, content: bytes) -> Any:
        """Return the function's result. Raises what it raises, `InvalidInput` and `_HeaderRefusedError`."""
        arguments: dict[str, Any] = {}
        refusal: _HeaderRefusedError | None = None
        for name, dependency in self._dependencies:
            try:
                arguments[name] = await dependency.call(request, content)
            except _HeaderRefusedError as error:
                refusal = refusal or error
        for name, read in self._readers:
            arguments[name] = read(request, content)
        if refusal is not None:
            raise refusal
        for name, read in self._headers:
            arguments[name] = read(request, content)
        return await self._function(**arguments)

    def _add_dependency(self, name: str, dependency: params.Depends) -> None:
        function = dependency.dependency
        is_plain = type(dependency) is params.Depends and dependency.use_cache and dependency.scope is None
        if not is_plain or not inspect.isfunction(function) or function in self._seen:
            raise NotUnderstoodError
        hints = get_type_hints(function, include_extras=True)
        compiled_one = _Function(function, hints, self._path_names, self._seen)
        self.takes_content |= compiled_one.takes_content
        self._dependencies.append((name, compiled_one))

    def _reader(self, name: str, hint: Any, kind: Any, marks: list[Any], default: Any) -> tuple[int, str, Reader]:
        if kind is Request:
            return _REQUEST, name, _read_request
        mark = next((mark for mark in marks if isinstance(mark, params.Param | params.Body)), None)
        if type(mark) is params.Header and mark.alias is not None and default is None and kind == str | None:
            read = partial(_read_header, mark.alias, TypeAdapter(hint))
            return _HEADER, name, read
        if not self._is_endpoint or default is not inspect.Parameter.empty:
            raise NotUnderstoodError
        is_model = inspect.isclass(kind) and issubclass(kind, BaseModel)
        if type(mark) is params.Query and is_closed_model(kind):
            return _QUERY, name, partial(_read_query, TypeAdapter(kind), lists_in(kind))
        if name in self._path_names and (mark is None or type(mark) is params.Path):
            return _PATH, name, partial(_read_path, name, TypeAdapter(hint))
        if mark is None and name not in self._path_names and (is_model or is_dataclass(kind)):
            self.takes_content = True
            return _BODY, name, partial(_read_body, TypeAdapter(kind))
        raise NotUnderstoodError


def _read_request(request: Request, _: bytes) -> Request:
    return request


def _read_content(_: Request, content: bytes) -> bytes:
    return content


def _read_path(name: str, adapter: TypeAdapter[Any], request: Request, _: bytes) -> Any:
    try:
        return adapter.validate_python(request.scope["path_params"][name])
    except ValidationError as error:
        raise refused(error, "path", name) from None


def _read_query(adapter: TypeAdapter[Any], lists: frozenset[str], request: Request, _: bytes) -> Any:
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    try:
        return adapter.validate_python(query_of(pairs, lists))
    except ValidationError as error:
        raise refused(error, "query") from None


def _read_body(adapter: TypeAdapter[Any], request: Request, content: bytes) -> Any:
    return read_json(adapter, _header(request, b"content-type") or "", content)


def _read_header(alias: str, adapter: TypeAdapter[Any], request: Request, _: bytes) -> Any:
    value = _header(request, alias.lower().encode())
    if value is None:
        return None
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise _HeaderRefusedError(refused(error, "header", alias)) from None


def _header(request: Request, wanted: bytes) -> str | None:
    for name, value in request.scope["headers"]:
        if name == wanted:
            decoded: str = value.decode("latin-1")
            return decoded
    return None
