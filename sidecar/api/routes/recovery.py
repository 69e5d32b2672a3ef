"""Operations on the reports of recoveries."""

from fastapi import APIRouter

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import OperationRoute
from sidecar.models.recovery import RecoveryReports

router = APIRouter(prefix="/recovery", tags=["recovery"], route_class=OperationRoute)


@router.get("", operation_id="recovery.list")
async def list_recoveries(storage: Storage) -> RecoveryReports:
    """List every recovery with a kept report, the newest first."""
    return await storage.get_recoveries()


@router.post("/acknowledge", operation_id="recovery.acknowledge")
async def acknowledge(storage: Storage, key: WriteKey) -> RecoveryReports:  # noqa: ARG001 - again is as good as once
    """Acknowledge all reports: the health check stops reporting them."""
    return await storage.acknowledge_recoveries()
