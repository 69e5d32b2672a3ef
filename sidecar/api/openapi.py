"""The OpenAPI document, from which the bridge's types and its table of operations are generated.

FastAPI writes it, out of the operations' declarations. `python -m sidecar.api.openapi` prints it.
"""

import inspect
import json
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, params
from fastapi.openapi.utils import get_openapi
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.requests import Request
from starlette.routing import BaseRoute

from sidecar import API_VERSION
from sidecar.api.app import OPERATIONS
from sidecar.api.arguments import Depends, Header, Query, parts_of
from sidecar.api.operation import Endpoint, Operation
from sidecar.api.problems import MEDIA_TYPE
from sidecar.api.security import OPEN_PATH
from sidecar.models.problems import Problem


def openapi_document() -> dict[str, Any]:
    """The document of all operations, with the one shape of errors that they share."""
    with warnings.catch_warnings():
        # FastAPI ignores this warning where it builds a body's schema; models that are built later make it again here.
        warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
        document = get_openapi(
            title="electron-sidecar",
            version=f"{API_VERSION}",
            summary="The local backend of an Electron app.",
            routes=_routes(),
            separate_input_output_schemas=False,
        )
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    shared = document["components"]["responses"] = {"default": _problem_response("What went wrong.")}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["responses"].pop("422", None)
            for status in _problem_statuses(path, method, operation):
                shared[f"{status}"] = _problem_response(HTTPStatus(status).phrase)
                operation["responses"].setdefault(f"{status}", {"$ref": f"#/components/responses/{status}"})
            operation["responses"]["default"] = {"$ref": "#/components/responses/default"}
            if path == OPEN_PATH:
                operation["security"] = []
    return document


def _routes() -> Sequence[BaseRoute]:
    """The operations as FastAPI's routes: to be described, not to be called."""
    router = APIRouter()
    for operation in OPERATIONS:
        router.add_api_route(
            operation.path,
            _declared(operation),
            methods=[operation.method],
            operation_id=operation.operation_id,
            status_code=operation.status_code,
            **operation.documentation,
        )
    return router.routes


def _declared(operation: Operation) -> Endpoint:
    """What FastAPI reads of an endpoint: its name, its words, its result, and its parameters in FastAPI's marks."""

    async def endpoint() -> None:
        raise NotImplementedError

    result = inspect.signature(operation.endpoint, eval_str=True).return_annotation
    endpoint.__name__ = operation.endpoint.__name__
    endpoint.__doc__ = operation.endpoint.__doc__
    # `inspect.signature` takes what it finds here (PEP 362), which mypy does not know of functions.
    endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*_parameters(operation.endpoint)], return_annotation=result
    )
    return endpoint


def _parameters(function: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    """What a request has for a function, and for what it depends on."""
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        kind, *marks = parts_of(parameter.annotation)
        dependency = next((mark.dependency for mark in marks if isinstance(mark, Depends)), None)
        if dependency is not None:
            yield from _parameters(dependency)
        elif kind is not Request:
            marks = [_in_fastapi(mark) for mark in marks]
            hint = Annotated[kind, *marks] if marks else kind
            yield parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY)


def _in_fastapi(mark: object) -> object:
    match mark:
        case Query():
            return params.Query()
        case Header(name):
            return params.Header(alias=name)
        case _:
            return mark


def _problem_statuses(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[int]:
    """How an operation of this shape can fail; what a route adds of its own it declares as `x-problems`."""
    yield from (400, 403, 431)
    if path == OPEN_PATH:
        return
    yield from (401, 408, 500, 503)
    if "{" in path:
        yield 404
    if operation.get("parameters") or "requestBody" in operation:
        yield 422
    if "requestBody" in operation:
        yield from (413, 415)
    if method != "get":
        yield from (409, 507)
    yield from operation.get("x-problems", ())


def _problem_response(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def openapi_json() -> str:
    """The document as text."""
    return json.dumps(openapi_document(), indent=2)


if __name__ == "__main__":
    sys.stdout.write(f"{openapi_json()}\n")
