"""The OpenAPI document, from which the bridge's types and its table of operations are generated.

FastAPI writes it out of the routes; this adds what all operations share: problems, statuses, and the token.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.routing import BaseRoute

from sidecar import API_VERSION
from sidecar.api.problems import MEDIA_TYPE
from sidecar.api.security import OPEN_PATH
from sidecar.api.topics import describe_topics
from sidecar.models.events import live_event
from sidecar.models.problems import Problem


def describe(routes: Sequence[BaseRoute], *, is_extension: bool = False) -> dict[str, Any]:
    """Return the document of all routes, with the one shape of errors that they share, and that of live events.

    For the routes of extensions alone, that of live events is left out.
    """
    with warnings.catch_warnings():
        # FastAPI ignores this warning where it builds a body's schema; models that are built later make it again here.
        warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
        document = get_openapi(
            title="electron-sidecar",
            version=f"{API_VERSION}",
            summary="The local backend of an Electron app.",
            routes=routes,
            separate_input_output_schemas=False,
        )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    models: dict[str, type[BaseModel]] = {
        "Problem": Problem,
        **({"LiveEvent": live_event()} if not is_extension else {}),
    }
    for name, model in models.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update({part: described for part, described in schema.pop("$defs", {}).items() if part not in schemas})
        schemas[name] = schema
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    shared = document["components"]["responses"] = {"default": _problem_response("What went wrong.")}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            describe_topics(method, operation)
            operation["responses"].pop("422", None)
            for status in _problem_statuses(path, method, operation):
                shared[f"{status}"] = _problem_response(HTTPStatus(status).phrase)
                operation["responses"].setdefault(f"{status}", {"$ref": f"#/components/responses/{status}"})
            operation["responses"]["default"] = {"$ref": "#/components/responses/default"}
            if path == OPEN_PATH:
                operation["security"] = []
    return document


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
