"""What operations take besides their own input, as annotations of their parameters."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated

from pydantic import Field
from starlette.requests import Request

from sidecar.api.arguments import Depends, Header, content_of
from sidecar.api.events import EventHub
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.unified import UnifiedStorage
from sidecar.upkeep.folders import PlaceCheck
from sidecar.upkeep.keeper import Upkeep

CONTEXT = "sidecar.context"
"""The name of the context in an ASGI scope."""


@dataclass(frozen=True)
class Context:
    """What the app is made with, the same for every request."""

    storage: UnifiedStorage
    events: EventHub
    instance: str
    upkeep: Upkeep
    place: PlaceCheck = field(default_factory=lambda: PlaceCheck(None))


def _context(request: Request) -> Context:
    context: Context = request.scope[CONTEXT]
    return context


def _storage(request: Request) -> UnifiedStorage:
    return _context(request).storage


def _write_key(
    request: Request,
    content: Annotated[bytes, Depends(content_of)],
    idempotency_key: Annotated[
        str | None,
        Header("Idempotency-Key"),
        Field(
            min_length=1,
            max_length=200,
            description="Sent again with the same request, it is done only once and gets its first answer. Where a "
            "large answer is no longer kept, the problem `already_done` says so.",
        ),
    ] = None,
) -> IdempotencyKey | None:
    if idempotency_key is None:
        return None
    target = request.scope["path"]
    if request.scope["query_string"]:
        target += f"?{request.scope['query_string'].decode('latin-1')}"
    fingerprint = blake2b(f"{request.method} {target}\n".encode(), digest_size=16)
    fingerprint.update(content)
    return IdempotencyKey(idempotency_key, fingerprint.digest())


InContext = Annotated[Context, Depends(_context)]
Storage = Annotated[UnifiedStorage, Depends(_storage)]
WriteKey = Annotated[IdempotencyKey | None, Depends(_write_key)]
"""The key of a change, from the header `Idempotency-Key`; `None` for a caller that does not repeat itself."""
