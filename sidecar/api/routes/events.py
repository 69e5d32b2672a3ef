"""The live events, as a stream that goes on until one side ends it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated

from pydantic import Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sidecar.api.arguments import Header, Query
from sidecar.api.context import InContext
from sidecar.api.operation import Router, problems
from sidecar.models.events import EventsQuery

router = Router("events", prefix="/events")


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


@router.get("", operation_id="events.stream", response_class=EventStream, openapi_extra=problems(429))
async def stream(
    context: InContext,
    query: Annotated[EventsQuery, Query()],
    last_event_id: Annotated[
        str | None,
        Header("Last-Event-ID"),
        Field(description="The last id that was seen: what came after it is sent first."),
    ] = None,
) -> EventStream:
    """Everything that changes, as it changes: server-sent events with increasing ids `<instance>-<number>`.

    The first event is `hello`: the instance, and whether the stream is `new`, `resumed` after `Last-Event-ID`, or
    `reset`. An event `reset` means that some were missed, says why, and the stream goes on from now. All others are
    named by their topic; their data is an object with `topic`, for a row its `id`, and what else there is to tell.
    Every 15 s comes a comment. A sidecar serves 128 streams at a time; one more is refused with `too_many_streams`.
    """
    topics = None if query.topics is None else frozenset(query.topics.split(","))
    context.events.take_place()
    return EventStream(context.events.stream(last_event_id, topics), context.events.give_place_back)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
