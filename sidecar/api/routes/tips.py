"""Tips."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import OperationRoute
from sidecar.models.base import RowsMade, UrlIdentifier
from sidecar.models.tips import Tip, TipBatch, TipCreate, TipPage, TipQuery, TipUpdate

router = APIRouter(prefix="/tips", tags=["tips"], route_class=OperationRoute)


@router.post("", operation_id="tips.create", status_code=201)
async def create(storage: Storage, body: TipCreate, key: WriteKey) -> Tip:
    """Create a tip."""
    return await storage.insert_tip(**vars(body), key=key)


@router.post("/batch", operation_id="tips.create_batch", status_code=201)
async def create_batch(storage: Storage, body: TipBatch, key: WriteKey) -> RowsMade:
    """Create all of these tips or none."""
    return RowsMade(ids=await storage.batch_insert_tips(body.tips, key=key))


@router.get("", operation_id="tips.list")
async def list_tips(storage: Storage, query: Annotated[TipQuery, Query()]) -> TipPage:
    """List tips, the newest first."""
    return await storage.get_tips(**query.explicit_fields())


@router.get("/{tip_id}", operation_id="tips.get")
async def get(storage: Storage, tip_id: UrlIdentifier) -> Tip:
    """Return a tip."""
    return await storage.get_tip(tip_id)


@router.patch("/{tip_id}", operation_id="tips.update")
async def update(storage: Storage, tip_id: UrlIdentifier, body: TipUpdate, key: WriteKey) -> Tip:
    """Update a tip."""
    return await storage.update_tip(tip_id, **body.explicit_fields(), key=key)


@router.delete("/{tip_id}", operation_id="tips.delete", status_code=204)
async def delete(storage: Storage, tip_id: UrlIdentifier, key: WriteKey) -> None:
    """Delete a tip."""
    await storage.delete_tip(tip_id, key=key)
