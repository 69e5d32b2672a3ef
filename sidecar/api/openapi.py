"""The OpenAPI document, from which the bridge's types and its table of operations are generated.

`python -m sidecar.api.openapi` prints it.
"""

import json
import sys
import warnings
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.warnings import UnsupportedFieldAttributeWarning

from sidecar import API_VERSION
from sidecar.api.problems import MEDIA_TYPE
from sidecar.api.security import OPEN_PATH
from sidecar.models.problems import Problem


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document of all operations, with the one shape of errors that they share."""
    with warnings.catch_warnings():
        # FastAPI ignores this warning where it builds a body's schema; models that are built later make it again here.
        warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
        document = get_openapi(
            title=app.title,
            version=f"{API_VERSION}",
            summary="The local backend of an Electron app.",
            routes=app.routes,
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
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _problem_response()
            if path == OPEN_PATH:
                operation["security"] = []
    return document


def _problem_response() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "What went wrong.", "content": {MEDIA_TYPE: {"schema": schema}}}


if __name__ == "__main__":
    from sidecar.api.app import create_app

    json.dump(openapi_document(create_app()), sys.stdout, indent=2)
    sys.stdout.write("\n")
