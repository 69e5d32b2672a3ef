"""The live events, as a stream that goes on until one side ends it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query
from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sidecar.api.context import InContext
from sidecar.api.operation import OperationRoute, problems
from sidecar.api.topics import require_topics
from sidecar.errors import InvalidInput
from sidecar.models.events import MAX_EVENT_BYTES, AppEvent, EventsQuery

router = APIRouter(prefix="/events", tags=["events"], route_class=OperationRoute)


class EventStream(Response):
    """Server-sent events from a generator. Ends with it, or when the client has gone."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes, None], on_end: Callable[[], None], status_code: int = 200) -> None:
        super().__init__(status_code=status_code, headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._pieces = pieces
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's shape
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            leaving.cancel()
            self._on_end()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@router.get(
    "",
    operation_id="events.stream",
    response_class=EventStream,
    responses={200: {"content": {EventStream.media_type: {"schema": {"$ref": "#/components/schemas/LiveEvent"}}}}},
    openapi_extra=problems(429),
)
async def stream(
    context: InContext,
    query: Annotated[EventsQuery, Query()],
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", description="Id of the last received event. The events after it are sent first."),
    ] = None,
) -> EventStream:
    """Stream every change as server-sent events with increasing ids `<instance>-<number>`.

    The first event is `hello`, with the instance and the state of the stream: `new`, `resumed` after `Last-Event-ID`,
    or `reset`. An event `reset` says that some events were missed, and why; the stream continues from now. All other
    events are named by their topic; their data is an object with `topic`, for a row its `id`, and further fields of the
    topic. A comment is sent every 15 s. A sidecar serves 128 streams at a time; another one is refused with
    `too_many_streams`.
    """
    topics = None if query.topics is None else frozenset(query.topics.split(","))
    require_topics(topics or ())
    context.events.take_place()
    return EventStream(context.events.stream(last_event_id, topics), context.events.give_place_back)


@router.post("", operation_id="events.publish", status_code=204)
async def publish(context: InContext, body: AppEvent) -> None:
    """Publish an event of the app's own to the live subscribers of its topic. It is not stored.

    It is not published again when its answer was lost, so a subscriber may miss it.
    """
    if len(to_json(body.data)) > MAX_EVENT_BYTES:
        raise InvalidInput.field("data", f"must be at most {MAX_EVENT_BYTES:,} bytes of JSON")
    context.events.publish(body.topic, body.data)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
