"""Whether the sidecar is up (`live`), and whether each of its parts works (`ready`)."""

import asyncio
import os

from starlette.responses import Response

from sidecar import __version__
from sidecar.api.arguments import JSON
from sidecar.api.context import InContext
from sidecar.api.operation import Router
from sidecar.api.process_load import PROCESS
from sidecar.clock import Clock
from sidecar.models.health import Component, Live, Ready

router = Router("health", prefix="/health")

LONGEST_LAG_MS = 250.0
"""A loop that is held up longer than this makes a page stutter."""


@router.get("/live", operation_id="health.live")
async def live(context: InContext) -> Live:
    """Up, and which instance. Needs no token."""
    return Live(instance=context.instance, pid=os.getpid(), version=__version__)


@router.get(
    "/ready",
    operation_id="health.ready",
    response_model=Ready,
    responses={503: {"model": Ready, "description": "Degraded"}},
)
async def ready(context: InContext) -> Response:
    """Each part's state and numbers; 503 when one does not work. A reason to tell the user, not one to restart."""
    components = {
        **await context.storage.health(),
        **context.upkeep.health(),
        **context.place.health(),
        "event_loop": await _event_loop(context.storage.clock),
        "process": _process(context.storage.clock),
    }
    all_work = all(component.ok for component in components.values())
    state = Ready(status="ready" if all_work else "degraded", instance=context.instance, components=components)
    return Response(state.model_dump_json(), 200 if all_work else 503, media_type=JSON)


async def _event_loop(clock: Clock) -> Component:
    started = clock.monotonic()
    await asyncio.sleep(0)
    lag_ms = (clock.monotonic() - started) * 1000
    in_time = lag_ms <= LONGEST_LAG_MS
    detail = None if in_time else "the event loop is held up"
    return Component(ok=in_time, detail=detail, measures={"lag_ms": round(lag_ms, 3)})


def _process(clock: Clock) -> Component:
    return Component(ok=True, measures=PROCESS.load(clock).measures())
