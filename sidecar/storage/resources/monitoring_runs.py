"""Texts of errors by hour, and runs of processors: the tables `monitoring_errors` and `monitoring_runs`."""

import heapq
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from sidecar.errors import InvalidInput
from sidecar.models.base import ShortText, StoredRecord, Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.monitoring import DEFAULT_HOURS, Amount, Name, Zone
from sidecar.models.monitoring_runs import (
    DEFAULT_TOP_ERRORS,
    LONGEST_ERROR,
    MOST_COUNTS,
    MOST_ERRORS_IN_HOUR,
    MOST_TOP_ERRORS,
    OTHER_ERRORS,
    ErrorTotals,
    ProcessorRun,
    ProcessorRunPage,
    RunStatus,
    TopErrors,
)
from sidecar.models.timestamps import Timestamp, TimestampInput
from sidecar.storage.arguments import DEFAULT_LIMIT
from sidecar.storage.interfaces import Connection, Dialect, Work
from sidecar.storage.resources import monitoring_session
from sidecar.storage.resources.monitoring_windows import LONGEST_SHORT_HOURS, bucket, window_start
from sidecar.storage.resources.rows.columns import choice, integer, json_object, safe_value, text, time
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, require_range
from sidecar.storage.resources.rows.table import Resource, Table
from sidecar.storage.resources.rows.validation import json_text, one_of, optional_time, require_order, required_time


class StoredError(StoredRecord):
    """One hour of one text."""

    id: int
    time_bucket: Timestamp
    stage_name: str
    message: str
    count: int
    created_at: Timestamp
    updated_at: Timestamp


ERRORS = Table(
    "monitoring_errors",
    StoredError,
    {
        "time_bucket": time(),
        "stage_name": text(),
        "message": text(),
        "count": integer(0),
        "created_at": time(),
        "updated_at": time(),
    },
    kind="hour of an error",
    topic="monitoring.errors",
)
RUNS = Table(
    "monitoring_runs",
    ProcessorRun,
    {
        "processor_name": text(),
        "start_time": time(),
        "end_time": time(),
        "status": choice(RunStatus, RunStatus.ERROR),
        "counts": json_object(optional=True),
        "error_message": text(optional=True),
        "created_at": time(),
    },
    kind="run of a processor",
    topic="monitoring.runs",
)
LATEST_FIRST = Order("start_time", newest_first=True)


class MonitoringRuns(Resource, tables=(ERRORS, RUNS)):
    """Errors, which are counted by their text in each hour, and runs of processors. They go with old measurements."""

    async def save_monitoring_error(
        self, stage_name: Name, message: Text, count: Amount = 1, *, key: IdempotencyKey | None = None
    ) -> None:
        """Count an error of a stage. Of its text the first 500 characters are kept, of an hour 200 different texts."""
        await self._database.write(lambda work: count_error(work, stage_name, message, count), key, type(None))

    async def query_monitoring_errors(
        self, hours: int = DEFAULT_HOURS, time_zone: Zone | None = None, limit: int = DEFAULT_TOP_ERRORS
    ) -> TopErrors:
        """The most frequent errors of a window, added up by stage and text."""
        require_range("limit", limit, 1, MOST_TOP_ERRORS)
        dialect, since = self._database.dialect, window_start(self._now(), hours, time_zone)
        read = self._database.read_isolated if hours > LONGEST_SHORT_HOURS else self._database.read
        return await read(lambda connection: _top_errors(connection, dialect, since, limit))

    async def save_monitoring_run(
        self,
        processor_name: Name,
        start_time: TimestampInput,
        end_time: TimestampInput | None = None,
        status: str = RunStatus.SUCCESS,
        counts: Annotated[dict[Name, Amount], Field(max_length=MOST_COUNTS)] | None = None,
        error_message: Text | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> ProcessorRun:
        """Record a run that is over, by default now. The text of an error is counted as `save_monitoring_error` does.

        Raises `InvalidInput` for a run that ends before it starts, and for an error of a run that did not fail.
        """
        ended = one_of(RunStatus, "status", status)
        start = required_time("start_time", start_time)
        end = optional_time("end_time", end_time) or max(start, self._now())
        require_order(start, end)
        if error_message is not None and ended is not RunStatus.ERROR:
            raise InvalidInput.field("error_message", "belongs to a run that failed: with the status error")
        columns = {
            "processor_name": processor_name,
            "start_time": start,
            "end_time": end,
            "status": ended,
            "counts": json_text("counts", counts or {}),
            "error_message": None if error_message is None else error_message[:LONGEST_ERROR],
        }

        def save(work: Work) -> ProcessorRun:
            run = RUNS.insert(work, {**columns, "created_at": work.now})
            monitoring_session.add(work, processor_runs=1, processor_errors=int(ended is RunStatus.ERROR))
            if error_message is not None:
                count_error(work, processor_name, error_message, 1)
            return run

        return await self._database.write(save, key, ProcessorRun)

    async def query_monitoring_runs(
        self,
        hours: int = DEFAULT_HOURS,
        time_zone: Zone | None = None,
        processor_name: ShortText | None = None,
        status: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> ProcessorRunPage:
        """Runs that started in a window, the latest first."""
        where = Where().that("start_time >= ?", window_start(self._now(), hours, time_zone))
        where.equals("processor_name", processor_name)
        where.equals("status", None if status is None else one_of(RunStatus, "status", status))
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(
            lambda connection: RUNS.page(connection, ProcessorRunPage, where, LATEST_FIRST, part)
        )


def count_error(work: Work, stage_name: str, message: str, count: int) -> None:
    """Add to the hour of this text."""
    now, kept = work.now, message[:LONGEST_ERROR]
    hour = bucket(now)
    sql = "SELECT 1 FROM monitoring_errors WHERE time_bucket = ? AND stage_name = ? AND message = ?"
    if work.connection.execute(sql, (hour, stage_name, kept)).fetchone() is None:
        sql = "SELECT count(*) FROM monitoring_errors WHERE time_bucket = ?"
        if work.connection.execute(sql, (hour,)).fetchone()[0] >= MOST_ERRORS_IN_HOUR:
            kept = OTHER_ERRORS
    sql = """
        INSERT INTO monitoring_errors AS hour (time_bucket, stage_name, message, count, created_at, updated_at)
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (time_bucket, stage_name, message)
        DO UPDATE SET count = hour.count + excluded.count, updated_at = excluded.updated_at RETURNING id
    """
    (row_id,) = work.connection.execute(sql, (hour, stage_name, kept, count, now, now)).fetchone()
    work.changed(ERRORS.topic, row_id)
    monitoring_session.add(work, errors=count)


@dataclass(slots=True)
class _Total:
    """One text as its hours are added up."""

    count: int
    first: str
    last: str


def errors_sql(dialect: Dialect) -> str:
    """Return the query for the errors of each hour from a time on."""
    return f"""
        SELECT stage_name, message, {dialect.whole_number("count")} AS number, created_at, updated_at
        FROM monitoring_errors WHERE time_bucket >= ?
    """


def _top_errors(connection: Connection, dialect: Dialect, since: str, limit: int) -> TopErrors:
    totals: dict[tuple[str, str], _Total] = {}
    name, moment = text(), time()
    for stage_name, message, number, created_at, updated_at in connection.execute(errors_sql(dialect), (since,)):
        key = safe_value(name, stage_name), safe_value(name, message)
        first, last = safe_value(moment, created_at), safe_value(moment, updated_at)
        known = totals.setdefault(key, _Total(0, first, last))
        known.count += number
        known.first, known.last = min(known.first, first), max(known.last, last)
    largest = heapq.nlargest(limit, totals.items(), key=lambda item: (item[1].count, item[1].last))
    items = [
        ErrorTotals(stage_name=stage, message=message, count=each.count, first_at=each.first, last_at=each.last)
        for (stage, message), each in largest
    ]
    return TopErrors(since=since, count=sum(each.count for each in totals.values()), items=items)
