"""Conversation states: what is kept of a thread, how cache information merges, exchanges and their cost."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.errors import InvalidInput, NotFound
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.resources.first_request import first_request
from sidecar.storage.unified import UnifiedStorage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
EARLY, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T17:00:00.000Z"


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


async def state(storage: UnifiedStorage, thread_id: str) -> tuple[list[Any], dict[str, Any]]:
    read = await storage.get_conversation_state(thread_id)
    return read.messages, read.cache_info


async def test_a_state_is_read_back_as_it_was_saved(storage: UnifiedStorage) -> None:
    messages = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": [{"type": "text", "text": "hi"}]},
    ]
    await storage.save_conversation_state("thread", messages, {"cached": 3})
    read = await storage.get_conversation_state("thread")
    assert (read.thread_id, read.messages, read.cache_info) == ("thread", messages, {"cached": 3})
    assert read.updated_at is not None


async def test_a_thread_that_is_not_there_reads_as_empty(storage: UnifiedStorage) -> None:
    assert await state(storage, "nobody") == ([], {})
    with pytest.raises(NotFound, match="nobody"):
        await storage.get_thread("nobody")


async def test_saving_again_replaces_the_messages(storage: UnifiedStorage) -> None:
    await storage.save_conversation_state("thread", [1, 2])
    await storage.save_conversation_state("thread", [3])
    assert await state(storage, "thread") == ([3], {})


async def test_saving_without_cache_information_keeps_what_is_stored(storage: UnifiedStorage) -> None:
    await storage.save_conversation_state("thread", [], {"a": 1})
    await storage.save_conversation_state("thread", [1])
    assert await state(storage, "thread") == ([1], {"a": 1})


async def test_saving_with_cache_information_merges_it_over_what_is_stored(storage: UnifiedStorage) -> None:
    await storage.save_conversation_state("thread", [], {"a": 1, "b": {"x": 1}})
    await storage.save_conversation_state("thread", [], {"b": {"y": 2}, "c": None})
    assert await state(storage, "thread") == ([], {"a": 1, "b": {"y": 2}, "c": None})


async def test_updating_cache_information_merges_it_and_keeps_the_messages(storage: UnifiedStorage) -> None:
    await storage.save_conversation_state("thread", ["m"], {"a": 1})
    await storage.update_cache_info("thread", {"a": 2, "b": 3})
    assert await state(storage, "thread") == (["m"], {"a": 2, "b": 3})


async def test_updating_removes_the_names_whose_value_is_none(storage: UnifiedStorage) -> None:
    await storage.save_conversation_state("thread", ["m"], {"a": 1, "b": None, "c": 3})
    await storage.update_cache_info("thread", {"a": None, "nobody": None, "d": {"e": None}})
    assert await state(storage, "thread") == (["m"], {"b": None, "c": 3, "d": {"e": None}})


async def test_updating_the_cache_information_of_an_unknown_thread_does_nothing(storage: UnifiedStorage) -> None:
    assert await storage.update_cache_info("thread", {"a": 1}) is None
    assert (await storage.get_threads()).items == []


async def test_updating_an_unknown_thread_with_a_key_does_nothing_twice(storage: UnifiedStorage) -> None:
    key = IdempotencyKey("key-1")
    for _ in range(2):
        assert await storage.update_cache_info("thread", {"a": 1}, key=key) is None
        await storage.save_conversation_state("thread", [])


async def test_clearing_takes_the_state_and_leaves_the_thread(storage: UnifiedStorage) -> None:
    await storage.save_conversation_state("thread", [1], {"a": 1}, project_root="/home/ada")
    await storage.add_exchange("thread", "model", "hello", {"total": 1.0})
    for _ in range(2):
        await storage.clear_conversation_state("thread")
        assert await state(storage, "thread") == ([], {})
    assert (await storage.get_thread("thread")).project_root == "/home/ada"
    assert (await storage.get_thread_cost("thread")).exchanges == 1
    await storage.clear_conversation_state("nobody")


async def test_threads_do_not_touch_each_other(storage: UnifiedStorage) -> None:
    await storage.save_conversation_state("one", [1], {"a": 1})
    await storage.save_conversation_state("two", [2], {"b": 2})
    await storage.clear_conversation_state("one")
    assert await state(storage, "two") == ([2], {"b": 2})


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(messages=st.lists(JSON), cache_info=st.dictionaries(st.text(), JSON))
async def test_anything_json_can_hold_comes_back_equal(
    storage: UnifiedStorage, messages: list[Any], cache_info: dict[str, Any]
) -> None:
    await storage.clear_conversation_state("thread")
    await storage.save_conversation_state("thread", messages, cache_info)
    assert await state(storage, "thread") == (messages, cache_info)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(thread_id=st.text(min_size=1, max_size=500))
async def test_any_text_is_a_thread_id(storage: UnifiedStorage, thread_id: str) -> None:
    await storage.save_conversation_state(thread_id, [thread_id])
    assert await state(storage, thread_id) == ([thread_id], {})


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), "\ud800", {1, 2}, nested(300), nested(100_000)])
async def test_what_json_cannot_hold_is_refused_by_name(storage: UnifiedStorage, value: Any) -> None:
    with pytest.raises(InvalidInput, match="messages"):
        await storage.save_conversation_state("thread", [value])
    with pytest.raises(InvalidInput, match="cache_info"):
        await storage.save_conversation_state("thread", [], {"value": value})
    with pytest.raises(InvalidInput, match="cache_info"):
        await storage.update_cache_info("thread", {"value": value})
    assert (await storage.get_threads()).items == []


@pytest.mark.parametrize("thread_id", ["", "x" * 501, "\ud800"])
async def test_a_thread_id_that_is_empty_huge_or_not_text_is_refused(storage: UnifiedStorage, thread_id: str) -> None:
    for call in (
        storage.save_conversation_state(thread_id, []),
        storage.get_conversation_state(thread_id),
        storage.update_cache_info(thread_id, {}),
        storage.clear_conversation_state(thread_id),
        storage.get_thread(thread_id),
        storage.get_exchanges(thread_id),
        storage.get_thread_cost(thread_id),
        storage.add_exchange(thread_id, "model", "request"),
        storage.delete_thread_permanently(thread_id),
    ):
        with pytest.raises(InvalidInput, match="thread_id"):
            await call


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "hello"},
        {"role": "user", "content": ["hel", {"type": "text", "text": "lo"}, {"type": "image", "source": {}}]},
        {"type": "human", "content": "hello"},
        {"type": "human", "data": {"content": "hello"}},
        {"type": "constructor", "id": ["schema", "messages", "HumanMessage"], "kwargs": {"content": "hello"}},
    ],
)
def test_the_first_request_is_seen_in_the_first_user_message(message: Any) -> None:
    later = {"role": "user", "content": "later"}
    assert first_request([{"role": "system", "content": "be brief"}, message, later]) == "hello"


@pytest.mark.parametrize("messages", [[], [1, None, "x"], [{"role": 5, "id": 7}], [{"role": "user", "content": None}]])
def test_a_first_request_that_cannot_be_seen_is_none(messages: list[Any]) -> None:
    assert first_request(messages) is None


async def test_the_first_request_stays_the_first(storage: UnifiedStorage) -> None:
    await storage.save_conversation_state("thread", [{"role": "user", "content": "first"}])
    saved = await storage.save_conversation_state("thread", [{"role": "user", "content": "second"}])
    assert saved.initial_request == "first"
    given_one = await storage.save_conversation_state("thread", [], initial_request="given")
    assert given_one.initial_request == "given"


async def test_what_is_known_about_a_thread_stays_unless_it_is_given(storage: UnifiedStorage) -> None:
    made = await storage.save_conversation_state(
        "thread", [], project_root="/home/ada", current_issue="31", metadata={"colour": "red"}
    )
    saved = await storage.save_conversation_state("thread", [], current_issue="32")
    assert saved == made.model_copy(update={"current_issue": "32", "updated_at": saved.updated_at})
    assert await storage.get_thread("thread") == saved
    assert made.metadata == {"colour": "red"}


async def test_threads_are_listed_in_pages_the_one_that_changed_last_first(storage: UnifiedStorage) -> None:
    for number in range(5):
        await storage.save_conversation_state(f"thread {number}", [])
    first = await storage.get_threads(limit=3, with_total=True)
    second = await storage.get_threads(limit=3, cursor=first.next_cursor)
    assert [thread.thread_id for thread in (*first.items, *second.items)] == [f"thread {n}" for n in (4, 3, 2, 1, 0)]
    assert (first.total, second.next_cursor) == (5, None)


async def test_a_thread_removed_for_good_takes_everything_along(storage: UnifiedStorage) -> None:
    await storage.save_conversation_state("thread", [1], {"a": 1})
    await storage.add_exchange("thread", "model", "hello", {"total": 1.0})
    await storage.delete_thread_permanently("thread")
    assert await state(storage, "thread") == ([], {})
    assert (await storage.get_exchanges("thread")).items == []
    with pytest.raises(NotFound):
        await storage.delete_thread_permanently("thread")


async def test_exchanges_are_listed_the_oldest_first_and_their_cost_is_summed(storage: UnifiedStorage) -> None:
    first = await storage.add_exchange("thread", "model", "one", {"total": 0.5, "cache": 1.0}, EARLY, LATE)
    second = await storage.add_exchange("thread", "other", "two", {"total": 0.25})
    await storage.add_exchange("another thread", "model", "three", {"total": 8.0})
    page = await storage.get_exchanges("thread", limit=1, with_total=True)
    assert (page.items, page.total) == ([first], 2)
    assert (await storage.get_exchanges("thread", cursor=page.next_cursor)).items == [second]
    cost = await storage.get_thread_cost("thread")
    assert (cost.exchanges, cost.cost) == (2, {"total": 0.75, "cache": 1.0})
    assert (first.start, first.end, second.end) == (EARLY, LATE, None)
    assert (await storage.get_thread("thread")).initial_request == "one"


async def test_the_exchanges_of_a_thread_that_is_not_there_cost_nothing(storage: UnifiedStorage) -> None:
    cost = await storage.get_thread_cost("nobody")
    assert (cost.exchanges, cost.cost) == (0, {})
    assert (await storage.get_exchanges("nobody")).items == []


async def test_an_exchange_cannot_end_before_it_starts_or_cost_what_is_no_number(storage: UnifiedStorage) -> None:
    with pytest.raises(InvalidInput, match="end"):
        await storage.add_exchange("thread", "model", "hello", start=LATE, end=EARLY)
    with pytest.raises(InvalidInput, match="cost"):
        await storage.add_exchange("thread", "model", "hello", {"total": float("nan")})
    assert (await storage.get_threads()).items == []


async def test_changes_are_told_by_thread_id(storage: UnifiedStorage) -> None:
    seen: list[tuple[str, int | str]] = []
    storage.subscribe(lambda changes: seen.extend((change.topic, change.id) for change in changes))
    await storage.save_conversation_state("one", [])
    await storage.update_cache_info("one", {})
    await storage.update_cache_info("nobody", {})
    await storage.add_exchange("three", "model", "hello")
    await storage.clear_conversation_state("one")
    await storage.clear_conversation_state("nobody")
    await storage.delete_thread_permanently("one")
    assert seen == [("states", thread_id) for thread_id in ("one", "one", "three", "one", "one")]


async def test_a_repeated_key_adds_one_exchange(storage: UnifiedStorage) -> None:
    key = IdempotencyKey("key-1")
    made = [await storage.add_exchange("thread", "model", "hello", {"total": 1.0}, key=key) for _ in range(2)]
    assert made[0] == made[1]
    assert (await storage.get_thread_cost("thread")).exchanges == 1
