"""Monitoring: reports of what models, stages and data cost, and how the sidecar is doing."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, OperationRoute
from sidecar.api.topics import depends_on
from sidecar.maintenance.process_load import PROCESS
from sidecar.models.monitoring import (
    Cleanup,
    CleanupRequest,
    DataStats,
    DataStatsPage,
    DataStatsRangeQuery,
    DataStatsReport,
    DataStatsTrend,
    DataStatsTrendQuery,
    MonitoringOverview,
    MonitoringQuery,
    OverviewQuery,
    StageTiming,
    StageTimingPage,
    StageTimingReport,
    TokenUsage,
    TokenUsagePage,
    TokenUsageReport,
)

router = APIRouter(prefix="/monitoring", tags=["monitoring"], route_class=OperationRoute)


@router.post("/token-usage", operation_id="monitoring.save_token_usage", status_code=201)
async def save_token_usage(storage: Storage, body: TokenUsageReport, key: WriteKey) -> TokenUsage:
    """Add the tokens of one model call to the hour of that model."""
    return await storage.save_monitoring_token_usage(**body.explicit_fields(), key=key)


@router.get("/token-usage", operation_id="monitoring.token_usage", openapi_extra=depends_on("monitoring.token_usage"))
async def token_usage(storage: Storage, query: Annotated[MonitoringQuery, Query()]) -> TokenUsagePage:
    """List the hours of each model, the latest first."""
    return await storage.query_monitoring_token_usage(**query.explicit_fields())


@router.post("/stage-timings", operation_id="monitoring.save_stage_timing", status_code=201)
async def save_stage_timing(storage: Storage, body: StageTimingReport, key: WriteKey) -> StageTiming:
    """Add the duration and result of one run of a stage to the hour of that stage."""
    return await storage.save_monitoring_stage_timing(**body.explicit_fields(), key=key)


@router.get(
    "/stage-timings", operation_id="monitoring.stage_timings", openapi_extra=depends_on("monitoring.stage_timing")
)
async def stage_timings(storage: Storage, query: Annotated[MonitoringQuery, Query()]) -> StageTimingPage:
    """List the hours of each stage, the latest first."""
    return await storage.query_monitoring_stage_timing(**query.explicit_fields())


@router.post("/data-stats", operation_id="monitoring.save_data_stats", status_code=201)
async def save_data_stats(storage: Storage, body: DataStatsReport, key: WriteKey) -> DataStats:
    """Add a count of data to the hour of its type and context."""
    return await storage.save_monitoring_data_stats(**body.explicit_fields(), key=key)


@router.get("/data-stats", operation_id="monitoring.data_stats", openapi_extra=depends_on("monitoring.data_stats"))
async def data_stats(storage: Storage, query: Annotated[MonitoringQuery, Query()]) -> DataStatsPage:
    """List the hours of each type and context, the latest first."""
    return await storage.query_monitoring_data_stats(**query.explicit_fields())


@router.get(
    "/data-stats/range", operation_id="monitoring.data_stats_range", openapi_extra=depends_on("monitoring.data_stats")
)
async def data_stats_range(storage: Storage, query: Annotated[DataStatsRangeQuery, Query()]) -> DataStatsPage:
    """List the hours of each type and context that begin between two times, the latest first."""
    return await storage.query_monitoring_data_stats_by_range(**query.explicit_fields())


@router.get(
    "/data-stats/trend", operation_id="monitoring.data_stats_trend", openapi_extra=depends_on("monitoring.data_stats")
)
async def data_stats_trend(storage: Storage, query: Annotated[DataStatsTrendQuery, Query()]) -> DataStatsTrend:
    """Return the total of each interval by the caller's clock, for a chart."""
    return await storage.query_monitoring_data_stats_trend(**query.explicit_fields())


@router.post("/cleanup", operation_id="monitoring.cleanup", openapi_extra=RESTRICTED)
async def cleanup(storage: Storage, body: CleanupRequest, key: WriteKey) -> Cleanup:
    """Delete old measurements for good. A scheduled task does the same."""
    return await storage.cleanup_old_monitoring_data(**body.explicit_fields(), key=key)


@router.get(
    "/overview",
    operation_id="monitoring.overview",
    openapi_extra=depends_on("monitoring.token_usage", "monitoring.stage_timing", "monitoring.data_stats"),
)
async def overview(storage: Storage, query: Annotated[OverviewQuery, Query()]) -> MonitoringOverview:
    """Return totals, the largest entries, and the load of the database and the process."""
    totals = await storage.get_monitoring_totals(**query.explicit_fields())
    database = await storage.get_database_load()
    return MonitoringOverview(**dict(totals), database=database, process=PROCESS.load(storage.clock))
