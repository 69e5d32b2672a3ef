"""Operations for health checks: `live` for the process, `ready` for each component."""

import asyncio
import os

from fastapi import APIRouter
from starlette.responses import Response

from sidecar import __version__
from sidecar.api.context import InContext
from sidecar.api.operation import OperationRoute
from sidecar.api.reading import JSON
from sidecar.api.topics import depends_on
from sidecar.clock import Clock
from sidecar.maintenance.process_load import PROCESS
from sidecar.models.health import Component, Live, Ready

router = APIRouter(prefix="/health", tags=["health"], route_class=OperationRoute)

LONGEST_LAG_MS = 250.0
"""A loop that is held up longer than this makes a page stutter."""


@router.get("/live", operation_id="health.live", openapi_extra=depends_on())
async def live(context: InContext) -> Live:
    """Report that the sidecar is up, and its instance. Needs no token."""
    return Live(instance=context.instance, pid=os.getpid(), version=__version__)


@router.get(
    "/ready",
    operation_id="health.ready",
    response_model=Ready,
    responses={503: {"model": Ready, "description": "Degraded"}},
)
async def ready(context: InContext) -> Response:
    """Report the state and numbers of each component, with 503 when one fails. Show a failure to the user; a restart
    does not help.
    """
    storage = await context.storage.health()
    components = {
        **storage,
        **{name: _joined(component, storage.get(name)) for name, component in context.extensions().items()},
        **context.maintenance.health(),
        **context.jobs.health(),
        **context.place.health(),
        "event_loop": await _event_loop(context.storage.clock),
        "process": _process(context.storage.clock),
    }
    all_work = all(component.ok for component in components.values())
    state = Ready(status="ready" if all_work else "degraded", instance=context.instance, components=components)
    return Response(state.model_dump_json(), 200 if all_work else 503, media_type=JSON)


def _joined(component: Component, other: Component | None) -> Component:
    """Return the state of both: storage has a component of the same name for tables that no loaded extension uses."""
    if other is None:
        return component
    details = [part.detail for part in (component, other) if part.detail]
    measures = {**other.measures, **component.measures}
    return Component(ok=component.ok and other.ok, detail="; ".join(details), measures=measures)


async def _event_loop(clock: Clock) -> Component:
    started = clock.monotonic()
    await asyncio.sleep(0)
    lag_ms = (clock.monotonic() - started) * 1000
    in_time = lag_ms <= LONGEST_LAG_MS
    detail = None if in_time else "the event loop is held up"
    return Component(ok=in_time, detail=detail, measures={"lag_ms": round(lag_ms, 3)})


def _process(clock: Clock) -> Component:
    return Component(ok=True, measures=PROCESS.load(clock).measures())
