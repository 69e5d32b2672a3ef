"""Counts of every kind of row by day."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage
from sidecar.api.operation import OperationRoute
from sidecar.api.topics import depends_on
from sidecar.models.daily_counts import DailyCounts, DailyCountsQuery

router = APIRouter(prefix="/daily-counts", tags=["daily_counts"], route_class=OperationRoute)


@router.get(
    "",
    operation_id="daily_counts.list",
    openapi_extra=depends_on("todos", "conversations", "vaults", "activities", "contexts"),
)
async def list_daily_counts(storage: Storage, query: Annotated[DailyCountsQuery, Query()]) -> DailyCounts:
    """Count completed todos, conversations, documents, activities and contexts of each day, for a heat map."""
    return DailyCounts(days=list(await storage.get_daily_counts(**query.explicit_fields())))
