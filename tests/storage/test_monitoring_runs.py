"""Monitoring: texts of errors with their counts, and runs of processors."""

from collections.abc import Callable
from typing import Any

import pytest

from sidecar.errors import InvalidInput
from sidecar.models import timestamps
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.monitoring_runs import LONGEST_ERROR, MOST_COUNTS, MOST_ERRORS_IN_HOUR, OTHER_ERRORS
from sidecar.storage.unified import UnifiedStorage

from ..support import backend_of

SetClock = Callable[[str], None]
NOW = "2026-01-31T09:30:00.000Z"
EARLY, LATE = "2026-01-31T08:00:00.000Z", "2026-01-31T09:00:00.000Z"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the time that reports are made at; it stands still."""

    def set_clock(now: str) -> None:
        monkeypatch.setattr("sidecar.models.timestamps.now", lambda _: timestamps.canonical(now))

    set_clock(NOW)
    return set_clock


async def top(storage: UnifiedStorage, **window: Any) -> list[tuple[str, str, int]]:
    errors = (await storage.query_monitoring_errors(**window)).items
    return [(error.stage_name, error.message, error.count) for error in errors]


async def test_the_most_frequent_errors_of_a_window_come_first(storage: UnifiedStorage, clock: SetClock) -> None:
    await storage.save_monitoring_error("model", "timeout")
    await storage.save_monitoring_error("parser", "no JSON", 2)
    await storage.save_monitoring_error("parser", "timeout", 4)
    clock("2026-01-31T11:00:00Z")
    await storage.save_monitoring_error("model", "timeout", 2)
    assert await top(storage) == [("parser", "timeout", 4), ("model", "timeout", 3), ("parser", "no JSON", 2)]
    assert await top(storage, limit=1) == [("parser", "timeout", 4)]
    assert await top(storage, hours=1) == [("model", "timeout", 2)]
    found = await storage.query_monitoring_errors()
    assert (found.count, found.items[1].first_at, found.items[1].last_at) == (9, NOW, "2026-01-31T11:00:00.000Z")


async def test_a_year_of_errors_is_added_up_like_a_day(storage: UnifiedStorage, clock: SetClock) -> None:
    await storage.save_monitoring_error("model", "timeout")
    clock("2026-07-31T09:30:00Z")
    await storage.save_monitoring_error("model", "timeout")
    assert await top(storage) == [("model", "timeout", 1)]
    assert await top(storage, hours=366 * 24) == [("model", "timeout", 2)]


async def test_of_a_long_text_the_beginning_is_kept(storage: UnifiedStorage) -> None:
    for ending in ("a", "b"):
        await storage.save_monitoring_error("model", "🎈" * LONGEST_ERROR + ending)
    assert await top(storage) == [("model", "🎈" * LONGEST_ERROR, 2)]


async def test_an_hour_keeps_a_bounded_number_of_different_texts(storage: UnifiedStorage, clock: SetClock) -> None:
    for number in range(MOST_ERRORS_IN_HOUR + 3):
        await storage.save_monitoring_error("model", f"file {number}")
    await storage.save_monitoring_error("model", "file 0")
    assert await top(storage, limit=3) == [
        ("model", OTHER_ERRORS, 3),
        ("model", "file 0", 2),
        ("model", "file 1", 1),
    ]
    clock("2026-01-31T10:00:00Z")
    await storage.save_monitoring_error("model", "of the next hour", 9)
    assert await top(storage, limit=1) == [("model", "of the next hour", 9)]


async def test_a_stage_that_fails_may_say_why(storage: UnifiedStorage) -> None:
    await storage.save_monitoring_stage_timing("parser", 5, "error", error="no JSON")
    await storage.save_monitoring_stage_timing("parser", 5, "error")
    assert await top(storage) == [("parser", "no JSON", 1)]
    with pytest.raises(InvalidInput, match="error: belongs to a run that failed"):
        await storage.save_monitoring_stage_timing("parser", 5, "success", error="no JSON")


async def test_a_repeated_report_with_its_key_counts_once(storage: UnifiedStorage) -> None:
    for _ in range(2):
        await storage.save_monitoring_error("model", "timeout", key=IdempotencyKey("error"))
        await storage.save_monitoring_run("indexer", EARLY, key=IdempotencyKey("run"))
    assert await top(storage) == [("model", "timeout", 1)]
    assert len((await storage.query_monitoring_runs()).items) == 1


async def test_a_run_is_read_back_as_it_was_recorded(storage: UnifiedStorage) -> None:
    run = await storage.save_monitoring_run("indexer", EARLY, LATE, "error", {"documents": 3}, "no word")
    assert (run.processor_name, run.start_time, run.end_time, run.status) == ("indexer", EARLY, LATE, "error")
    assert (run.counts, run.error_message) == ({"documents": 3}, "no word")
    assert (await storage.query_monitoring_runs()).items == [run]
    assert await top(storage) == [("indexer", "no word", 1)]


async def test_a_run_ends_now_unless_its_end_is_given(storage: UnifiedStorage) -> None:
    assert (await storage.save_monitoring_run("indexer", EARLY)).end_time == NOW


async def test_runs_are_listed_by_their_start_and_found_by_processor_and_status(storage: UnifiedStorage) -> None:
    first = await storage.save_monitoring_run("indexer", EARLY, status="cancelled")
    second = await storage.save_monitoring_run("indexer", LATE)
    other = await storage.save_monitoring_run("reporter", LATE)
    await storage.save_monitoring_run("reporter", "2026-01-01T00:00:00Z")
    page = await storage.query_monitoring_runs(limit=2, with_total=True)
    assert ([run.id for run in page.items], page.total) == ([other.id, second.id], 3)
    rest = await storage.query_monitoring_runs(limit=2, cursor=page.next_cursor)
    assert [run.id for run in rest.items] == [first.id]
    assert [run.id for run in (await storage.query_monitoring_runs(processor_name="reporter")).items] == [other.id]
    assert [run.id for run in (await storage.query_monitoring_runs(status="cancelled")).items] == [first.id]
    assert len((await storage.query_monitoring_runs(hours=1_000)).items) == 4


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ({"end_time": EARLY, "start_time": LATE}, "end_time"),
        ({"status": "lost"}, "status"),
        ({"status": "success", "error_message": "no word"}, "error_message"),
        ({"counts": {"documents": -1}}, "counts"),
        ({"counts": {f"{number}": 1 for number in range(MOST_COUNTS + 1)}}, "counts"),
        ({"processor_name": ""}, "processor_name"),
    ],
)
async def test_a_run_that_makes_no_sense_is_refused(
    storage: UnifiedStorage, arguments: dict[str, Any], culprit: str
) -> None:
    with pytest.raises(InvalidInput, match=culprit):
        await storage.save_monitoring_run(**{"processor_name": "indexer", "start_time": EARLY, **arguments})
    assert (await storage.query_monitoring_runs()).items == []


async def test_old_errors_and_runs_go_with_old_hours(storage: UnifiedStorage, clock: SetClock) -> None:
    await storage.save_monitoring_error("model", "timeout")
    await storage.save_monitoring_run("indexer", EARLY)
    clock("2026-02-06T09:30:00Z")
    kept = await storage.save_monitoring_run("indexer", "2026-02-06T09:00:00Z")
    assert (await storage.cleanup_old_monitoring_data(7)).deleted == 0
    clock("2026-02-07T10:30:00Z")
    assert (await storage.cleanup_old_monitoring_data(7)).deleted == 2
    assert (await storage.query_monitoring_runs(hours=1_000)).items == [kept]
    assert await top(storage, hours=1_000) == []


async def test_rows_that_another_program_wrote_are_counted_as_far_as_they_can_be_read(storage: UnifiedStorage) -> None:
    def write(work: Any) -> None:
        work.connection.execute("DROP TRIGGER guard_monitoring_errors_inserted")
        sql = "INSERT INTO monitoring_errors (time_bucket, stage_name, message, count, created_at, updated_at) VALUES "
        for values in ("x'ff', x'fe', 'many', 5, 'x'", "'s', 'm', 2, '2026-01-31 09:00', NULL"):
            work.connection.execute(f"{sql} ('2026-01-31T09:00:00.000Z', {values})".replace("NULL", "x'00'"))

    await backend_of(storage).database.write(write)
    assert await top(storage) == [("s", "m", 2), ("\ufffd", "\ufffd", 0)]
