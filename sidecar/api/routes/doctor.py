"""A thorough look at the store and the place where it lies."""

from sidecar.api.context import Storage
from sidecar.api.operation import Router
from sidecar.models.doctor import DoctorReport

router = Router("doctor", prefix="/doctor")


@router.get("", operation_id="doctor.report")
async def report(storage: Storage) -> DoctorReport:
    """What goes wrong in practice, looked for: takes as long as reading the whole database."""
    from sidecar.upkeep.doctor import examine

    return await examine(storage)
