"""What operations take besides their own input, as annotations of their parameters."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated

from fastapi import Depends, Header, Request

from sidecar.api.events import EventHub
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.unified import UnifiedStorage
from sidecar.upkeep.keeper import Upkeep


@dataclass(frozen=True)
class Context:
    """What the app was made with, the same for every request."""

    storage: UnifiedStorage
    events: EventHub
    instance: str
    upkeep: Upkeep


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def _storage(request: Request) -> UnifiedStorage:
    context: Context = request.app.state.context
    return context.storage


async def _write_key(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            description="Sent again with the same request, it is done only once.",
        ),
    ] = None,
) -> IdempotencyKey | None:
    if idempotency_key is None:
        return None
    target = request.scope["path"]
    if request.scope["query_string"]:
        target += f"?{request.scope['query_string'].decode('latin-1')}"
    content = blake2b(f"{request.method} {target}\n".encode(), digest_size=16)
    content.update(await request.body())
    return IdempotencyKey(idempotency_key, content.digest())


InContext = Annotated[Context, Depends(_context)]
Storage = Annotated[UnifiedStorage, Depends(_storage)]
WriteKey = Annotated[IdempotencyKey | None, Depends(_write_key)]
"""The key of a change, from the header `Idempotency-Key`; `None` for a caller that does not repeat itself."""
