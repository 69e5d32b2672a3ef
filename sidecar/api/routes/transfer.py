"""Export and import.

An archive is never in memory as a whole: it goes through a nameless file beside the data. An export is complete before
its first byte is sent, so that a slow reader keeps no transaction open and a failure is still an answer. What reads and
writes archives is imported when it is first needed, not while the sidecar starts.
"""

import asyncio
from collections.abc import Coroutine
from hashlib import blake2b
from typing import IO, Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sidecar.api.context import InContext, Storage
from sidecar.api.exports import KeptFile
from sidecar.api.long_work import ACCEPTED, LongRead, Run
from sidecar.api.operation import RESTRICTED, OperationRoute
from sidecar.errors import UnsupportedMediaType
from sidecar.models.base import UrlIdentifier
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.transfer import Exported, ExportQuery, ImportQuery, ImportReport
from sidecar.storage.unified import UnifiedStorage

ZIP = "application/zip"
IMPORT_PATH = "/transfer/import"
"""The one path whose bodies may be larger than those of other operations."""

_BINARY: dict[str, Any] = {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}
_ARCHIVE: dict[int | str, dict[str, Any]] = {200: {"description": "The archive.", **_BINARY}}

router = APIRouter(prefix="/transfer", tags=["transfer"], route_class=OperationRoute)


@router.get(
    "/export",
    operation_id="transfer.export",
    response_class=StreamingResponse,
    responses={**_ARCHIVE, **ACCEPTED},
)
async def export(context: InContext, query: Annotated[ExportQuery, Query()], work: LongRead) -> Response:
    """Export the rows as one archive. Contexts, vectors and monitoring are only in backups.

    The archive of a job is fetched from `transfer.download`.
    """
    archive: KeptFile | None = None

    async def write(run: Run) -> Exported:
        nonlocal archive
        from sidecar.tools.local import export_to

        file = _scratch_file(context.storage)
        try:
            manifest = await export_to(context.storage, file, query.markdown, run.progress)
            kept = KeptFile(file)
        except BaseException:
            file.close()
            raise
        if run.is_awaited:
            archive = kept
        else:
            assert run.job.id is not None
            context.exports.keep(run.job.id, kept)
        return Exported(bytes=kept.size, rows={kind: lines.count for kind, lines in manifest.files.items()})

    await work.run("transfer.export", write, query.model_dump())
    assert archive is not None
    return _download(archive)


@router.get(
    "/exports/{job_id}",
    operation_id="transfer.download",
    response_class=StreamingResponse,
    responses=_ARCHIVE,
)
async def download(context: InContext, job_id: UrlIdentifier) -> Response:
    """Return the archive that an export job has made. It is kept for an hour, and no longer than the sidecar runs."""
    return _download(context.exports.take(job_id))


@router.post(
    "/import",
    operation_id="transfer.import",
    responses=ACCEPTED,
    openapi_extra={"requestBody": {"required": True, **_BINARY}, **RESTRICTED},
)
async def import_archive(
    storage: Storage,
    request: Request,
    query: Annotated[ImportQuery, Query()],
    work: LongRead,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)] = None,
) -> ImportReport:
    """Import the rows of an archive that the database does not have: all of them, or none if the archive is damaged."""
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != ZIP:
        raise UnsupportedMediaType(f"The body must be {ZIP}, not '{content_type[:100]}'.")
    file = _scratch_file(storage)
    is_taken = False

    def take(run: Run) -> Coroutine[Any, Any, ImportReport]:
        nonlocal is_taken
        is_taken = True
        return _import(storage, file, query.dry_run, run, idempotency_key if run.is_awaited else None)

    try:
        digest = blake2b(f"{request.url.query}\n".encode(), digest_size=16)
        async for block in request.stream():
            digest.update(block)
            await asyncio.to_thread(file.write, block)
        if idempotency_key is not None:
            work.key = IdempotencyKey(idempotency_key, digest.digest())
        return await work.run("transfer.import", take, query.model_dump())
    finally:
        if not is_taken:
            file.close()


async def _import(storage: UnifiedStorage, file: IO[bytes], dry_run: bool, run: Run, key: str | None) -> ImportReport:
    from sidecar.tools.local import import_from

    with file:
        return await import_from(storage, file, dry_run, run.progress, key=key)


def _scratch_file(storage: UnifiedStorage) -> IO[bytes]:
    from tempfile import TemporaryFile

    return TemporaryFile(dir=storage.scratch_directory())


def _download(archive: KeptFile) -> Response:
    headers = {
        "Content-Length": str(archive.size),
        "Content-Disposition": 'attachment; filename="sidecar-export.zip"',
    }
    return StreamingResponse(archive.blocks(), headers=headers, media_type=ZIP)
