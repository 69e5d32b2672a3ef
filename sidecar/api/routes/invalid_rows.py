"""Invalid rows: rows in which other programs have stored values that cannot be read."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import OperationRoute
from sidecar.api.topics import depends_on
from sidecar.models.events import row_topics
from sidecar.models.invalid_rows import InvalidRowPage, InvalidRowsQuery, InvalidRowsRepair, InvalidRowsRepaired

router = APIRouter(prefix="/invalid-rows", tags=["invalid_rows"], route_class=OperationRoute)


@router.get("", operation_id="invalid_rows.list", openapi_extra=depends_on(*sorted(row_topics), "adoption"))
async def list_invalid_rows(storage: Storage, query: Annotated[InvalidRowsQuery, Query()]) -> InvalidRowPage:
    """List rows with values that cannot be read, as they are stored.

    Other operations answer with a safe value instead and name its field in `invalid`.
    """
    return await storage.get_invalid_rows(**query.explicit_fields())


@router.post("/repair", operation_id="invalid_rows.repair")
async def repair_invalid_rows(storage: Storage, body: InvalidRowsRepair, key: WriteKey) -> InvalidRowsRepaired:
    """Repair invalid rows, or set them aside. The originals are kept; `adoption.rows` lists them.

    A row that others belong to, such as a conversation with messages, can only be repaired: setting it aside is refused
    with 409.
    """
    return await storage.repair_invalid_rows(body.action, body.table, body.id, key=key)
