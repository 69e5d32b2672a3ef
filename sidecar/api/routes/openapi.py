"""The description of all operations."""

import asyncio
import json

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from sidecar.api.operation import OperationRoute
from sidecar.api.reading import JSON

router = APIRouter(tags=["openapi"], route_class=OperationRoute)


@router.get("/openapi.json", operation_id="openapi.document", include_in_schema=False)
async def document(request: Request) -> Response:
    """Return the OpenAPI document. No pages show it: they would load scripts from elsewhere."""
    return Response(await asyncio.to_thread(_text, request.app), media_type=JSON)


def _text(app: FastAPI) -> str:
    if app.openapi_schema is None:
        from sidecar.api.openapi import describe  # seldom asked for

        app.openapi_schema = describe(app.routes)
    return json.dumps(app.openapi_schema, indent=2)
