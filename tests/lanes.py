"""The two lanes of the API: the app as tests call it, by the one that `LANE` names."""

import asyncio
import os
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

from fastapi import APIRouter
from starlette.types import ASGIApp, Message, Scope

from sidecar.api.app import create_app
from sidecar.api.context import Context
from sidecar.api.fast_lane import FastLane

LANE = os.environ.get("LANE", "fast")
"""`fast`, or `fastapi`, which runs everything that takes the app through FastAPI alone."""


def served(context: Context, lane: str = LANE, routers: Sequence[APIRouter] = ()) -> ASGIApp:
    """Return the app over an open storage, without its gate; `routers` are those of extensions."""
    app = create_app(context, routers)
    return app if lane == "fastapi" else FastLane(app)


class Sent(NamedTuple):
    """A request as it arrives: its path is as it was sent, percent-encoded."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes = b""


class Answer(NamedTuple):
    """What was answered: header names in lower case, their order ignored."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes


async def answer_of(app: ASGIApp, sent: Sent) -> Answer:
    """Return what an app answers to a client that leaves a moment after it has sent its request."""
    start: Message = {}
    pieces: list[bytes] = []
    has_sent = False

    async def receive() -> Message:
        nonlocal has_sent
        if has_sent:
            await asyncio.sleep(0.01)
            return {"type": "http.disconnect"}
        has_sent = True
        return {"type": "http.request", "body": sent.content}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            pieces.append(message.get("body", b""))

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": unquote(sent.path),
        "raw_path": sent.path.encode("ascii"),
        "query_string": sent.query.encode("ascii"),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent.headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 47110),
    }
    await app(scope, receive, send)
    headers = tuple(sorted((name.lower(), value) for name, value in start["headers"]))
    return Answer(start["status"], headers, b"".join(pieces))
