"""Monitoring: the tables `monitoring_token_usage`, `monitoring_stage_timing` and `monitoring_data_stats`.

Every report is one statement, which makes the row of its hour or adds to it, and one that counts it in the session.
What is made of many rows is in `monitoring_totals.py`, errors and runs are in `monitoring_runs.py`.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from sidecar.errors import InvalidInput
from sidecar.models.base import Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.monitoring import (
    DEFAULT_DAYS,
    DEFAULT_HOURS,
    MOST_DAYS,
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
from sidecar.models.timestamps import Moment, TimestampInput
from sidecar.storage.arguments import DEFAULT_LIMIT, JsonObject
from sidecar.storage.interfaces import Connection, Dialect, Work
from sidecar.storage.resources import monitoring_session, monitoring_totals
from sidecar.storage.resources.monitoring_runs import ERRORS, RUNS, count_error
from sidecar.storage.resources.monitoring_tables import DATA_STATS, STAGE_TIMING, TOKEN_USAGE
from sidecar.storage.resources.monitoring_windows import LONGEST_SHORT_HOURS, ago, bucket, interval_bounds, window_start
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, require_range
from sidecar.storage.resources.rows.table import Resource
from sidecar.storage.resources.rows.validation import json_text, one_of, optional_time, require_order, required_time

T = TypeVar("T")

LATEST_FIRST = Order("time_bucket", newest_first=True)
LARGEST_PRUNING = 1_000
PRUNED_AT_ONCE = 200
"""Few enough that a write that waits for them is not held up noticeably."""

TIMES = {
    **dict.fromkeys((TOKEN_USAGE.name, STAGE_TIMING.name, DATA_STATS.name, ERRORS.name), "time_bucket"),
    RUNS.name: "start_time",
}
"""The tables whose old rows are removed, and the column that says how old a row is."""


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
        monitoring_session.add(
            work,
            model_calls=1,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            total_tokens=total_tokens,
        )
        return TOKEN_USAGE.add(work, columns)

    def save_stage_timing(
        self,
        work: Work,
        stage_name: str,
        duration_ms: int,
        status: StageStatus,
        metadata: str | None,
        error: str | None = None,
    ) -> StageTiming:
        columns: dict[str, Any] = {
            "stage_name": stage_name,
            "duration_ms": duration_ms,
            "success_count": int(status is StageStatus.SUCCESS),
            "error_count": int(status is StageStatus.ERROR),
            "metadata": metadata,
        }
        monitoring_session.add(work, stage_runs=1, stage_errors=columns["error_count"])
        if error is not None:
            count_error(work, stage_name, error, 1)
        return STAGE_TIMING.add(work, columns)

    def save_data_stats(
        self, work: Work, data_type: str, count: int, context_type: str | None, metadata: str | None
    ) -> DataStats:
        columns = {"data_type": data_type, "count": count, "context_type": context_type, "metadata": metadata}
        monitoring_session.add(work, data_count=count)
        return DATA_STATS.add(work, columns)

    def query_token_usage(self, connection: Connection, since: str, part: PageRequest) -> TokenUsagePage:
        where = Where().that("time_bucket >= ?", since)
        return TOKEN_USAGE.page(connection, TokenUsagePage, where, LATEST_FIRST, part)

    def query_stage_timing(self, connection: Connection, since: str, part: PageRequest) -> StageTimingPage:
        where = Where().that("time_bucket >= ?", since)
        return STAGE_TIMING.page(connection, StageTimingPage, where, LATEST_FIRST, part)

    def query_data_stats(self, connection: Connection, since: str, part: PageRequest) -> DataStatsPage:
        where = Where().that("time_bucket >= ?", since)
        return DATA_STATS.page(connection, DataStatsPage, where, LATEST_FIRST, part)

    def query_data_stats_by_range(
        self, connection: Connection, start_time: Moment, end_time: Moment, part: PageRequest
    ) -> DataStatsPage:
        where = Where().between("time_bucket", start_time, end_time)
        return DATA_STATS.page(connection, DataStatsPage, where, LATEST_FIRST, part)

    def query_data_stats_trend(self, connection: Connection, dialect: Dialect, bounds: list[str]) -> DataStatsTrend:
        """Return the data of each interval; `bounds` are the first interval's begin and each interval's end."""
        return monitoring_totals.trend(connection, dialect, bounds)

    def cleanup_old_data(self, work: Work, before: str, limit: int) -> int:
        """Remove at most `limit` hours and runs that began before `before`; returns how many."""
        deleted = 0
        for table, time in TIMES.items():
            deleted += work.connection.execute(
                f"""
                DELETE FROM {table} WHERE id IN
                    (SELECT id FROM {table} WHERE {time} < ? ORDER BY {time} LIMIT ?)
                """,
                (before, limit - deleted),
            ).rowcount
        return deleted

    def count_old_data(self, connection: Connection, before: str) -> int:
        """How many hours and runs there are that began before `before`."""
        counts = [f"(SELECT count(*) FROM {table} WHERE {time} < :before)" for table, time in TIMES.items()]
        row = connection.execute(f"SELECT {' + '.join(counts)}", {"before": before}).fetchone()
        return int(row[0])


_SERVICE = MonitoringService()


class Monitoring(Resource, tables=(TOKEN_USAGE, STAGE_TIMING, DATA_STATS)):
    """Reports, added to the bucket of the hour in which they are made, in UTC.

    Names have from 1 to 200 characters, numbers go from 0 to 10,000,000,000, hours from 1 to 8,784; everything else
    raises `InvalidInput`. A window of `hours` begins with the hour this long ago, or, given a `time_zone`, at the
    midnight before it there.
    """

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
        total = prompt_tokens + completion_tokens if total_tokens is None else total_tokens
        return await self._database.write(
            lambda work: _SERVICE.save_token_usage(work, model, prompt_tokens, completion_tokens, total),
            key,
            TokenUsage,
        )

    async def save_monitoring_stage_timing(
        self,
        stage_name: Name,
        duration_ms: Amount,
        status: str = StageStatus.SUCCESS,
        metadata: JsonObject | None = None,
        error: Text | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> StageTiming:
        """Add one run to the stage's hour, which is returned; `metadata` replaces that of the hour.

        The text of an `error`, which only a failed run has, is counted as `save_monitoring_error` does.
        """
        ended = one_of(StageStatus, "status", status)
        if error is not None and ended is not StageStatus.ERROR:
            raise InvalidInput.field("error", "belongs to a run that failed: with the status error")
        text = _metadata_text(metadata)
        return await self._database.write(
            lambda work: _SERVICE.save_stage_timing(work, stage_name, duration_ms, ended, text, error), key, StageTiming
        )

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
        context = context_type or None
        text = _metadata_text(metadata)
        return await self._database.write(
            lambda work: _SERVICE.save_data_stats(work, data_type, count, context, text), key, DataStats
        )

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
        since, part = window_start(self._now(), hours, time_zone), PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: _SERVICE.query_token_usage(connection, since, part))

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
        since, part = window_start(self._now(), hours, time_zone), PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: _SERVICE.query_stage_timing(connection, since, part))

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
        since, part = window_start(self._now(), hours, time_zone), PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: _SERVICE.query_data_stats(connection, since, part))

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
        require_order(optional_time("start_time", start_time), optional_time("end_time", end_time))
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(
            lambda connection: _SERVICE.query_data_stats_by_range(connection, start_time, end_time, part)
        )

    async def query_monitoring_data_stats_trend(
        self, hours: int = DEFAULT_HOURS, interval_hours: int = 1, time_zone: Zone = "UTC"
    ) -> DataStatsTrend:
        """Every interval that the window touches, the oldest first.

        Intervals of up to 24 hours start again at each midnight in `time_zone`, by its clock; longer ones are whole
        days, those of 7 from Monday. Raises `InvalidInput` for others, and for more than 1000 intervals.
        """
        dialect = self._database.dialect
        bounds = interval_bounds(self._now(), hours, interval_hours, time_zone)
        return await self._read_window(
            hours, lambda connection: _SERVICE.query_data_stats_trend(connection, dialect, bounds)
        )

    async def get_monitoring_totals(
        self, hours: int = DEFAULT_HOURS, time_zone: Zone | None = None
    ) -> MonitoringTotals:
        """Return all reports added up, and the models, stages and types of data that stand out."""
        dialect, since = self._database.dialect, window_start(self._now(), hours, time_zone)
        return await self._read_window(hours, lambda connection: monitoring_totals.totals(connection, dialect, since))

    async def get_database_load(self) -> DatabaseLoad:
        """How busy the database is."""
        return self._database.load()

    async def cleanup_old_monitoring_data(
        self, days: int = DEFAULT_DAYS, *, key: IdempotencyKey | None = None
    ) -> Cleanup:
        """Remove the hours that were over, and the runs that began, this many days ago, a few at a time; returns how
        many."""
        require_range("days", days, 1, MOST_DAYS)
        before = bucket(ago(self._now(), timedelta(days=days)))

        def begin(work: Work) -> tuple[str, Cleanup, bool]:
            """Return the bound, the answer, and whether that is all: a repeated request finishes what it began."""
            done = None if key is None else work.recall(key, Cleanup)
            if done is not None:
                return before, done, True
            planned = None if key is None else work.planned(key)
            if planned is None:
                planned = [before, _SERVICE.count_old_data(work.connection, before)]
                if key is not None:
                    work.plan(key, planned)
            return planned[0], Cleanup(deleted=planned[1]), False

        until, cleanup, is_done = await self._database.write(begin)
        if not is_done:
            while await self.prune_monitoring(until, PRUNED_AT_ONCE):
                pass
            await self._database.write(lambda _: cleanup, key, Cleanup)
        return cleanup

    async def prune_monitoring(self, before: TimestampInput, limit: int) -> int:
        """Remove at most `limit` hours and runs of before then, from 1 to 1,000; returns how many."""
        require_range("limit", limit, 1, LARGEST_PRUNING)
        hour = bucket(required_time("before", before))
        return await self._database.write(lambda work: _SERVICE.cleanup_old_data(work, hour, limit))

    async def _read_window(self, hours: int, query: Callable[[Connection], T]) -> T:
        if hours > LONGEST_SHORT_HOURS:
            return await self._database.read_isolated(query)
        return await self._database.read(query)


def _metadata_text(metadata: Mapping[str, Any] | None) -> str | None:
    return None if metadata is None else json_text("metadata", metadata)
