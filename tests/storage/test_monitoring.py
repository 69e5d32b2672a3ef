"""Monitoring: reports become hours, hours become windows, and old ones go."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.config import DatabaseSettings
from sidecar.errors import Conflict, InvalidInput
from sidecar.models import timestamps
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.monitoring import MOST_IN_REPORT
from sidecar.storage.resources.monitoring import PRUNED_AT_ONCE
from sidecar.storage.sqlite.adoption.times import Clock, hour_of
from sidecar.storage.unified import UnifiedStorage, document_backend

SetClock = Callable[[str], None]
HOUR = "2026-01-31T09:00:00.000Z"
NEXT_HOUR = "2026-01-31T10:00:00.000Z"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the time that reports are made at; it stands still."""

    def set_clock(now: str) -> None:
        monkeypatch.setattr("sidecar.models.timestamps.now", lambda _: timestamps.canonical(now))

    set_clock("2026-01-31T09:30:00Z")
    return set_clock


async def test_reports_of_an_hour_are_one_row_a_model(storage: UnifiedStorage, clock: SetClock) -> None:
    for model, prompt, completion in (("small", 10, 1), ("large", 100, 50), ("small", 20, 2)):
        await storage.save_monitoring_token_usage(model, prompt, completion)
    hours = (await storage.query_monitoring_token_usage()).items
    assert [(hour.time_bucket, hour.model, hour.prompt_tokens, hour.completion_tokens) for hour in hours] == [
        (HOUR, "large", 100, 50),
        (HOUR, "small", 30, 3),
    ]


async def test_a_report_returns_its_hour_so_far(storage: UnifiedStorage, clock: SetClock) -> None:
    await storage.save_monitoring_token_usage("m", 1, 2)
    saved = await storage.save_monitoring_token_usage("m", 3, 4)
    assert (await storage.query_monitoring_token_usage()).items == [saved]


async def test_the_total_is_the_sum_unless_it_is_given(storage: UnifiedStorage) -> None:
    assert (await storage.save_monitoring_token_usage("summed", 1, 2)).total_tokens == 3
    assert (await storage.save_monitoring_token_usage("given", 1, 2, 10)).total_tokens == 10
    assert (await storage.save_monitoring_token_usage("none", 1, 2, 0)).total_tokens == 0


async def test_an_hour_begins_with_its_first_millisecond_and_ends_before_the_next(
    storage: UnifiedStorage, clock: SetClock
) -> None:
    for now in (HOUR, "2026-01-31T09:59:59.999Z", NEXT_HOUR):
        clock(now)
        await storage.save_monitoring_token_usage("m", 1, 0)
    hours = (await storage.query_monitoring_token_usage()).items
    assert [(hour.time_bucket, hour.prompt_tokens) for hour in hours] == [(NEXT_HOUR, 1), (HOUR, 2)]


async def test_a_stage_has_its_extremes_its_average_and_its_errors(storage: UnifiedStorage) -> None:
    for duration, status in ((20, "success"), (5, "error"), (11, "success")):
        timing = await storage.save_monitoring_stage_timing("embed", duration, status)
    assert (timing.count, timing.total_duration_ms, timing.min_duration_ms, timing.max_duration_ms) == (3, 36, 5, 20)
    assert (timing.avg_duration_ms, timing.success_count, timing.error_count) == (12, 2, 1)


async def test_an_average_is_not_rounded(storage: UnifiedStorage) -> None:
    for duration in (1, 2):
        timing = await storage.save_monitoring_stage_timing("embed", duration)
    assert timing.avg_duration_ms == 1.5


async def test_another_tool_finds_the_average_as_a_whole_number(tmp_path: Path) -> None:
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)])
    await storage.initialize()
    for duration in (1, 1, 3, 2):
        await storage.save_monitoring_stage_timing("embed", duration)
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        assert connection.execute("SELECT avg_duration_ms FROM monitoring_stage_timing").fetchall() == [(2,)]


async def test_a_year_is_added_up_like_a_day(storage: UnifiedStorage, clock: SetClock) -> None:
    await reported_hourly(storage, clock, 3)
    day, year = await storage.get_monitoring_totals(24), await storage.get_monitoring_totals(8_784)
    assert year.model_dump(exclude={"since"}) == day.model_dump(exclude={"since"})
    trend = await storage.query_monitoring_data_stats_trend(8_784, 24)
    assert [interval.count for interval in trend.intervals if interval.count is not None] == [3]


async def test_the_last_metadata_that_was_given_is_kept(storage: UnifiedStorage) -> None:
    for metadata in ({"first": True}, {"second": [1, None]}, None):
        timing = await storage.save_monitoring_stage_timing("embed", 1, metadata=metadata)
        stats = await storage.save_monitoring_data_stats("screenshot", metadata=metadata)
    assert timing.metadata == stats.metadata == {"second": [1, None]}


async def test_metadata_of_another_tool_is_any_text(tmp_path: Path) -> None:
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)])
    await storage.initialize()
    await storage.save_monitoring_stage_timing("embed", 1)
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection, connection:
        connection.execute("UPDATE monitoring_stage_timing SET metadata = 'plain text', min_duration_ms = NULL")
    timing = await storage.save_monitoring_stage_timing("embed", 7)
    assert (timing.metadata, timing.min_duration_ms) == ("plain text", 7)
    await storage.close()


async def test_data_without_a_context_type_is_one_row_too(storage: UnifiedStorage) -> None:
    for context in (None, "entity", None, "entity", ""):
        await storage.save_monitoring_data_stats("screenshot", 2, context)
    counts = {stats.context_type: stats.count for stats in (await storage.query_monitoring_data_stats()).items}
    assert counts == {None: 6, "entity": 4}


async def test_reports_made_at_the_same_time_all_count(storage: UnifiedStorage, clock: SetClock) -> None:
    durations = [*range(1, 301)]
    await asyncio.gather(*(storage.save_monitoring_stage_timing("embed", duration) for duration in durations))
    (timing,) = (await storage.query_monitoring_stage_timing()).items
    assert (timing.count, timing.total_duration_ms) == (300, sum(durations))
    assert (timing.min_duration_ms, timing.max_duration_ms, timing.avg_duration_ms) == (1, 300, 150.5)


async def test_a_report_that_is_sent_again_with_its_key_counts_once(storage: UnifiedStorage) -> None:
    key = IdempotencyKey("key-1")
    first = await storage.save_monitoring_token_usage("m", 1, 1, key=key)
    assert await storage.save_monitoring_token_usage("m", 1, 1, key=key) == first
    assert (await storage.save_monitoring_token_usage("m", 0, 0)).total_tokens == 2


async def test_subscribers_hear_of_a_report(storage: UnifiedStorage) -> None:
    heard: list[tuple[str, int | str]] = []
    storage.subscribe(lambda changes: heard.extend((change.topic, change.id) for change in changes))
    saved = await storage.save_monitoring_data_stats("screenshot")
    assert heard == [("monitoring.data_stats", saved.id)]


REPORTS = st.lists(
    st.tuples(
        st.integers(0, 200),  # minutes that pass before it
        st.sampled_from(["chunk", "embed"]),
        st.integers(0, MOST_IN_REPORT),
        st.sampled_from(["success", "error"]),
        st.sampled_from([None, "", "entity"]),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports=REPORTS)
async def test_hours_hold_what_a_plain_sum_of_the_reports_says(
    storage: UnifiedStorage, clock: SetClock, reports: list[tuple[int, str, int, str, str | None]]
) -> None:
    await storage.prune_monitoring("9999-01-01T00:00:00Z", 1_000)  # what the example before left
    now = timestamps.parse(HOUR)
    durations: dict[tuple[str, str], list[int]] = {}
    errors: dict[tuple[str, str], int] = {}
    counts: dict[tuple[str, str, str | None], int] = {}
    for minutes, name, amount, status, context in reports:
        now += timedelta(minutes=minutes)
        clock(now.isoformat())
        await storage.save_monitoring_stage_timing(name, amount, status)
        await storage.save_monitoring_data_stats(name, amount, context)
        hour = timestamps.render(now.replace(minute=0))
        durations.setdefault((hour, name), []).append(amount)
        errors[hour, name] = errors.get((hour, name), 0) + (status == "error")
        kind = (hour, name, context or None)
        counts[kind] = counts.get(kind, 0) + amount
    for timing in (await storage.query_monitoring_stage_timing(hours=200)).items:
        of_hour = durations.pop((timing.time_bucket, timing.stage_name))
        assert (timing.count, timing.total_duration_ms) == (len(of_hour), sum(of_hour))
        assert (timing.min_duration_ms, timing.max_duration_ms) == (min(of_hour), max(of_hour))
        assert timing.avg_duration_ms == sum(of_hour) / len(of_hour)
        assert timing.error_count == errors[timing.time_bucket, timing.stage_name]
        assert timing.success_count + timing.error_count == timing.count
    assert durations == {}
    stats = (await storage.query_monitoring_data_stats(hours=200)).items
    assert {(hour.time_bucket, hour.data_type, hour.context_type): hour.count for hour in stats} == counts
    trend = await storage.query_monitoring_data_stats_trend(hours=200, interval_hours=24)
    assert sum(interval.count or 0 for interval in trend.intervals) == sum(counts.values())
    totals = await storage.get_monitoring_totals(hours=200)
    assert (totals.data.count, totals.stages.count) == (sum(counts.values()), len(reports))


@pytest.mark.parametrize(
    ("call", "arguments", "culprit"),
    [
        ("save_monitoring_token_usage", ("", 1, 1), "model"),
        ("save_monitoring_token_usage", ("x" * 201, 1, 1), "model"),
        ("save_monitoring_token_usage", ("\ud800", 1, 1), "model"),
        ("save_monitoring_token_usage", ("m", -1, 1), "prompt_tokens"),
        ("save_monitoring_token_usage", ("m", 1, 2**63), "completion_tokens"),
        ("save_monitoring_token_usage", ("m", 1, 1, -1), "total_tokens"),
        ("save_monitoring_token_usage", ("m", 1.5, 1), "prompt_tokens"),
        ("save_monitoring_stage_timing", ("s", -1), "duration_ms"),
        ("save_monitoring_stage_timing", ("s", 1, "maybe"), "status"),
        ("save_monitoring_stage_timing", ("s", 1, "error", {"x": {1}}), "metadata"),
        ("save_monitoring_data_stats", ("d", -1), "count"),
        ("save_monitoring_data_stats", ("d", 1, "x" * 201), "context_type"),
        ("query_monitoring_token_usage", (0,), "hours"),
        ("query_monitoring_stage_timing", (8_785,), "hours"),
        ("query_monitoring_data_stats", (24, "Mars/Olympus"), "time_zone"),
        ("query_monitoring_data_stats_by_range", ("yesterday", HOUR), "start_time"),
        ("query_monitoring_data_stats_by_range", (NEXT_HOUR, HOUR), "end_time"),
        ("query_monitoring_data_stats_trend", (24, 0), "interval_hours"),
        ("query_monitoring_data_stats_trend", (24, 25), "interval_hours"),
        ("query_monitoring_data_stats_trend", (8_784, 1), "interval_hours"),
        ("query_monitoring_data_stats_trend", (24, 1, "../etc"), "time_zone"),
        ("get_monitoring_totals", (2**70,), "hours"),
        ("cleanup_old_monitoring_data", (0,), "days"),
        ("prune_monitoring", ("long ago", 1), "before"),
        ("prune_monitoring", (HOUR, 0), "limit"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(
    storage: UnifiedStorage, call: str, arguments: tuple[Any, ...], culprit: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await getattr(storage, call)(*arguments)
    assert [error.field for error in refusal.value.errors] == [culprit]


async def reported_hourly(storage: UnifiedStorage, clock: SetClock, count: int) -> None:
    """One screenshot in each of `count` hours, the last one now, at half past nine."""
    now = timestamps.parse("2026-01-31T09:30:00Z")
    for hour in reversed(range(count)):
        clock((now - timedelta(hours=hour)).isoformat())
        await storage.save_monitoring_data_stats("screenshot")
        await storage.save_monitoring_stage_timing("embed", 1)
        await storage.save_monitoring_token_usage("m", 1, 1)


async def test_a_window_begins_with_the_hour_that_long_ago(storage: UnifiedStorage, clock: SetClock) -> None:
    await reported_hourly(storage, clock, 5)
    begins = [stats.time_bucket[11:13] for stats in (await storage.query_monitoring_data_stats(hours=2)).items]
    assert begins == ["09", "08", "07"]


async def test_a_window_in_a_time_zone_begins_at_its_midnight(storage: UnifiedStorage, clock: SetClock) -> None:
    await reported_hourly(storage, clock, 30)
    hours = (await storage.query_monitoring_token_usage(hours=2, time_zone="America/New_York")).items
    assert hours[-1].time_bucket == "2026-01-31T05:00:00.000Z"
    timings = (await storage.query_monitoring_stage_timing(hours=2, time_zone="Asia/Kolkata")).items
    assert timings[-1].time_bucket == "2026-01-30T19:00:00.000Z", "half past six is midnight there"


async def test_a_range_is_half_open(storage: UnifiedStorage, clock: SetClock) -> None:
    await reported_hourly(storage, clock, 4)
    page = await storage.query_monitoring_data_stats_by_range("2026-01-31T08:00:00+01:00", "2026-01-31T09:00:00Z")
    assert [stats.time_bucket[11:13] for stats in page.items] == ["08", "07"]
    assert (await storage.query_monitoring_data_stats_by_range(HOUR, HOUR)).items == []


async def test_long_windows_are_read_in_pages(storage: UnifiedStorage, clock: SetClock) -> None:
    await reported_hourly(storage, clock, 7)
    first = await storage.query_monitoring_token_usage(limit=5, with_total=True)
    second = await storage.query_monitoring_token_usage(limit=5, cursor=first.next_cursor)
    assert (first.total, len(first.items), len(second.items), second.next_cursor) == (7, 5, 2, None)
    assert first.items[-1].time_bucket > second.items[0].time_bucket


async def test_totals_tell_what_stands_out(storage: UnifiedStorage, clock: SetClock) -> None:
    for model, tokens in (("small", 10), ("large", 500), ("small", 20)):
        await storage.save_monitoring_token_usage(model, tokens, 1)
    for stage, duration, status in (("fast", 1, "error"), ("slow", 90, "success"), ("fast", 3, "success")):
        await storage.save_monitoring_stage_timing(stage, duration, status)
    await storage.save_monitoring_data_stats("screenshot", 5)
    totals = await storage.get_monitoring_totals()
    assert (totals.tokens.prompt_tokens, totals.tokens.completion_tokens, totals.tokens.total_tokens) == (530, 3, 533)
    assert [(model.model, model.total_tokens) for model in totals.tokens.models] == [("large", 501), ("small", 32)]
    assert [(stage.stage_name, stage.avg_duration_ms) for stage in totals.stages.slowest] == [("slow", 90), ("fast", 2)]
    assert [(stage.stage_name, stage.error_rate) for stage in totals.stages.failing] == [("fast", 0.5)]
    assert (totals.stages.count, totals.stages.error_count) == (3, 1)
    assert [(data.data_type, data.count) for data in totals.data.largest] == [("screenshot", 5)]


async def test_totals_of_nothing_are_zero(storage: UnifiedStorage) -> None:
    totals = await storage.get_monitoring_totals()
    assert (totals.tokens.total_tokens, totals.stages.error_rate, totals.data.count) == (0, 0, 0)


async def test_the_database_tells_how_long_its_commits_take(storage: UnifiedStorage) -> None:
    for number in range(20):
        await storage.insert_tip(f"tip {number}")
    load = await storage.get_database_load()
    assert load.commit_median_ms is not None
    assert load.commit_p95_ms is not None
    assert 0 < load.commit_median_ms <= load.commit_p95_ms


async def test_cleaning_up_removes_what_is_older_and_nothing_else(storage: UnifiedStorage, clock: SetClock) -> None:
    await reported_hourly(storage, clock, 30)
    assert (await storage.cleanup_old_monitoring_data(days=1)).deleted == 5 * 3
    hours = (await storage.query_monitoring_token_usage(hours=100)).items
    assert (len(hours), hours[-1].time_bucket) == (25, "2026-01-30T09:00:00.000Z")
    assert (await storage.cleanup_old_monitoring_data()).deleted == 0


async def test_cleaning_up_more_than_one_step_holds_removes_all(storage: UnifiedStorage, clock: SetClock) -> None:
    clock("2026-01-29T09:30:00Z")
    models = [f"model {number}" for number in range(PRUNED_AT_ONCE)]
    await asyncio.gather(*(storage.save_monitoring_token_usage(model, 1, 1) for model in models))
    await reported_hourly(storage, clock, 30)
    assert (await storage.cleanup_old_monitoring_data(days=1)).deleted == PRUNED_AT_ONCE + 15
    assert len((await storage.query_monitoring_stage_timing(hours=100)).items) == 25


async def test_pruning_takes_no_more_than_it_is_allowed_the_oldest_first(
    storage: UnifiedStorage, clock: SetClock
) -> None:
    await reported_hourly(storage, clock, 3)
    assert [await storage.prune_monitoring(NEXT_HOUR, 4) for _ in range(4)] == [4, 4, 1, 0]


async def test_pruning_keeps_an_hour_that_was_not_over(storage: UnifiedStorage, clock: SetClock) -> None:
    await reported_hourly(storage, clock, 1)
    assert await storage.prune_monitoring("2026-01-31T09:59:59.999Z", 10) == 0


async def test_pruning_begins_with_the_oldest(storage: UnifiedStorage, clock: SetClock) -> None:
    await reported_hourly(storage, clock, 3)
    await storage.prune_monitoring(NEXT_HOUR, 2)
    assert [hour.time_bucket for hour in (await storage.query_monitoring_token_usage()).items] == [HOUR]


async def test_a_cleanup_with_a_key_of_another_request_removes_nothing(
    storage: UnifiedStorage, clock: SetClock
) -> None:
    await reported_hourly(storage, clock, 30)
    await storage.insert_tip("x", key=IdempotencyKey("key-1", b"another"))
    with pytest.raises(Conflict):
        await storage.cleanup_old_monitoring_data(1, key=IdempotencyKey("key-1", b"this one"))
    assert len((await storage.query_monitoring_stage_timing(hours=100)).items) == 30


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        ("Europe/Berlin", "2025-06-01 10:00:00", "2025-06-01T08:00:00.000Z"),
        ("Asia/Kolkata", "2025-06-01 10:00:00", "2025-06-01T04:00:00.000Z"),
        ("Asia/Kolkata", "2025-06-01T10:00:00.000Z", "2025-06-01T10:00:00.000Z"),
    ],
)
def test_hours_of_the_seeds_system_were_local_ones(zone: str, local: str, utc: str) -> None:
    assert hour_of(Clock(ZoneInfo(zone)))(local) == utc
