"""Monitoring: the tables `monitoring_token_usage`, `monitoring_stage_timing` and `monitoring_data_stats`.

Every report is one statement, which makes the row of its hour or adds to it. What is made of many rows is in
`monitoring_totals.py`.
"""

import sqlite3
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.monitoring import (
    DEFAULT_DAYS,
    DEFAULT_HOURS,
    MOST_DAYS,
    Cleanup,
    DatabaseLoad,
    DataStats,
    DataStatsPage,
    DataStatsTrend,
    MonitoringTotals,
    StageStatus,
    StageTiming,
    StageTimingPage,
    TokenUsage,
    TokenUsagePage,
)
from sidecar.models.timestamps import Moment
from sidecar.storage.sqlite import idempotency, monitoring_totals
from sidecar.storage.sqlite.health import load
from sidecar.storage.sqlite.listing import Order, Part, Where, require_range
from sidecar.storage.sqlite.monitoring_windows import ago, bucket, interval_bounds, window_start
from sidecar.storage.sqlite.table import Domain, R, Table
from sidecar.storage.sqlite.values import json_text, one_of, optional_time, require_order, required_time
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.lists import DEFAULT_LIMIT
from sidecar.storage.stores.monitoring import IMonitoringStore

T = TypeVar("T")

LATEST_FIRST = Order("time_bucket", newest_first=True)
LARGEST_PRUNING = 1_000
PRUNED_AT_ONCE = 200
"""Few enough that a write that waits for them is not held up noticeably."""
LONGEST_SHORT_HOURS = 31 * 24
"""What is made of more hours is read on a connection of its own, so that no other read waits for it."""

_ADD_TOKEN_USAGE = """
    INSERT INTO monitoring_token_usage
        (time_bucket, model, prompt_tokens, completion_tokens, total_tokens, created_at)
    VALUES (:time_bucket, :model, :prompt_tokens, :completion_tokens, :total_tokens, :created_at)
    ON CONFLICT (time_bucket, model) DO UPDATE SET
        prompt_tokens = prompt_tokens + excluded.prompt_tokens,
        completion_tokens = completion_tokens + excluded.completion_tokens,
        total_tokens = total_tokens + excluded.total_tokens
"""

_ADD_STAGE_TIMING = """
    INSERT INTO monitoring_stage_timing
        (time_bucket, stage_name, count, total_duration_ms, min_duration_ms, max_duration_ms, avg_duration_ms,
         success_count, error_count, metadata, created_at)
    VALUES
        (:time_bucket, :stage_name, 1, :duration_ms, :duration_ms, :duration_ms, :duration_ms,
         :success_count, :error_count, :metadata, :created_at)
    ON CONFLICT (time_bucket, stage_name) DO UPDATE SET
        count = count + 1,
        total_duration_ms = total_duration_ms + excluded.total_duration_ms,
        min_duration_ms = min(coalesce(min_duration_ms, excluded.min_duration_ms), excluded.min_duration_ms),
        max_duration_ms = max(coalesce(max_duration_ms, excluded.max_duration_ms), excluded.max_duration_ms),
        avg_duration_ms =
            CAST(round((total_duration_ms + excluded.total_duration_ms) / (count + 1.0)) AS INTEGER),
        success_count = success_count + excluded.success_count,
        error_count = error_count + excluded.error_count,
        metadata = coalesce(excluded.metadata, metadata)
"""

_ADD_DATA_STATS = """
    INSERT INTO monitoring_data_stats (time_bucket, data_type, count, context_type, metadata, created_at)
    VALUES (:time_bucket, :data_type, :count, :context_type, :metadata, :created_at)
    ON CONFLICT (time_bucket, data_type, coalesce(context_type, '')) DO UPDATE SET
        count = count + excluded.count,
        metadata = coalesce(excluded.metadata, metadata)
"""


class _Buckets(Table[R]):
    """Rows that hold one hour each, made and added to by the statement `upsert`."""

    def __init__(self, name: str, record: type[R], upsert: str, *, kind: str, topic: str) -> None:
        super().__init__(name, record, kind=kind, topic=topic)
        self._upsert = f"{upsert} RETURNING {self.columns}"

    def fields(self, row: sqlite3.Row) -> dict[str, Any]:
        return _with_average(super().fields(row))

    def readable_fields(self, row: sqlite3.Row) -> dict[str, Any]:
        return _with_average(super().readable_fields(row))

    def add(self, work: Work, values: Mapping[str, Any]) -> R:
        """The row of this hour, with the report in it."""
        now = work.now
        times = {"time_bucket": bucket(now), "created_at": now}
        row = work.connection.execute(self._upsert, {**values, **times}).fetchone()
        work.changed(self.topic, row["id"])
        return self.record(row)


TOKEN_USAGE = _Buckets(
    "monitoring_token_usage", TokenUsage, _ADD_TOKEN_USAGE, kind="hour of token usage", topic="monitoring.token_usage"
)
STAGE_TIMING = _Buckets(
    "monitoring_stage_timing",
    StageTiming,
    _ADD_STAGE_TIMING,
    kind="hour of stage timing",
    topic="monitoring.stage_timing",
)
DATA_STATS = _Buckets(
    "monitoring_data_stats", DataStats, _ADD_DATA_STATS, kind="hour of data stats", topic="monitoring.data_stats"
)
TABLES = (TOKEN_USAGE.name, STAGE_TIMING.name, DATA_STATS.name)


class MonitoringService:
    """The statements behind `Monitoring`; each method runs inside one unit of work or one query."""

    def save_token_usage(
        self, work: Work, model: str, prompt_tokens: int, completion_tokens: int, total_tokens: int
    ) -> TokenUsage:
        columns = {
            "model": model,
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": total_tokens,
        }
        return TOKEN_USAGE.add(work, columns)

    def save_stage_timing(
        self, work: Work, stage_name: str, duration_ms: int, status: StageStatus, metadata: str | None
    ) -> StageTiming:
        columns = {
            "stage_name": stage_name,
            "duration_ms": duration_ms,
            "success_count": int(status is StageStatus.SUCCESS),
            "error_count": int(status is StageStatus.ERROR),
            "metadata": metadata,
        }
        return STAGE_TIMING.add(work, columns)

    def save_data_stats(
        self, work: Work, data_type: str, count: int, context_type: str | None, metadata: str | None
    ) -> DataStats:
        columns = {"data_type": data_type, "count": count, "context_type": context_type, "metadata": metadata}
        return DATA_STATS.add(work, columns)

    def query_token_usage(self, connection: sqlite3.Connection, since: str, part: Part) -> TokenUsagePage:
        where = Where().that("time_bucket >= ?", since)
        return TOKEN_USAGE.page(connection, TokenUsagePage, where, LATEST_FIRST, part)

    def query_stage_timing(self, connection: sqlite3.Connection, since: str, part: Part) -> StageTimingPage:
        where = Where().that("time_bucket >= ?", since)
        return STAGE_TIMING.page(connection, StageTimingPage, where, LATEST_FIRST, part)

    def query_data_stats(self, connection: sqlite3.Connection, since: str, part: Part) -> DataStatsPage:
        where = Where().that("time_bucket >= ?", since)
        return DATA_STATS.page(connection, DataStatsPage, where, LATEST_FIRST, part)

    def query_data_stats_by_range(
        self, connection: sqlite3.Connection, start_time: Moment, end_time: Moment, part: Part
    ) -> DataStatsPage:
        where = Where().between("time_bucket", start_time, end_time)
        return DATA_STATS.page(connection, DataStatsPage, where, LATEST_FIRST, part)

    def query_data_stats_trend(self, connection: sqlite3.Connection, bounds: list[str]) -> DataStatsTrend:
        """`bounds` are the first interval's begin and each interval's end."""
        return monitoring_totals.trend(connection, bounds)

    def cleanup_old_data(self, work: Work, before: str, limit: int) -> int:
        """Remove at most `limit` rows whose hour began before `before`; returns how many."""
        deleted = 0
        for table in TABLES:
            deleted += work.connection.execute(
                f"""
                DELETE FROM {table} WHERE id IN
                    (SELECT id FROM {table} WHERE time_bucket < ? ORDER BY time_bucket LIMIT ?)
                """,
                (before, limit - deleted),
            ).rowcount
        return deleted

    def count_old_data(self, connection: sqlite3.Connection, before: str) -> int:
        """How many rows there are whose hour began before `before`."""
        counts = [f"(SELECT count(*) FROM {table} WHERE time_bucket < :before)" for table in TABLES]
        row = connection.execute(f"SELECT {' + '.join(counts)}", {"before": before}).fetchone()
        return int(row[0])


_SERVICE = MonitoringService()


class Monitoring(Domain, IMonitoringStore):
    async def save_monitoring_token_usage(
        self,
        model: str,
        prompt_tokens: int,
        completion_tokens: int,
        total_tokens: int | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> TokenUsage:
        total = prompt_tokens + completion_tokens if total_tokens is None else total_tokens
        return await self._database.write(
            lambda work: _SERVICE.save_token_usage(work, model, prompt_tokens, completion_tokens, total),
            key,
            TokenUsage,
        )

    async def save_monitoring_stage_timing(
        self,
        stage_name: str,
        duration_ms: int,
        status: str = StageStatus.SUCCESS,
        metadata: Mapping[str, Any] | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> StageTiming:
        ended = one_of(StageStatus, "status", status)
        text = _metadata_text(metadata)
        return await self._database.write(
            lambda work: _SERVICE.save_stage_timing(work, stage_name, duration_ms, ended, text), key, StageTiming
        )

    async def save_monitoring_data_stats(
        self,
        data_type: str,
        count: int = 1,
        context_type: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> DataStats:
        context = context_type or None
        text = _metadata_text(metadata)
        return await self._database.write(
            lambda work: _SERVICE.save_data_stats(work, data_type, count, context, text), key, DataStats
        )

    async def query_monitoring_token_usage(
        self,
        hours: int = DEFAULT_HOURS,
        time_zone: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> TokenUsagePage:
        since, part = window_start(self._now(), hours, time_zone), Part(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: _SERVICE.query_token_usage(connection, since, part))

    async def query_monitoring_stage_timing(
        self,
        hours: int = DEFAULT_HOURS,
        time_zone: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> StageTimingPage:
        since, part = window_start(self._now(), hours, time_zone), Part(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: _SERVICE.query_stage_timing(connection, since, part))

    async def query_monitoring_data_stats(
        self,
        hours: int = DEFAULT_HOURS,
        time_zone: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> DataStatsPage:
        since, part = window_start(self._now(), hours, time_zone), Part(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: _SERVICE.query_data_stats(connection, since, part))

    async def query_monitoring_data_stats_by_range(
        self,
        start_time: Moment,
        end_time: Moment,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> DataStatsPage:
        require_order(optional_time("start_time", start_time), optional_time("end_time", end_time))
        part = Part(limit, offset, cursor, with_total)
        return await self._database.read(
            lambda connection: _SERVICE.query_data_stats_by_range(connection, start_time, end_time, part)
        )

    async def query_monitoring_data_stats_trend(
        self, hours: int = DEFAULT_HOURS, interval_hours: int = 1, time_zone: str = "UTC"
    ) -> DataStatsTrend:
        bounds = interval_bounds(self._now(), hours, interval_hours, time_zone)
        return await self._read(hours, lambda connection: _SERVICE.query_data_stats_trend(connection, bounds))

    async def get_monitoring_totals(self, hours: int = DEFAULT_HOURS, time_zone: str | None = None) -> MonitoringTotals:
        since = window_start(self._now(), hours, time_zone)
        return await self._read(hours, lambda connection: monitoring_totals.totals(connection, since))

    async def get_database_load(self) -> DatabaseLoad:
        return load(self._database)

    async def cleanup_old_monitoring_data(
        self, days: int = DEFAULT_DAYS, *, key: IdempotencyKey | None = None
    ) -> Cleanup:
        require_range("days", days, 1, MOST_DAYS)
        before = bucket(ago(self._now(), timedelta(days=days)))

        def begin(work: Work) -> tuple[str, Cleanup, bool]:
            """Return the bound, the answer, and whether that is all: a repeated request finishes what it began."""
            done = None if key is None else idempotency.recall(work.connection, key)
            if done is not None:
                return before, idempotency.decode(done, Cleanup), True
            planned = None if key is None else idempotency.planned(work.connection, key)
            if planned is None:
                planned = [before, _SERVICE.count_old_data(work.connection, before)]
                if key is not None:
                    idempotency.plan(work.connection, key, planned, work.now)
            return planned[0], Cleanup(deleted=planned[1]), False

        until, cleanup, is_done = await self._database.write(begin)
        if not is_done:
            while await self.prune_monitoring(until, PRUNED_AT_ONCE):
                pass
            await self._database.write(lambda _: cleanup, key, Cleanup)
        return cleanup

    async def prune_monitoring(self, before: Moment, limit: int) -> int:
        require_range("limit", limit, 1, LARGEST_PRUNING)
        hour = bucket(required_time("before", before))
        return await self._database.write(lambda work: _SERVICE.cleanup_old_data(work, hour, limit))

    async def _read(self, hours: int, query: Callable[[sqlite3.Connection], T]) -> T:
        if hours > LONGEST_SHORT_HOURS:
            return await self._database.read_at_length(query)
        return await self._database.read(query)


def _metadata_text(metadata: Mapping[str, Any] | None) -> str | None:
    return None if metadata is None else json_text("metadata", metadata)


def _with_average(fields: dict[str, Any]) -> dict[str, Any]:
    """Replace the stored average, which is a whole number for other programs, by the exact one."""
    if "avg_duration_ms" in fields and fields["count"]:
        fields["avg_duration_ms"] = fields["total_duration_ms"] / fields["count"]
    return fields
