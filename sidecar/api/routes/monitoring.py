"""Monitoring: reports of what models, stages and data cost, and how the sidecar is doing."""

from typing import Annotated

from sidecar.api.arguments import Query
from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, Router
from sidecar.api.process_load import PROCESS
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

router = Router("monitoring", prefix="/monitoring")


@router.post("/token-usage", operation_id="monitoring.save_token_usage", status_code=201)
async def save_token_usage(storage: Storage, body: TokenUsageReport, key: WriteKey) -> TokenUsage:
    """Report what one call of a model used; it is added to the model's hour."""
    return await storage.save_monitoring_token_usage(**body.given(), key=key)


@router.get("/token-usage", operation_id="monitoring.token_usage")
async def token_usage(storage: Storage, query: Annotated[MonitoringQuery, Query()]) -> TokenUsagePage:
    """Each model's hours, the latest first."""
    return await storage.query_monitoring_token_usage(**query.given())


@router.post("/stage-timings", operation_id="monitoring.save_stage_timing", status_code=201)
async def save_stage_timing(storage: Storage, body: StageTimingReport, key: WriteKey) -> StageTiming:
    """Report how long one run of a stage took and how it ended; it is added to the stage's hour."""
    return await storage.save_monitoring_stage_timing(**body.given(), key=key)


@router.get("/stage-timings", operation_id="monitoring.stage_timings")
async def stage_timings(storage: Storage, query: Annotated[MonitoringQuery, Query()]) -> StageTimingPage:
    """Each stage's hours, the latest first."""
    return await storage.query_monitoring_stage_timing(**query.given())


@router.post("/data-stats", operation_id="monitoring.save_data_stats", status_code=201)
async def save_data_stats(storage: Storage, body: DataStatsReport, key: WriteKey) -> DataStats:
    """Report how much of a type of data there was; it is added to the hour of its type and context."""
    return await storage.save_monitoring_data_stats(**body.given(), key=key)


@router.get("/data-stats", operation_id="monitoring.data_stats")
async def data_stats(storage: Storage, query: Annotated[MonitoringQuery, Query()]) -> DataStatsPage:
    """The hours of each type and context, the latest first."""
    return await storage.query_monitoring_data_stats(**query.given())


@router.get("/data-stats/range", operation_id="monitoring.data_stats_range")
async def data_stats_range(storage: Storage, query: Annotated[DataStatsRangeQuery, Query()]) -> DataStatsPage:
    """The hours of each type and context that begin between two times, the latest first."""
    return await storage.query_monitoring_data_stats_by_range(**query.given())


@router.get("/data-stats/trend", operation_id="monitoring.data_stats_trend")
async def data_stats_trend(storage: Storage, query: Annotated[DataStatsTrendQuery, Query()]) -> DataStatsTrend:
    """What was reported in each interval, by a clock of the caller's choice: a chart."""
    return await storage.query_monitoring_data_stats_trend(**query.given())


@router.post("/cleanup", operation_id="monitoring.cleanup", openapi_extra=RESTRICTED)
async def cleanup(storage: Storage, body: CleanupRequest, key: WriteKey) -> Cleanup:
    """Remove what was reported long ago, for good; this also happens by itself."""
    return await storage.cleanup_old_monitoring_data(**body.given(), key=key)


@router.get("/overview", operation_id="monitoring.overview")
async def overview(storage: Storage, query: Annotated[OverviewQuery, Query()]) -> MonitoringOverview:
    """What was reported in all, what stands out, and how busy the database and the process are."""
    totals = await storage.get_monitoring_totals(**query.given())
    database = await storage.get_database_load()
    return MonitoringOverview(**dict(totals), database=database, process=PROCESS.load(storage.clock))
