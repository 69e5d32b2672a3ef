"""Activities."""

from typing import Annotated

from sidecar.api.arguments import Query
from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import Router
from sidecar.models.activities import (
    Activity,
    ActivityBatch,
    ActivityCounts,
    ActivityCountsQuery,
    ActivityCreate,
    ActivityPage,
    ActivityQuery,
    LatestActivity,
)
from sidecar.models.base import Identifier, RowsMade

router = Router("activities", prefix="/activities")


@router.post("", operation_id="activities.create", status_code=201)
async def create(storage: Storage, body: ActivityCreate, key: WriteKey) -> Activity:
    """Record an activity."""
    return await storage.insert_activity(**vars(body), key=key)


@router.post("/batch", operation_id="activities.create_batch", status_code=201)
async def create_batch(storage: Storage, body: ActivityBatch, key: WriteKey) -> RowsMade:
    """Record all of these activities or none."""
    return RowsMade(ids=await storage.batch_insert_activities(body.activities, key=key))


@router.get("", operation_id="activities.list")
async def find(storage: Storage, query: Annotated[ActivityQuery, Query()]) -> ActivityPage:
    """Activities, the latest start first."""
    return await storage.get_activities(**query.given())


@router.get("/latest", operation_id="activities.latest")
async def latest(storage: Storage) -> LatestActivity:
    """The activity that began last."""
    return LatestActivity(activity=await storage.get_latest_activity())


@router.get("/counts", operation_id="activities.counts")
async def counts(storage: Storage, query: Annotated[ActivityCountsQuery, Query()]) -> ActivityCounts:
    """How many activities began on each day: a heat map."""
    return ActivityCounts(days=list(await storage.get_activity_counts(**query.given())))


@router.get("/{activity_id}", operation_id="activities.get")
async def get(storage: Storage, activity_id: Identifier) -> Activity:
    """One activity."""
    return await storage.get_activity(activity_id)
