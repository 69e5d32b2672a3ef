"""How SQLite carries out each statement of monitoring: by an index, without sorting, whatever the tables hold."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models.monitoring import StageStatus
from sidecar.storage.resources import monitoring_totals
from sidecar.storage.resources.monitoring import MonitoringService
from sidecar.storage.resources.rows.pagination import PageRequest
from sidecar.storage.sqlite.dialect import DIALECT
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork

from ..sampling import sampled

SERVICE = MonitoringService()
SINCE, BEFORE = "2026-01-20T00:00:00.000Z", "2026-01-25T00:00:00.000Z"
CURSOR = "WyIyMDI2LTAxLTI1VDAwOjAwOjAwLjAwMFoiLCAxMF0="

CALLS: dict[str, Callable[[sqlite3.Connection], object]] = {
    "save_token_usage": lambda c: SERVICE.save_token_usage(SQLiteWork(c, SYSTEM_CLOCK), "m", 1, 1, 2),
    "save_stage_timing": lambda c: SERVICE.save_stage_timing(
        SQLiteWork(c, SYSTEM_CLOCK), "s", 1, StageStatus.ERROR, None
    ),
    "save_data_stats": lambda c: SERVICE.save_data_stats(SQLiteWork(c, SYSTEM_CLOCK), "d", 1, None, None),
    "query_token_usage": lambda c: SERVICE.query_token_usage(c, SINCE, PageRequest(with_total=True)),
    "query_token_usage, by cursor": lambda c: SERVICE.query_token_usage(c, SINCE, PageRequest(cursor=CURSOR)),
    "query_stage_timing": lambda c: SERVICE.query_stage_timing(c, SINCE, PageRequest(with_total=True)),
    "query_stage_timing, by cursor": lambda c: SERVICE.query_stage_timing(c, SINCE, PageRequest(cursor=CURSOR)),
    "query_data_stats": lambda c: SERVICE.query_data_stats(c, SINCE, PageRequest(with_total=True)),
    "query_data_stats, by cursor": lambda c: SERVICE.query_data_stats(c, SINCE, PageRequest(cursor=CURSOR)),
    "query_data_stats_by_range": lambda c: SERVICE.query_data_stats_by_range(
        c, SINCE, BEFORE, PageRequest(with_total=True)
    ),
    "query_data_stats_trend": lambda c: SERVICE.query_data_stats_trend(c, DIALECT, [SINCE, BEFORE]),
    "totals": lambda c: monitoring_totals.totals(c, DIALECT, SINCE),
    "count_old_data": lambda c: SERVICE.count_old_data(c, SINCE),
    "cleanup_old_data": lambda c: SERVICE.cleanup_old_data(SQLiteWork(c, SYSTEM_CLOCK), SINCE, 10),
}


@pytest.fixture(params=sampled(["analysed", "never analysed"], every=2))
def filled(request: pytest.FixtureRequest, migrated: Callable[[], sqlite3.Connection]) -> Iterator[sqlite3.Connection]:
    """A database with 31 days of hours of 20 names, with and without what ANALYZE finds out."""
    with closing(migrated()) as connection:
        connection.row_factory = sqlite3.Row
        rows = [
            (f"2026-01-{day:02}T{hour:02}:00:00.000Z", f"name {number}")
            for day in range(1, 32)
            for hour in range(24)
            for number in range(20)
        ]
        connection.execute("BEGIN")
        for table, name in (("token_usage", "model"), ("stage_timing", "stage_name"), ("data_stats", "data_type")):
            connection.executemany(f"INSERT INTO monitoring_{table} (time_bucket, {name}) VALUES (?, ?)", rows)
        connection.execute("COMMIT")
        if request.param == "analysed":
            connection.execute("ANALYZE")
        yield connection


@pytest.mark.parametrize("call", CALLS)
def test_every_statement_finds_its_rows_by_an_index_and_sorts_none(filled: sqlite3.Connection, call: str) -> None:
    statements: list[str] = []
    filled.set_trace_callback(statements.append)
    CALLS[call](filled)
    filled.set_trace_callback(None)
    assert statements
    steps = [row["detail"] for sql in statements for row in filled.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert [step for step in steps if "TEMP B-TREE" in step or step.startswith("SCAN monitoring_")] == []
    assert call.startswith("save_") or any(step.startswith("SEARCH monitoring_") for step in steps)
