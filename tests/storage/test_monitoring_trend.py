"""The trend of data: intervals by somebody's clock, summer time included."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models import timestamps
from sidecar.models.monitoring import DataStatsInterval
from sidecar.storage.resources.monitoring_windows import interval_bounds
from sidecar.storage.unified import UnifiedStorage

SetClock = Callable[[str], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the time that it is; it stands still."""

    def set_clock(now: str) -> None:
        monkeypatch.setattr("sidecar.models.timestamps.now", lambda _: timestamps.canonical(now))

    return set_clock


async def report(storage: UnifiedStorage, clock: SetClock, *times: str, context_type: str | None = None) -> None:
    for time in times:
        clock(time)
        await storage.save_monitoring_data_stats("screenshot", 1, context_type)


def counts(intervals: list[DataStatsInterval]) -> list[tuple[str, int | None]]:
    return [(interval.start_time[5:16], interval.count) for interval in intervals]


def bounds_now(hours: int, interval_hours: int, time_zone: str) -> list[str]:
    return interval_bounds(timestamps.now(SYSTEM_CLOCK), hours, interval_hours, time_zone)


def hours_of(bounds: list[str]) -> list[float]:
    moments = [timestamps.parse(bound) for bound in bounds]
    return [(end - start).total_seconds() / 3600 for start, end in pairwise(moments)]


async def test_three_hours_are_one_interval(storage: UnifiedStorage, clock: SetClock) -> None:
    await report(storage, clock, *(f"2026-01-31T{hour:02}:15:00Z" for hour in range(9)))
    trend = await storage.query_monitoring_data_stats_trend(hours=8, interval_hours=3)
    assert counts(trend.intervals) == [("01-31T00:00", 3), ("01-31T03:00", 3), ("01-31T06:00", 3)]
    assert [interval.end_time[11:13] for interval in trend.intervals] == ["03", "06", "09"]


async def test_an_interval_tells_types_and_contexts_apart(storage: UnifiedStorage, clock: SetClock) -> None:
    await report(storage, clock, "2026-01-31T00:15:00Z", "2026-01-31T01:15:00Z", context_type="entity")
    await report(storage, clock, "2026-01-31T01:30:00Z")
    (interval,) = (await storage.query_monitoring_data_stats_trend(hours=1, interval_hours=3)).intervals
    assert [(data.data_type, data.context_type, data.count) for data in interval.data] == [
        ("screenshot", None, 1),
        ("screenshot", "entity", 2),
    ]


async def test_an_interval_without_reports_is_told_from_one_of_which_nothing_is_kept(
    storage: UnifiedStorage, clock: SetClock
) -> None:
    await report(storage, clock, "2026-01-31T04:15:00Z", "2026-01-31T08:15:00Z")
    trend = await storage.query_monitoring_data_stats_trend(hours=7, interval_hours=2)
    assert counts(trend.intervals) == [
        ("01-31T00:00", None),
        ("01-31T02:00", None),
        ("01-31T04:00", 1),
        ("01-31T06:00", 0),
        ("01-31T08:00", 1),
    ]


async def test_nothing_is_kept_of_a_store_without_reports(storage: UnifiedStorage, clock: SetClock) -> None:
    clock("2026-01-31T01:15:00Z")
    trend = await storage.query_monitoring_data_stats_trend(hours=1)
    assert counts(trend.intervals) == [("01-31T00:00", None), ("01-31T01:00", None)]


async def test_days_begin_at_the_callers_midnight(storage: UnifiedStorage, clock: SetClock) -> None:
    await report(storage, clock, "2026-01-30T14:59:00Z", "2026-01-30T15:00:00Z", "2026-01-31T14:59:00Z")
    trend = await storage.query_monitoring_data_stats_trend(hours=24, interval_hours=24, time_zone="Asia/Tokyo")
    assert counts(trend.intervals) == [("01-29T15:00", 1), ("01-30T15:00", 2)]


async def test_an_hour_belongs_to_the_interval_in_which_it_begins(storage: UnifiedStorage, clock: SetClock) -> None:
    await report(storage, clock, "2026-01-30T18:45:00Z", "2026-01-30T19:45:00Z")
    trend = await storage.query_monitoring_data_stats_trend(hours=24, interval_hours=24, time_zone="Asia/Kolkata")
    assert counts(trend.intervals)[-2:] == [("01-29T18:30", 1), ("01-30T18:30", 1)]


@pytest.mark.parametrize(
    ("now", "interval_hours", "lengths"),
    [
        ("2026-03-29T23:30:00+02:00", 24, [24, 23]),
        ("2026-03-29T23:30:00+02:00", 6, [6, 5, 6, 6, 6]),
        ("2026-10-25T23:30:00+01:00", 24, [25]),
        ("2026-10-25T23:30:00+01:00", 6, [7, 6, 6, 6]),
    ],
)
def test_intervals_follow_the_clock_through_summer_time(
    clock: SetClock, now: str, interval_hours: int, lengths: list[float]
) -> None:
    clock(now)
    assert hours_of(bounds_now(23, interval_hours, "Europe/Berlin")) == lengths


@pytest.mark.parametrize("now", ["2026-03-29T23:30:00+02:00", "2026-10-25T23:30:00+01:00"])
def test_hours_are_hours_through_summer_time(clock: SetClock, now: str) -> None:
    clock(now)
    assert hours_of(bounds_now(24, 1, "Europe/Berlin")) == [1.0] * 25


def test_a_day_without_a_midnight_begins_when_the_clock_goes_on(clock: SetClock) -> None:
    clock("2026-04-24T12:00:00+03:00")
    bounds = bounds_now(6, 24, "Africa/Cairo")
    assert bounds == ["2026-04-23T22:00:00.000Z", "2026-04-24T21:00:00.000Z"]


def test_what_does_not_divide_a_day_begins_anew_at_midnight(clock: SetClock) -> None:
    clock("2026-01-31T03:00:00Z")
    assert [bound[8:13] for bound in bounds_now(12, 10, "UTC")] == [
        "30T10",
        "30T20",
        "31T00",
        "31T10",
    ]


def test_weeks_begin_on_monday_whenever_one_asks(clock: SetClock) -> None:
    for now in ("2026-01-26T00:00:00Z", "2026-01-29T12:00:00Z", "2026-02-01T23:59:59Z"):
        clock(now)
        assert [bound[:10] for bound in bounds_now(200, 168, "UTC")][-2:] == [
            "2026-01-26",
            "2026-02-02",
        ]


@pytest.mark.parametrize("interval_hours", [1, 2, 5, 24, 48, 168, 8784])
@pytest.mark.parametrize("hours", [1, 24, 900])
def test_the_intervals_hold_the_whole_window(clock: SetClock, hours: int, interval_hours: int) -> None:
    clock("2026-03-30T09:30:00Z")
    bounds = bounds_now(hours, interval_hours, "Pacific/Chatham")
    start = timestamps.parse("2026-03-30T09:00:00Z").timestamp() - hours * 3600
    assert timestamps.parse(bounds[0]).timestamp() <= start < timestamps.parse(bounds[1]).timestamp()
    assert bounds[-2] <= timestamps.now(SYSTEM_CLOCK) < bounds[-1]
