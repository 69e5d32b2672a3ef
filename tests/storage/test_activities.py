"""Activities: JSON, windows of time, and days."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.errors import InvalidInput, NotFound
from sidecar.storage.unified import UnifiedStorage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


async def at(storage: UnifiedStorage, start_time: str, title: str = "a") -> int:
    return (await storage.insert_activity(title, "", start_time=start_time, end_time=start_time)).id


async def test_an_activity_is_read_back_as_it_was_made(storage: UnifiedStorage) -> None:
    made = await storage.insert_activity(
        "Review", "Read the plan", [{"type": "file", "path": "/tmp/plan.md"}], {"app": "editor", "nested": {"n": 1.5}}
    )
    assert await storage.get_activity(made.id) == made
    assert made.resources == [{"type": "file", "path": "/tmp/plan.md"}]
    assert made.metadata == {"app": "editor", "nested": {"n": 1.5}}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=JSON)
async def test_anything_json_can_hold_comes_back_equal(storage: UnifiedStorage, value: Any) -> None:
    made = await storage.insert_activity("a", "", resources=value, metadata={"value": value})
    read = await storage.get_activity(made.id)
    assert read.resources == value
    assert read.metadata == {"value": value}


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1, 2}, CIRCLE])
async def test_what_json_cannot_hold_is_refused(storage: UnifiedStorage, value: object) -> None:
    with pytest.raises(InvalidInput, match="resources"):
        await storage.insert_activity("a", "", resources=value)


async def test_an_activity_cannot_end_before_it_starts(storage: UnifiedStorage) -> None:
    with pytest.raises(InvalidInput, match="end_time"):
        await storage.insert_activity("a", "", start_time="2026-01-02T00:00:00Z", end_time="2026-01-01T00:00:00Z")


async def test_times_that_are_left_out_are_now(storage: UnifiedStorage) -> None:
    made = await storage.insert_activity("a", "")
    assert made.start_time == made.end_time


async def test_activities_of_a_window_begin_in_it_the_latest_first(storage: UnifiedStorage) -> None:
    for hour in (8, 9, 10, 11):
        await at(storage, f"2026-01-31T{hour:02}:00:00Z", f"at {hour}")
    page = await storage.get_activities("2026-01-31T09:00:00Z", "2026-01-31T11:00:00Z")
    assert [activity.title for activity in page.items] == ["at 10", "at 9"]


async def test_the_latest_activity_began_last(storage: UnifiedStorage) -> None:
    assert await storage.get_latest_activity() is None
    latest = await at(storage, "2026-01-02T00:00:00Z")
    await at(storage, "2026-01-01T00:00:00Z")
    found = await storage.get_latest_activity()
    assert found is not None
    assert found.id == latest


async def test_an_activity_that_is_not_there_is_not_found(storage: UnifiedStorage) -> None:
    with pytest.raises(NotFound):
        await storage.get_activity(999)


async def test_days_are_counted_with_those_that_have_none(storage: UnifiedStorage) -> None:
    for start in ("2026-01-01T00:00:00Z", "2026-01-01T23:59:59.999Z", "2026-01-03T12:00:00Z"):
        await at(storage, start)
    counts = await storage.get_activity_counts(date(2026, 1, 1), date(2026, 1, 3))
    assert [(count.day.day, count.count) for count in counts] == [(1, 2), (2, 0), (3, 1)]


async def test_days_begin_at_midnight_where_the_user_is_also_when_clocks_change(storage: UnifiedStorage) -> None:
    # In Berlin, 29 March 2026 has 23 hours: it ends at 22:00 UTC, having begun at 23:00 UTC the day before.
    for start in ("2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"):
        await at(storage, start)
    counts = await storage.get_activity_counts(date(2026, 3, 28), date(2026, 3, 30), "Europe/Berlin")
    assert [count.count for count in counts] == [1, 2, 1]


@pytest.mark.parametrize(
    ("start", "end", "zone", "culprit"),
    [
        (date(2026, 1, 2), date(2026, 1, 1), "UTC", "end_date"),
        (date(2020, 1, 1), date(2026, 1, 1), "UTC", "end_date"),
        (date(2026, 1, 1), date(2026, 1, 1), "Mars/Olympus", "time_zone"),
        (date(2026, 1, 1), date(2026, 1, 1), "../../etc/passwd", "time_zone"),
        (date.min, date.min, "Asia/Tokyo", "start_date"),
        (date.max, date.max, "UTC", "end_date"),
    ],
)
async def test_days_that_cannot_be_counted_are_refused(
    storage: UnifiedStorage, start: date, end: date, zone: str, culprit: str
) -> None:
    with pytest.raises(InvalidInput, match=culprit):
        await storage.get_activity_counts(start, end, zone)
