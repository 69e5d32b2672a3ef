"""Monitoring: what models, stages and data cost, in hours; and how the sidecar itself is doing.

A report is added to the bucket of its hour, in UTC. Reports, buckets and what is made of them are here.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from sidecar.models.base import ApiModel, Identifier, Page, PageQuery, Record, StoredRecord, Text
from sidecar.models.timestamps import Timestamp, TimestampInput

DEFAULT_HOURS = 24
MOST_HOURS = 366 * 24
DEFAULT_DAYS = 7
MOST_DAYS = 36_500
MOST_IN_REPORT = 10**10
"""One report counts no more than this, so that no bucket outgrows SQLite's integers: that takes 900 million of them."""
MAX_NAME = 200

Amount = Annotated[int, Field(ge=0, le=MOST_IN_REPORT, strict=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME, strict=True)]
Hours = Annotated[
    int, Field(ge=1, le=MOST_HOURS, description="Length of the window: it begins with the hour this long ago.")
]
OptionalName = Annotated[str, StringConstraints(max_length=MAX_NAME, strict=True)]
Zone = OptionalName


class StageStatus(StrEnum):
    """How a stage ended."""

    SUCCESS = "success"
    ERROR = "error"


class TokenUsage(StoredRecord):
    """One hour of one model."""

    id: Identifier
    time_bucket: Timestamp = Field(description="Start of the hour.")
    model: str
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    created_at: Timestamp


class StageTiming(StoredRecord):
    """One hour of one stage; durations are milliseconds."""

    id: Identifier
    time_bucket: Timestamp = Field(description="Start of the hour.")
    stage_name: str
    count: int
    total_duration_ms: int
    min_duration_ms: int | None
    max_duration_ms: int | None
    avg_duration_ms: float | None
    success_count: int
    error_count: int
    metadata: JsonValue = Field(description="Metadata of the last report that had any.")
    created_at: Timestamp


class DataStats(StoredRecord):
    """One hour of one type of data in one context. No context counts as a context."""

    id: Identifier
    time_bucket: Timestamp = Field(description="Start of the hour.")
    data_type: str
    count: int
    context_type: str | None
    metadata: JsonValue = Field(description="Metadata of the last report that had any.")
    created_at: Timestamp


class TokenUsagePage(Page[TokenUsage]):
    """Hours of models, the latest first."""


class StageTimingPage(Page[StageTiming]):
    """Hours of stages, the latest first."""


class DataStatsPage(Page[DataStats]):
    """Hours of data, the latest first."""


class TokenUsageReport(ApiModel):
    model: Name
    prompt_tokens: Amount
    completion_tokens: Amount
    total_tokens: Amount | None = Field(default=None, description="Number of tokens in all. Default: the sum of both.")


class StageTimingReport(ApiModel):
    stage_name: Name
    duration_ms: Amount
    status: StageStatus = StageStatus.SUCCESS
    metadata: dict[str, JsonValue] | None = None
    error: Text | None = Field(
        default=None, description="Text of the error of a run that failed. Its first 500 characters are counted."
    )


class DataStatsReport(ApiModel):
    data_type: Name
    count: Amount = 1
    context_type: OptionalName | None = None
    metadata: dict[str, JsonValue] | None = None


class MonitoringQuery(PageQuery):
    hours: Hours = DEFAULT_HOURS
    time_zone: Zone | None = Field(
        default=None,
        description="Time zone at whose midnight the window begins, such as `Europe/Berlin`, for whole days.",
    )


class DataStatsRangeQuery(PageQuery):
    start_time: TimestampInput = Field(description="Only hours that begin at or after this time.")
    end_time: TimestampInput = Field(description="Only hours that begin before this time.")


class DataStatsTrendQuery(ApiModel):
    hours: Hours = DEFAULT_HOURS
    interval_hours: int = Field(
        default=1,
        ge=1,
        le=MOST_HOURS,
        description="Length of an interval: 1 to 24 hours, or whole days. At most 1000 intervals are returned.",
    )
    time_zone: Zone = Field(
        default="UTC", description="Time zone at whose midnight intervals begin, such as `Europe/Berlin`."
    )


class DataCount(Record):
    data_type: str
    context_type: str | None
    count: int


class DataStatsInterval(Record):
    """The reports from `start_time` to before `end_time`."""

    start_time: Timestamp
    end_time: Timestamp
    count: int | None = Field(
        description="Sum of the reports. 0 without reports; null if the interval ended before the oldest stored report."
    )
    data: list[DataCount] = Field(description="Totals by type and context.")


class DataStatsTrend(Record):
    """Every interval of the window, the oldest first; the last one is not over yet.

    An hour belongs to the interval in which it begins, in zones that are not whole hours from UTC.
    """

    intervals: list[DataStatsInterval]


class CleanupRequest(ApiModel):
    days: int = Field(
        default=DEFAULT_DAYS, ge=1, le=MOST_DAYS, description="Age in days from which hours and runs are deleted."
    )


class Cleanup(Record):
    deleted: int = Field(description="Number of deleted hours and runs.")


class OverviewQuery(ApiModel):
    hours: Hours = DEFAULT_HOURS
    time_zone: Zone | None = Field(
        default=None,
        description="Time zone at whose midnight the window begins, such as `Europe/Berlin`, for whole days.",
    )


class ModelTotals(Record):
    model: str
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class StageTotals(Record):
    stage_name: str
    count: int
    avg_duration_ms: float
    min_duration_ms: int | None
    max_duration_ms: int | None
    error_count: int
    error_rate: float = Field(description="From 0 to 1.")


class TokenTotals(Record):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    models: list[ModelTotals] = Field(description="Models with the highest use.")


class StagesTotals(Record):
    count: int
    error_count: int
    error_rate: float = Field(description="From 0 to 1; 0 when nothing ran.")
    slowest: list[StageTotals] = Field(description="Stages with the longest average duration.")
    failing: list[StageTotals] = Field(description="Stages with errors, the highest rate first.")


class DataTotals(Record):
    count: int
    largest: list[DataCount]


class MonitoringTotals(Record):
    """The totals of the reports in a window. Lists hold the first 20."""

    since: Timestamp
    tokens: TokenTotals
    stages: StagesTotals
    data: DataTotals


class DatabaseLoad(Record):
    """The load of the database. Times are of the latest 512 commits that changed something."""

    waiting: int = Field(description="Number of units of work that wait for a commit.")
    commit_median_ms: float | None
    commit_p95_ms: float | None
    write_ahead_log_bytes: int | None = Field(
        description="Size of the write-ahead log in bytes. Null for a database in memory."
    )


class ProcessLoad(Record):
    """The sidecar's own process."""

    cpu_percent: float = Field(
        description="Percent of one core since the previous sample, which is at least a second old."
    )
    cpu_seconds: float
    memory_bytes: int
    threads: int
    open_files: int = Field(description="Number of open files, sockets included; on Windows, of handles.")
    uptime_s: float

    def measures(self) -> dict[str, Any]:
        """The same as a component of the health check gives it."""
        return {name: float(value) for name, value in self.model_dump().items()}


class MonitoringOverview(MonitoringTotals):
    """The reports of a window and the load of the sidecar."""

    database: DatabaseLoad
    process: ProcessLoad
