"""A thorough look at the store and the place where it lies."""

from fastapi import APIRouter

from sidecar.api.context import Storage
from sidecar.api.operation import OperationRoute
from sidecar.models.doctor import DoctorReport

router = APIRouter(prefix="/doctor", tags=["doctor"], route_class=OperationRoute)


@router.get("", operation_id="doctor.report")
async def report(storage: Storage) -> DoctorReport:
    """Check the whole database and its directory for problems. It takes as long as reading the whole database."""
    from sidecar.maintenance.doctor import examine

    return await examine(storage)
