"""Annotations for the parameters of operations besides their own input."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import Request

from sidecar.api.events import EventHub
from sidecar.api.exports import Exports
from sidecar.api.reading import content_of
from sidecar.jobs.runner import JobRunner
from sidecar.maintenance.folders import PlaceCheck
from sidecar.maintenance.scheduler import MaintenanceScheduler
from sidecar.models.health import Component
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.unified import UnifiedStorage


@dataclass(frozen=True)
class Context:
    """The objects that the app is created with, the same for every request; the app has them as `state.context`."""

    storage: UnifiedStorage
    events: EventHub
    instance: str
    maintenance: MaintenanceScheduler
    jobs: JobRunner
    place: PlaceCheck = field(default_factory=lambda: PlaceCheck(None))
    extensions: Callable[[], Mapping[str, Component]] = dict
    """Returns the health of the extensions."""
    exports: Exports = field(default_factory=Exports)


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def _storage(request: Request) -> UnifiedStorage:
    storage: UnifiedStorage = request.app.state.context.storage
    return storage


async def _write_key(
    request: Request,
    content: Annotated[bytes, Depends(content_of)],
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
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


async def _events(request: Request) -> EventHub:
    events: EventHub = request.app.state.context.events
    return events


InContext = Annotated[Context, Depends(_context)]
Storage = Annotated[UnifiedStorage, Depends(_storage)]
Events = Annotated[EventHub, Depends(_events)]
"""The live events, for `publish(topic, data)`."""
WriteKey = Annotated[IdempotencyKey | None, Depends(_write_key)]
"""The key of a change, from the header `Idempotency-Key`; `None` for a caller that does not repeat itself."""
