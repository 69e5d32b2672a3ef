"""Counts of each day, by the clock of the caller."""

from datetime import date
from typing import Any

import pytest

from sidecar.errors import InvalidInput
from sidecar.models.activities import ActivityCreate
from sidecar.models.contexts import ProcessedContextInput
from sidecar.models.daily_counts import MOST_DAYS
from sidecar.storage.resources.daily_counts import COUNTS, LONGEST_SHORT_RANGE
from sidecar.storage.resources.rows.days import days_between
from sidecar.storage.unified import UnifiedStorage

from ..support import backend_of

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 3)


async def completed(storage: UnifiedStorage, at: str) -> None:
    todo = await storage.insert_todo("word")
    await storage.update_todo_status(todo.id, 1, at)


async def created(storage: UnifiedStorage, *moments: str) -> None:
    for moment in moments:
        await storage.create_conversation("home", created_at=moment)


async def counts_of(storage: UnifiedStorage, first: date, last: date, zone: str) -> list[int]:
    """The number of conversations of each day, the same in both operations that count them."""
    of_all = [day.conversations for day in await storage.get_daily_counts(first, last, zone)]
    assert [day.count for day in await storage.get_conversation_counts(first, last, zone)] == of_all
    return of_all


async def test_every_kind_is_counted_on_its_day(storage: UnifiedStorage) -> None:
    day = "2026-01-02T12:00:00.000Z"
    await completed(storage, day)
    await storage.insert_todo("pending with a deadline", end_time=day)
    await created(storage, day, day)
    await storage.batch_insert_activities([ActivityCreate("a", "", day, "2026-01-03T12:00:00Z")] * 3)
    context: dict[str, Any] = {"extracted_data": {"context_type": "state"}, "text": "w", "vector": [1.0, 0.5]}
    context["properties"] = {"create_time": day}
    await storage.upsert_processed_context(ProcessedContextInput.model_validate(context))
    folder = await storage.insert_vaults("Folder", is_folder=True)
    vaults = [await storage.insert_vaults(f"{number}", parent_id=folder.id) for number in range(3)]
    await storage.delete_vault(vaults[0].id)
    sql = "UPDATE vaults SET created_at = ? WHERE id >= ?"  # without the Quick Start document
    await backend_of(storage).database.write(lambda work: work.connection.execute(sql, (day, folder.id)).rowcount)
    before, on_it, after = await storage.get_daily_counts(FIRST, LAST)
    assert (before.day, before.total, after.total) == (FIRST, 0, 0)
    assert on_it.model_dump() == {
        "day": date(2026, 1, 2),
        "todos": 1,
        "conversations": 2,
        "documents": 2,
        "activities": 3,
        "contexts": 1,
        "total": 9,
    }


async def test_each_kind_alone_has_the_counts_that_all_have_together(storage: UnifiedStorage) -> None:
    await completed(storage, "2026-01-03T23:59:59.999Z")
    await created(storage, "2026-01-01T00:00:00Z")
    today = (await storage.insert_vaults("new")).created_at[:10]
    together = await storage.get_daily_counts(FIRST, LAST)
    assert [day.count for day in await storage.get_todo_counts(FIRST, LAST)] == [day.todos for day in together]
    alone = await storage.get_conversation_counts(FIRST, LAST)
    assert [day.count for day in alone] == [day.conversations for day in together] == [1, 0, 0]
    day = date.fromisoformat(today)
    (of_vaults,), (of_all,) = await storage.get_vault_counts(day, day), await storage.get_daily_counts(day, day)
    assert of_vaults.count == of_all.documents > 0


async def test_a_deleted_conversation_is_not_counted(storage: UnifiedStorage) -> None:
    made = await storage.create_conversation("home", created_at="2026-01-01T00:00:00Z")
    await storage.delete_conversation(made.id)
    assert await counts_of(storage, FIRST, FIRST, "UTC") == [0]


async def test_a_reopened_todo_is_not_counted(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("word")
    await storage.update_todo_status(todo.id, 1, "2026-01-01T12:00:00Z")
    await storage.update_todo_status(todo.id, 0)
    assert [day.count for day in await storage.get_todo_counts(FIRST, FIRST)] == [0]


@pytest.mark.parametrize(
    ("zone", "first", "moments", "counts"),
    [
        # 29 March 2026 has 23 hours in Berlin, 25 October has 25.
        ("Europe/Berlin", date(2026, 3, 28), "03-28T22:59 03-28T23:00 03-29T21:59 03-29T22:00", [1, 2, 1]),
        ("Europe/Berlin", date(2026, 10, 24), "10-24T21:59 10-24T22:00 10-25T22:59 10-25T23:00", [1, 2, 1]),
        # In Santiago, the clock goes from 24:00 to 1:00 on 6 September 2026: this day begins at 1:00.
        ("America/Santiago", date(2026, 9, 5), "09-06T03:59 09-06T04:00 09-07T02:59 09-07T03:00", [1, 2, 1]),
        ("Asia/Kathmandu", date(2026, 1, 1), "01-01T18:14 01-01T18:15 01-02T18:14 01-02T18:15", [1, 2, 1]),
        ("-03:30", date(2026, 1, 1), "01-02T03:29 01-02T03:30 01-03T03:29 01-03T03:30", [1, 2, 1]),
        ("+05:00", date(2026, 1, 1), "01-01T18:59 01-01T19:00 01-02T18:59 01-02T19:00", [1, 2, 1]),
    ],
)
async def test_days_begin_at_midnight_by_the_clock_of_the_caller(
    storage: UnifiedStorage, zone: str, first: date, moments: str, counts: list[int]
) -> None:
    await created(storage, *(f"2026-{moment}:00Z" for moment in moments.split()))
    assert await counts_of(storage, first, first.replace(day=first.day + 2), zone) == counts


async def test_a_year_is_counted_like_a_day(storage: UnifiedStorage) -> None:
    await created(storage, "2026-01-01T00:00:00Z", "2026-12-31T23:59:59.999Z")
    counts = await counts_of(storage, FIRST, date(2026, 12, 31), "UTC")
    assert len(counts) == 365 > LONGEST_SHORT_RANGE
    assert (counts[0], sum(counts[1:-1]), counts[-1]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("first", "last", "zone", "culprit"),
    [
        (date(2026, 1, 2), date(2026, 1, 1), "UTC", "end_date"),
        (date(2024, 1, 1), date(2026, 1, 1), "UTC", f"end_date.*{MOST_DAYS}"),
        (date(2026, 1, 1), date(2026, 1, 1), "Mars/Olympus", "time_zone"),
        (date(2026, 1, 1), date(2026, 1, 1), "+25:00", "time_zone"),
        (date.min, date.min, "+01:00", "start_date"),
        (date.max, date.max, "UTC", "end_date"),
    ],
)
async def test_days_that_cannot_be_counted_are_refused(
    storage: UnifiedStorage, first: date, last: date, zone: str, culprit: str
) -> None:
    with pytest.raises(InvalidInput, match=culprit):
        await storage.get_daily_counts(first, last, zone)


async def test_values_that_are_no_times_are_on_no_day(storage: UnifiedStorage) -> None:
    def write(work: Any) -> None:
        work.connection.execute("DROP TRIGGER guard_vaults_inserted")
        for moment in ("5", "'yesterday'", "x'00'"):
            work.connection.execute(f"INSERT INTO vaults (title, is_folder, created_at) VALUES ('f', 1, {moment})")
            work.connection.execute(f"INSERT INTO vaults (title, created_at) VALUES ('d', {moment})")

    await backend_of(storage).database.write(write)
    assert [day.total for day in await storage.get_daily_counts(FIRST, LAST)] == [0, 0, 0]


@pytest.mark.parametrize("kind", COUNTS)
async def test_days_are_counted_over_a_covering_index(storage: UnifiedStorage, kind: str) -> None:
    class Explaining:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def execute(self, sql: str, values: Any = ()) -> Any:
            if "count(*)" in sql:
                plans.append([row[3] for row in self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)])
            return self._connection.execute(sql, values)

    plans: list[list[str]] = []
    days = days_between(FIRST, FIRST, "UTC")
    await backend_of(storage).database.read(lambda connection: COUNTS[kind](Explaining(connection), days))
    assert plans
    assert all("COVERING INDEX" in step for plan in plans for step in plan), plans
