"""Activities: JSON, windows of time, and days."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.errors import InvalidInput, NotFound
from sidecar.models.activities import ActivityWindow
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


WINDOW = ("2026-01-31T09:00:00.000Z", "2026-01-31T11:00:00.000Z")
LYING = {
    "long before": (6, 7),
    "until it begins": (8, 9),
    "into it": (8, 10),
    "at its beginning": (9, 9),
    "within": (9, 10),
    "all of it": (9, 11),
    "around it": (8, 12),
    "out of it": (10, 12),
    "at its end": (11, 11),
    "from its end": (11, 12),
}
"""Activities by how they lie to the window from 9 to 11: the hours from which and until which they last."""


async def lie(storage: UnifiedStorage) -> None:
    for title, (start, end) in LYING.items():
        times = [f"2026-01-31T{hour:02}:00:00Z" for hour in (start, end)]
        await storage.insert_activity(title, "", start_time=times[0], end_time=times[1])


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("begin", {"at its beginning", "within", "all of it", "out of it"}),
        ("contain", {"at its beginning", "within", "all of it", "at its end"}),
        ("overlap", {"into it", "at its beginning", "within", "all of it", "around it", "out of it"}),
    ],
)
async def test_activities_begin_in_a_window_lie_within_it_or_overlap_with_it(
    storage: UnifiedStorage, window: str, expected: set[str]
) -> None:
    await lie(storage)
    found = (await storage.get_activities(*WINDOW, window=window)).items
    assert {activity.title for activity in found} == expected


@pytest.mark.parametrize("window", ActivityWindow)
async def test_half_a_window_goes_on_for_ever(storage: UnifiedStorage, window: ActivityWindow) -> None:
    await lie(storage)
    long_ago, in_time = "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
    begun = (await storage.get_activities(WINDOW[0], window=window)).items
    assert begun
    assert begun == (await storage.get_activities(WINDOW[0], in_time, window=window)).items
    ended = (await storage.get_activities(end_time=WINDOW[1], window=window)).items
    assert ended
    assert ended == (await storage.get_activities(long_ago, WINDOW[1], window=window)).items


async def test_the_earliest_activities_may_come_first(storage: UnifiedStorage) -> None:
    for hour in (9, 8, 9, 10):
        await at(storage, f"2026-01-31T{hour:02}:00:00Z")
    latest_first = [activity.id for activity in (await storage.get_activities()).items]
    first = await storage.get_activities(limit=3, order="start_time")
    rest = await storage.get_activities(limit=3, order="start_time", cursor=first.next_cursor)
    assert [activity.id for activity in (*first.items, *rest.items)] == latest_first[::-1]


@pytest.mark.parametrize("field", ["window", "order"])
async def test_unknown_windows_and_orders_are_refused(storage: UnifiedStorage, field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        await storage.get_activities(**{field: "x"})  # type: ignore[arg-type]


async def test_an_update_changes_what_it_names_and_nothing_else(storage: UnifiedStorage) -> None:
    made = await storage.insert_activity("a", "b", ["c"], {"d": 1}, *WINDOW)
    updated = await storage.update_activity(made.id, title="e", resources=None, metadata={})
    assert updated == made.model_copy(update={"title": "e", "resources": None, "metadata": {}})
    longer = await storage.update_activity(made.id, end_time="2026-01-31T13:00:00+01:00")
    assert (longer.start_time, longer.end_time) == (WINDOW[0], "2026-01-31T12:00:00.000Z")
    assert await storage.update_activity(made.id) == await storage.get_activity(made.id)


async def test_an_update_cannot_end_an_activity_before_it_starts(storage: UnifiedStorage) -> None:
    made = await storage.insert_activity("a", "b", start_time=WINDOW[0], end_time=WINDOW[1])
    with pytest.raises(InvalidInput, match="end_time"):
        await storage.update_activity(made.id, end_time="2026-01-31T08:00:00Z")
    with pytest.raises(InvalidInput, match="resources"):
        await storage.update_activity(made.id, resources=float("nan"))
    assert await storage.get_activity(made.id) == made


async def test_a_deleted_activity_is_gone(storage: UnifiedStorage) -> None:
    made = await storage.insert_activity("a", "b")
    await storage.delete_activity(made.id)
    for work in (storage.get_activity, storage.delete_activity, storage.update_activity):
        with pytest.raises(NotFound):
            await work(made.id)


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
