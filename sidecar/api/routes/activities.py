"""Activities."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import OperationRoute
from sidecar.models.activities import (
    Activity,
    ActivityBatch,
    ActivityCounts,
    ActivityCountsQuery,
    ActivityCreate,
    ActivityPage,
    ActivityQuery,
    ActivityUpdate,
    LatestActivity,
)
from sidecar.models.base import RowsMade, UrlIdentifier

router = APIRouter(prefix="/activities", tags=["activities"], route_class=OperationRoute)


@router.post("", operation_id="activities.create", status_code=201)
async def create(storage: Storage, body: ActivityCreate, key: WriteKey) -> Activity:
    """Create an activity."""
    return await storage.insert_activity(**vars(body), key=key)


@router.post("/batch", operation_id="activities.create_batch", status_code=201)
async def create_batch(storage: Storage, body: ActivityBatch, key: WriteKey) -> RowsMade:
    """Create all of these activities or none."""
    return RowsMade(ids=await storage.batch_insert_activities(body.activities, key=key))


@router.get("", operation_id="activities.list")
async def list_activities(storage: Storage, query: Annotated[ActivityQuery, Query()]) -> ActivityPage:
    """List the activities of a window of time, the latest start first, or the earliest first."""
    return await storage.get_activities(**query.explicit_fields())


@router.get("/latest", operation_id="activities.latest")
async def latest(storage: Storage) -> LatestActivity:
    """Return the activity with the latest start."""
    return LatestActivity(activity=await storage.get_latest_activity())


@router.get("/counts", operation_id="activities.counts")
async def counts(storage: Storage, query: Annotated[ActivityCountsQuery, Query()]) -> ActivityCounts:
    """Count the activities of each day by their start, for example for a heat map."""
    return ActivityCounts(days=list(await storage.get_activity_counts(**query.explicit_fields())))


@router.get("/{activity_id}", operation_id="activities.get")
async def get(storage: Storage, activity_id: UrlIdentifier) -> Activity:
    """Return an activity."""
    return await storage.get_activity(activity_id)


@router.patch("/{activity_id}", operation_id="activities.update")
async def update(storage: Storage, activity_id: UrlIdentifier, body: ActivityUpdate, key: WriteKey) -> Activity:
    """Update some fields of an activity."""
    return await storage.update_activity(activity_id, **body.explicit_fields(), key=key)


@router.delete("/{activity_id}", operation_id="activities.delete", status_code=204)
async def delete(storage: Storage, activity_id: UrlIdentifier, key: WriteKey) -> None:
    """Delete an activity."""
    await storage.delete_activity(activity_id, key=key)
