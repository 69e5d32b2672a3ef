"""The description of all operations."""

import asyncio
from functools import cache

from starlette.responses import Response

from sidecar.api.arguments import JSON
from sidecar.api.operation import Router

router = Router("openapi")


@router.get("/openapi.json", operation_id="openapi.document", include_in_schema=False)
async def document() -> Response:
    """The OpenAPI document. There are no pages that show it: they would load scripts from elsewhere."""
    return Response(await asyncio.to_thread(_text), media_type=JSON)


@cache
def _text() -> str:
    from sidecar.api.openapi import openapi_json  # and with it FastAPI, which nothing else needs

    return openapi_json()
