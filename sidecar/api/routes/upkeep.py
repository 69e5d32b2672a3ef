"""Upkeep: what is done in the background, and doing it now."""

from sidecar.api.context import InContext, WriteKey
from sidecar.api.operation import RESTRICTED, Router
from sidecar.models.upkeep import UpkeepRun, UpkeepRunRequest, UpkeepTasks

router = Router("upkeep", prefix="/upkeep")


@router.get("", operation_id="upkeep.list")
async def find(context: InContext) -> UpkeepTasks:
    """Every task, when it is due and how its last run went."""
    return context.upkeep.tasks()


@router.post("/run", operation_id="upkeep.run", openapi_extra=RESTRICTED)
async def run(context: InContext, body: UpkeepRunRequest, key: WriteKey) -> UpkeepRun:  # noqa: ARG001
    """Run a task now and tell what came of it.

    What is done twice is not done wrong: a request that is sent again with its key runs the task again.
    """
    return await context.upkeep.run(body.task)
