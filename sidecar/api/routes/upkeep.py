"""Upkeep: what is done in the background, and doing it now."""

from fastapi import APIRouter

from sidecar.api.context import InContext, WriteKey
from sidecar.api.operation import RESTRICTED, OperationRoute, problems
from sidecar.models.upkeep import UpkeepRun, UpkeepRunRequest, UpkeepTasks

router = APIRouter(prefix="/upkeep", tags=["upkeep"], route_class=OperationRoute)


@router.get("", operation_id="upkeep.list")
async def list_tasks(context: InContext) -> UpkeepTasks:
    """List every maintenance task, with the time when it is due and the result of its last run."""
    return context.maintenance.tasks()


@router.post("/run", operation_id="upkeep.run", openapi_extra=RESTRICTED | problems(404))
async def run(context: InContext, body: UpkeepRunRequest, key: WriteKey) -> UpkeepRun:  # noqa: ARG001
    """Run a maintenance task now and return its result.

    Retrying with the same key runs the task again, which is harmless.
    """
    return await context.maintenance.run(body.task)
