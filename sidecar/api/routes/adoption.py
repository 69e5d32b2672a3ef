"""Adoptions of other systems' databases, and rows that were set aside."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import OperationRoute
from sidecar.models.adoption import AdoptionOverview, RowRestore, RowRestored, RowSetAsidePage, RowSetAsideQuery
from sidecar.models.base import UrlIdentifier

router = APIRouter(prefix="/adoption", tags=["adoption"], route_class=OperationRoute)


@router.get("", operation_id="adoption.report")
async def report(storage: Storage) -> AdoptionOverview:
    """Return every adoption with its report, and the number of rows set aside."""
    return await storage.get_adoptions()


@router.get("/rows", operation_id="adoption.rows")
async def list_rows(storage: Storage, query: Annotated[RowSetAsideQuery, Query()]) -> RowSetAsidePage:
    """List rows that were set aside by an adoption, a recovery, an import or a repair, with the reasons."""
    return await storage.get_rows_set_aside(**query.explicit_fields())


@router.post("/rows/{row_id}/restore", operation_id="adoption.restore")
async def restore(storage: Storage, row_id: UrlIdentifier, body: RowRestore, key: WriteKey) -> RowRestored:
    """Restore a row to its table and return its place.

    A missing row that it belongs to is restored or created as well. A value that does not fit is refused with 422,
    which names the column; send another value in `values`.
    """
    return await storage.restore_row_set_aside(row_id, body.values, key=key)


@router.post("/acknowledge", operation_id="adoption.acknowledge")
async def acknowledge(storage: Storage, key: WriteKey) -> AdoptionOverview:
    """Acknowledge all rows set aside: the health check stops reporting them."""
    return await storage.acknowledge_rows_set_aside(key=key)
