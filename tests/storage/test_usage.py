"""The usage of models: sums of tokens and cost by model, conversation and day."""

import sqlite3
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from sidecar.errors import InvalidInput
from sidecar.models.messages import MAX_TOKENS
from sidecar.models.usage import UsageReport
from sidecar.storage.resources.usage import usage_sql
from sidecar.storage.unified import UnifiedStorage

LATE, NEXT = "2024-03-01T22:30:00.000Z", "2024-03-02T10:00:00.000Z"


async def spend(store: UnifiedStorage, conversation_id: int, **fields: Any) -> None:
    await store.create_message(conversation_id, "assistant", "word", **fields)


@pytest.fixture
async def spent(storage: UnifiedStorage) -> UnifiedStorage:
    """Two conversations with three priced messages on two days, one of which is another day in Berlin's spring."""
    first, second = [(await storage.create_conversation("chat")).id for _ in range(2)]
    await spend(storage, first, model="large", prompt_tokens=10, completion_tokens=1, cost=0.1, created_at=LATE)
    await spend(storage, first, model="small", prompt_tokens=20, completion_tokens=2, created_at=NEXT)
    await spend(storage, second, model="large", prompt_tokens=30, cost=0.2, created_at=NEXT)
    await spend(storage, second, created_at=NEXT)
    return storage


def rows(report: UsageReport, *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(item, field) for field in fields) for item in report.items]


async def test_everything_is_one_group_without_a_grouping(spent: UnifiedStorage) -> None:
    report = await spent.get_message_usage()
    assert rows(report, "messages", "prompt_tokens", "completion_tokens", "cost") == [(3, 60, 3, 0.3)]
    assert (report.totals.messages, report.totals.cost, report.has_more) == (3, 0.3, False)


async def test_usage_is_grouped_by_model_the_costliest_first(spent: UnifiedStorage) -> None:
    report = await spent.get_message_usage(["model"])
    assert rows(report, "model", "messages", "prompt_tokens", "cost") == [("large", 2, 40, 0.3), ("small", 1, 20, 0)]


async def test_usage_is_grouped_by_conversation_and_model_together(spent: UnifiedStorage) -> None:
    report = await spent.get_message_usage(["conversation", "model"])
    assert rows(report, "conversation_id", "model") == [(2, "large"), (1, "large"), (1, "small")]


async def test_days_begin_at_midnight_in_the_time_zone(spent: UnifiedStorage) -> None:
    first, second = date(2024, 3, 1), date(2024, 3, 2)
    assert rows(await spent.get_message_usage(["day"]), "day", "messages") == [(first, 1), (second, 2)]
    in_tokyo = await spent.get_message_usage(["day"], time_zone="Asia/Tokyo")
    assert rows(in_tokyo, "day", "messages") == [(second, 3)]


async def test_usage_is_filtered_by_time_model_and_conversation(spent: UnifiedStorage) -> None:
    assert (await spent.get_message_usage(start_time=NEXT)).totals.messages == 2
    assert (await spent.get_message_usage(end_time=NEXT)).totals.messages == 1
    assert (await spent.get_message_usage(model="large")).totals.messages == 2
    assert (await spent.get_message_usage(conversation_id=2, model="small")).items == []


async def test_groups_beyond_the_limit_are_counted_in_the_total_alone(spent: UnifiedStorage) -> None:
    for groups in (["model"], ["day"]):
        report = await spent.get_message_usage(groups, limit=1)
        assert (len(report.items), report.has_more, report.totals.messages) == (1, True, 3)


async def test_a_store_without_usage_has_no_days(storage: UnifiedStorage) -> None:
    report = await storage.get_message_usage(["day", "model"])
    assert (report.items, report.totals.messages, report.totals.cost) == ([], 0, 0)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [("group_by", {"group_by": ["week"]}), ("time_zone", {"time_zone": "Mars"}), ("limit", {"limit": 0})],
)
async def test_what_no_group_can_be_made_of_is_refused(
    storage: UnifiedStorage, field: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await storage.get_message_usage(**arguments)
    assert refused.value.errors[0].field == field


async def test_more_than_ten_years_of_days_are_refused(storage: UnifiedStorage) -> None:
    conversation = await storage.create_conversation("chat")
    for year in (2000, 2024):
        await spend(storage, conversation.id, cost=1, created_at=f"{year}-01-01T00:00:00Z")
    with pytest.raises(InvalidInput, match="3660 days"):
        await storage.get_message_usage(["day"])
    assert (await storage.get_message_usage(["day"], start_time="2001-01-01T00:00:00Z")).totals.messages == 1


async def test_the_largest_counts_add_up(storage: UnifiedStorage) -> None:
    conversation = await storage.create_conversation("chat")
    for _ in range(3):
        await spend(storage, conversation.id, prompt_tokens=MAX_TOKENS)
    assert (await storage.get_message_usage()).totals.prompt_tokens == 3 * MAX_TOKENS
    with pytest.raises(InvalidInput):
        await spend(storage, conversation.id, prompt_tokens=MAX_TOKENS + 1)


def test_sums_are_read_from_the_index_of_usage_alone(migrated: Callable[[], sqlite3.Connection]) -> None:
    connection = migrated()
    for columns in ([], ["model"], ["conversation_id", "model"]):
        plan = connection.execute(f"EXPLAIN QUERY PLAN {usage_sql(columns, 'created_at >= 2')}", (1,)).fetchall()
        assert any("USING COVERING INDEX idx_messages_usage" in row[3] for row in plan), plan
