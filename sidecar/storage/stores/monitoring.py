"""The store of monitoring data: reports, added up by the hour."""

from abc import ABC, abstractmethod

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.monitoring import (
    DEFAULT_DAYS,
    DEFAULT_HOURS,
    Amount,
    Cleanup,
    DatabaseLoad,
    DataStats,
    DataStatsPage,
    DataStatsTrend,
    MonitoringTotals,
    Name,
    OptionalName,
    StageStatus,
    StageTiming,
    StageTimingPage,
    TokenUsage,
    TokenUsagePage,
    Zone,
)
from sidecar.models.timestamps import TimestampInput
from sidecar.storage.stores.arguments import JsonObject
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class IMonitoringStore(ABC):
    """Reports, added to the bucket of the hour in which they are made, in UTC.

    Names have from 1 to 200 characters, numbers go from 0 to 10,000,000,000, hours from 1 to 8,784; everything else
    raises `InvalidInput`. A window of `hours` begins with the hour this long ago, or, given a `time_zone`, at the
    midnight before it there.
    """

    @abstractmethod
    async def save_monitoring_token_usage(
        self,
        model: Name,
        prompt_tokens: Amount,
        completion_tokens: Amount,
        total_tokens: Amount | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> TokenUsage:
        """Add to the model's hour, which is returned; the total is the sum of both unless it is given."""

    @abstractmethod
    async def save_monitoring_stage_timing(
        self,
        stage_name: Name,
        duration_ms: Amount,
        status: str = StageStatus.SUCCESS,
        metadata: JsonObject | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> StageTiming:
        """Add one run to the stage's hour, which is returned; `metadata` replaces that of the hour."""

    @abstractmethod
    async def save_monitoring_data_stats(
        self,
        data_type: Name,
        count: Amount = 1,
        context_type: OptionalName | None = None,
        metadata: JsonObject | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> DataStats:
        """Add to the hour of this type and context, which is returned; an empty `context_type` is none."""

    @abstractmethod
    async def query_monitoring_token_usage(
        self,
        hours: int = DEFAULT_HOURS,
        time_zone: Zone | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> TokenUsagePage:
        """Each model's hours, the latest first."""

    @abstractmethod
    async def query_monitoring_stage_timing(
        self,
        hours: int = DEFAULT_HOURS,
        time_zone: Zone | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> StageTimingPage:
        """Each stage's hours, the latest first."""

    @abstractmethod
    async def query_monitoring_data_stats(
        self,
        hours: int = DEFAULT_HOURS,
        time_zone: Zone | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> DataStatsPage:
        """The hours of each type and context, the latest first."""

    @abstractmethod
    async def query_monitoring_data_stats_by_range(
        self,
        start_time: TimestampInput,
        end_time: TimestampInput,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> DataStatsPage:
        """The hours that begin from `start_time` to before `end_time`, the latest first."""

    @abstractmethod
    async def query_monitoring_data_stats_trend(
        self, hours: int = DEFAULT_HOURS, interval_hours: int = 1, time_zone: Zone = "UTC"
    ) -> DataStatsTrend:
        """Every interval that the window touches, the oldest first.

        Intervals of up to 24 hours begin anew at each midnight in `time_zone`, by its clock; longer ones are whole
        days, those of 7 from Monday. Raises `InvalidInput` for others, and for more than 1000 intervals.
        """

    @abstractmethod
    async def get_monitoring_totals(
        self, hours: int = DEFAULT_HOURS, time_zone: Zone | None = None
    ) -> MonitoringTotals:
        """What was reported in all, and the models, stages and types of data that stand out."""

    @abstractmethod
    async def get_database_load(self) -> DatabaseLoad:
        """How busy the database is."""

    @abstractmethod
    async def cleanup_old_monitoring_data(
        self, days: int = DEFAULT_DAYS, *, key: IdempotencyKey | None = None
    ) -> Cleanup:
        """Remove the hours that were over this many days ago, a few at a time; returns how many."""

    @abstractmethod
    async def prune_monitoring(self, before: TimestampInput, limit: int) -> int:
        """Remove at most `limit` hours, from 1 to 1,000, that were over by then, the oldest first; returns how many."""
