"""Export of conversations as documents."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage
from sidecar.api.operation import OperationRoute, problems
from sidecar.api.topics import depends_on
from sidecar.errors import InvalidInput
from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.models.transcripts import MAX_TRANSCRIPT_BYTES, Transcript, TranscriptQuery

router = APIRouter(prefix="/conversations", tags=["conversations"], route_class=OperationRoute)


@router.get(
    "/export",
    operation_id="conversations.export",
    openapi_extra=problems(404) | depends_on("conversations", "messages", "messages.delta", "thinking"),
)
async def export(storage: Storage, query: Annotated[TranscriptQuery, Query()]) -> Transcript:
    """Export conversations as one document of Markdown, HTML or JSON, with thinking and branches.

    The HTML needs nothing else, and every text in it is escaped. The JSON is a request of
    `conversations.import_histories`. Conversations with more than 64 MiB are refused.
    """
    from sidecar.tools.transcripts.reading import histories_of
    from sidecar.tools.transcripts.writing import transcript

    ids = list(dict.fromkeys(map(int, query.ids.split(","))))
    if not all(MIN_INTEGER <= each <= MAX_INTEGER for each in ids):
        raise InvalidInput.field("query.ids", f"must be whole numbers from {MIN_INTEGER} to {MAX_INTEGER}")
    histories = await histories_of(storage, ids, MAX_TRANSCRIPT_BYTES)
    return await asyncio.to_thread(transcript, histories, query.format)
