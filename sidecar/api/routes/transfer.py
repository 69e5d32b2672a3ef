"""Export and import.

An archive is never in memory as a whole: it goes through a nameless file beside the data. An export is complete before
its first byte is sent, so that a slow reader keeps no transaction open and a failure is still an answer. What reads and
writes archives is imported when it is first needed, not while the sidecar starts.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import IO, Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sidecar.api.context import Storage
from sidecar.api.operation import RESTRICTED, OperationRoute
from sidecar.errors import UnsupportedMediaType
from sidecar.models.transfer import ExportQuery, ImportQuery, ImportReport
from sidecar.storage.unified import UnifiedStorage

ZIP = "application/zip"
IMPORT_PATH = "/transfer/import"
"""The one path whose bodies may be larger than those of other operations."""

BLOCK = 256 * 1024

_BINARY: dict[str, Any] = {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}

router = APIRouter(prefix="/transfer", tags=["transfer"], route_class=OperationRoute)


@router.get(
    "/export",
    operation_id="transfer.export",
    response_class=StreamingResponse,
    responses={200: {"description": "The archive.", **_BINARY}},
)
async def export(storage: Storage, query: Annotated[ExportQuery, Query()]) -> Response:
    """Export the rows as one archive. Contexts, vectors and monitoring are only in backups."""
    from sidecar.tools.local import export_to

    file = _scratch_file(storage)
    try:
        await export_to(storage, file, query.markdown)
        size = file.seek(0, 2)
    except BaseException:
        file.close()
        raise
    headers = {"Content-Length": str(size), "Content-Disposition": 'attachment; filename="sidecar-export.zip"'}
    return StreamingResponse(_blocks(file), headers=headers, media_type=ZIP)


@router.post(
    "/import",
    operation_id="transfer.import",
    openapi_extra={"requestBody": {"required": True, **_BINARY}, **RESTRICTED},
)
async def import_archive(
    storage: Storage,
    request: Request,
    query: Annotated[ImportQuery, Query()],
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)] = None,
) -> ImportReport:
    """Import the rows of an archive that the database does not have: all of them, or none if the archive is damaged."""
    from sidecar.tools.local import import_from

    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != ZIP:
        raise UnsupportedMediaType(f"The body must be {ZIP}, not '{content_type[:100]}'.")
    with _scratch_file(storage) as file:
        async for block in request.stream():
            await asyncio.to_thread(file.write, block)
        return await import_from(storage, file, query.dry_run, key=idempotency_key)


def _scratch_file(storage: UnifiedStorage) -> IO[bytes]:
    from tempfile import TemporaryFile

    return TemporaryFile(dir=storage.scratch_directory())


async def _blocks(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        file.seek(0)
        while block := await asyncio.to_thread(file.read, BLOCK):
            yield block
