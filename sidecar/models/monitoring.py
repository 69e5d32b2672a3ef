"""Monitoring: what models, stages and data cost, in hours; and how the sidecar itself is doing.

A report is added to the bucket of its hour, in UTC. Reports, buckets and what is made of them are here.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from sidecar.models.base import Identifier, Page, PageQuery, Record, StoredRecord, Wire
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
Hours = Annotated[int, Field(ge=1, le=MOST_HOURS, description="How far back to look: from the hour this long ago.")]
OptionalName = Annotated[str, StringConstraints(max_length=MAX_NAME, strict=True)]
Zone = OptionalName


class StageStatus(StrEnum):
    """How a stage ended."""

    SUCCESS = "success"
    ERROR = "error"


class TokenUsage(StoredRecord):
    """One hour of one model."""

    id: Identifier
    time_bucket: Timestamp = Field(description="When the hour began.")
    model: str
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    created_at: Timestamp


class StageTiming(StoredRecord):
    """One hour of one stage; durations are milliseconds."""

    id: Identifier
    time_bucket: Timestamp = Field(description="When the hour began.")
    stage_name: str
    count: int
    total_duration_ms: int
    min_duration_ms: int | None
    max_duration_ms: int | None
    avg_duration_ms: float | None
    success_count: int
    error_count: int
    metadata: JsonValue = Field(description="That of the last report that had any.")
    created_at: Timestamp


class DataStats(StoredRecord):
    """One hour of one type of data in one context; no context is one too."""

    id: Identifier
    time_bucket: Timestamp = Field(description="When the hour began.")
    data_type: str
    count: int
    context_type: str | None
    metadata: JsonValue = Field(description="That of the last report that had any.")
    created_at: Timestamp


class TokenUsagePage(Page[TokenUsage]):
    """Hours of models, the latest first."""


class StageTimingPage(Page[StageTiming]):
    """Hours of stages, the latest first."""


class DataStatsPage(Page[DataStats]):
    """Hours of data, the latest first."""


class TokenUsageReport(Wire):
    model: Name
    prompt_tokens: Amount
    completion_tokens: Amount
    total_tokens: Amount | None = Field(default=None, description="The sum of both, if left out.")


class StageTimingReport(Wire):
    stage_name: Name
    duration_ms: Amount
    status: StageStatus = StageStatus.SUCCESS
    metadata: dict[str, JsonValue] | None = None


class DataStatsReport(Wire):
    data_type: Name
    count: Amount = 1
    context_type: OptionalName | None = None
    metadata: dict[str, JsonValue] | None = None


class MonitoringQuery(PageQuery):
    hours: Hours = DEFAULT_HOURS
    time_zone: Zone | None = Field(
        default=None, description="Begin at this zone's midnight, e.g. of `Europe/Berlin`, so that the days are whole."
    )


class DataStatsRangeQuery(PageQuery):
    start_time: TimestampInput = Field(description="Only hours that begin at or after it.")
    end_time: TimestampInput = Field(description="Only hours that begin before it.")


class DataStatsTrendQuery(Wire):
    hours: Hours = DEFAULT_HOURS
    interval_hours: int = Field(
        default=1, ge=1, le=MOST_HOURS, description="From 1 to 24, or whole days; at most 1000 intervals are given."
    )
    time_zone: Zone = Field(default="UTC", description="Whose midnight intervals begin at, e.g. `Europe/Berlin`.")


class DataCount(Record):
    data_type: str
    context_type: str | None
    count: int


class DataStatsInterval(Record):
    """What was reported from `start_time` to before `end_time`."""

    start_time: Timestamp
    end_time: Timestamp
    count: int | None = Field(
        description="0 when nothing was reported; null when it ended before the oldest report that is still stored."
    )
    data: list[DataCount] = Field(description="By type and context, in their order.")


class DataStatsTrend(Record):
    """Every interval of the window, the oldest first; the last one is not over yet.

    An hour belongs to the interval in which it begins, in zones that are not whole hours from UTC.
    """

    intervals: list[DataStatsInterval]


class CleanupRequest(Wire):
    days: int = Field(default=DEFAULT_DAYS, ge=1, le=MOST_DAYS, description="Hours that began longer ago are removed.")


class Cleanup(Record):
    deleted: int = Field(description="How many buckets were removed.")


class OverviewQuery(Wire):
    hours: Hours = DEFAULT_HOURS
    time_zone: Zone | None = Field(
        default=None, description="Begin at this zone's midnight, e.g. of `Europe/Berlin`, so that the days are whole."
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
    models: list[ModelTotals] = Field(description="Those that used most.")


class StagesTotals(Record):
    count: int
    error_count: int
    error_rate: float = Field(description="From 0 to 1; 0 when nothing ran.")
    slowest: list[StageTotals] = Field(description="By their average.")
    failing: list[StageTotals] = Field(description="Those with errors, by their rate.")


class DataTotals(Record):
    count: int
    largest: list[DataCount]


class MonitoringTotals(Record):
    """What was reported in a window; lists hold the first 20."""

    since: Timestamp
    tokens: TokenTotals
    stages: StagesTotals
    data: DataTotals


class DatabaseLoad(Record):
    """How busy the database is; commits are the latest 512 that changed something."""

    waiting: int = Field(description="Units of work that no commit has taken up yet.")
    commit_median_ms: float | None
    commit_p95_ms: float | None
    write_ahead_log_bytes: int | None = Field(description="null for a database in memory.")


class ProcessLoad(Record):
    """The sidecar's own process."""

    cpu_percent: float = Field(description="Of one core, since the last look at least a second ago.")
    cpu_seconds: float
    memory_bytes: int
    threads: int
    open_files: int = Field(description="Sockets included; on Windows, handles.")
    uptime_s: float

    def measures(self) -> dict[str, Any]:
        """The same as a component of the health check gives it."""
        return {name: float(value) for name, value in self.model_dump().items()}


class MonitoringOverview(MonitoringTotals):
    """What was reported, and how the sidecar is doing."""

    database: DatabaseLoad
    process: ProcessLoad
