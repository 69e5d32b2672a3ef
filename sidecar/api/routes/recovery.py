"""What happened to a damaged database, until somebody has taken note of it."""

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import Router
from sidecar.models.recovery import RecoveryReports

router = Router("recovery", prefix="/recovery")


@router.get("", operation_id="recovery.list")
async def find(storage: Storage) -> RecoveryReports:
    """Every recovery of which a report is kept, the newest first."""
    return await storage.get_recoveries()


@router.post("/acknowledge", operation_id="recovery.acknowledge")
async def acknowledge(storage: Storage, key: WriteKey) -> RecoveryReports:  # noqa: ARG001 - again is as good as once
    """Take note of all reports: the health check no longer tells of them."""
    return await storage.acknowledge_recoveries()
