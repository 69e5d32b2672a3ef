"""Messages: their states, how they grow, and the thinking behind them."""

import asyncio
from pathlib import Path

import pytest

from sidecar.config import DatabaseSettings
from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.base import MAX_INTEGER
from sidecar.models.messages import MessageStatus
from sidecar.storage.interfaces import Change
from sidecar.storage.resources.message_finish import CUT_OFF
from sidecar.storage.resources.messages import DELTAS
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.storage.conftest import clock_moved_on

FINISHED = ("completed", "failed", "cancelled")


@pytest.fixture
async def conversation(storage: UnifiedStorage) -> int:
    return (await storage.create_conversation("home")).id


@pytest.fixture
async def streaming(storage: UnifiedStorage, conversation: int) -> int:
    return (await storage.create_streaming_message(conversation, "assistant")).id


async def test_a_message_is_read_back_as_it_was_made(storage: UnifiedStorage, conversation: int) -> None:
    made = await storage.create_message(conversation, "user", "hello", token_count=3, metadata={"a": [1]})
    assert await storage.get_message(made.id) == made
    assert (made.status, made.content, made.token_count, made.metadata) == ("completed", "hello", 3, {"a": [1]})
    assert made.completed_at == made.created_at


async def test_a_message_that_is_not_complete_is_pending(storage: UnifiedStorage, conversation: int) -> None:
    made = await storage.create_message(conversation, "user", "so far", is_complete=False)
    assert (made.status, made.completed_at, made.latency_ms) == ("pending", None, None)


async def test_a_message_moves_its_conversation_to_the_top(storage: UnifiedStorage, conversation: int) -> None:
    await storage.create_conversation("home")
    await clock_moved_on()
    await storage.create_message(conversation, "user", "hello")
    assert (await storage.get_conversation_list()).items[0].id == conversation


async def test_a_thread_stays_in_its_conversation(storage: UnifiedStorage, conversation: int) -> None:
    parent = await storage.create_message(conversation, "user", "question")
    child = await storage.create_message(conversation, "assistant", "answer", parent_message_id=parent.id)
    assert child.parent_message_id == parent.id
    other = await storage.create_conversation("away")
    with pytest.raises(Conflict, match="another conversation"):
        await storage.create_message(other.id, "user", "x", parent_message_id=parent.id)
    with pytest.raises(NotFound):
        await storage.create_message(conversation, "user", "x", parent_message_id=999)


async def test_an_unknown_role_or_state_is_refused(storage: UnifiedStorage, conversation: int, streaming: int) -> None:
    with pytest.raises(InvalidInput, match="role"):
        await storage.create_message(conversation, "robot", "x")
    for status in ("done", "streaming", "pending"):
        with pytest.raises(InvalidInput, match="status"):
            await storage.mark_message_finished(streaming, status)


async def test_a_streamed_message_grows_and_is_read_whole_at_any_time(storage: UnifiedStorage, streaming: int) -> None:
    for number, chunk in enumerate(("Hel", "lo ", "wörld 👋")):
        appended = await storage.append_message_content(streaming, chunk, token_count=2)
        assert appended.next_sequence == number + 1
    message = await storage.get_message(streaming)
    assert (message.content, message.status, message.token_count) == ("Hello wörld 👋", "streaming", 6)
    assert message.next_sequence == 3
    finished = await storage.mark_message_finished(streaming)
    assert (finished.content, finished.status, finished.token_count) == ("Hello wörld 👋", "completed", 6)
    assert await storage.get_message(streaming) == finished
    assert finished.latency_ms is not None
    assert finished.completed_at is not None


async def test_appending_to_a_pending_message_begins_to_stream_it(storage: UnifiedStorage, conversation: int) -> None:
    made = await storage.create_message(conversation, "user", "so ", is_complete=False)
    await storage.append_message_content(made.id, "far")
    message = await storage.get_message(made.id)
    assert (message.status, message.content) == ("streaming", "so far")
    assert (await storage.interrupt_message(made.id)).content == "so far"


@pytest.mark.parametrize("status", FINISHED)
async def test_nothing_is_appended_to_a_finished_message(storage: UnifiedStorage, streaming: int, status: str) -> None:
    await storage.mark_message_finished(streaming, status)
    with pytest.raises(Conflict, match=status):
        await storage.append_message_content(streaming, "late")


@pytest.mark.parametrize("status", FINISHED)
async def test_finishing_twice_the_same_way_is_fine_and_another_way_is_not(
    storage: UnifiedStorage, streaming: int, status: str
) -> None:
    first = await storage.mark_message_finished(streaming, status, "why")
    assert await storage.mark_message_finished(streaming, status) == first
    for other in set(FINISHED) - {status}:
        with pytest.raises(Conflict):
            await storage.mark_message_finished(streaming, other)


async def test_interrupting_keeps_what_was_written(storage: UnifiedStorage, streaming: int) -> None:
    await storage.append_message_content(streaming, "half an ans")
    interrupted = await storage.interrupt_message(streaming)
    assert (interrupted.status, interrupted.content) == (MessageStatus.CANCELLED, "half an ans")


async def test_a_repeated_chunk_is_not_written_twice(storage: UnifiedStorage, streaming: int) -> None:
    for sequence, chunk in ((0, "a"), (0, "a"), (1, "b"), (0, "a"), (1, "b")):
        await storage.append_message_content(streaming, chunk, sequence=sequence)
    assert (await storage.get_message(streaming)).content == "ab"


async def test_a_gap_or_another_text_is_a_conflict(storage: UnifiedStorage, streaming: int) -> None:
    await storage.append_message_content(streaming, "a", sequence=0)
    with pytest.raises(Conflict, match="gap"):
        await storage.append_message_content(streaming, "c", sequence=2)
    with pytest.raises(Conflict, match="another text"):
        await storage.append_message_content(streaming, "z", sequence=0)
    assert (await storage.get_message(streaming)).content == "a"


async def test_concurrent_appends_are_all_kept_whole(storage: UnifiedStorage, streaming: int) -> None:
    await asyncio.gather(*(storage.append_message_content(streaming, f"<{number}>") for number in range(50)))
    content = (await storage.get_message(streaming)).content
    assert sorted(content.strip("<>").split("><"), key=int) == [str(number) for number in range(50)]


async def test_each_chunk_is_told_with_its_text(storage: UnifiedStorage, conversation: int, streaming: int) -> None:
    seen: list[Change] = []
    storage.subscribe(seen.extend)
    await storage.append_message_content(streaming, "a")
    await storage.append_message_content(streaming, "a", sequence=0)
    delta = {"conversation_id": conversation, "sequence": 0, "text": "a"}
    assert seen == [Change(DELTAS, streaming, delta)]


async def test_a_message_that_was_cut_off_has_failed_and_kept_every_chunk(tmp_path: Path) -> None:
    config = document_backend(DatabaseSettings(), tmp_path)
    storage = UnifiedStorage.create([config])
    await storage.initialize()
    conversation = (await storage.create_conversation("home")).id
    message = (await storage.create_streaming_message(conversation, "assistant")).id
    for chunk in ("half ", "an ", "answer"):
        await storage.append_message_content(message, chunk)
    await storage.close()
    again = UnifiedStorage.create([config])
    await again.initialize()
    found = await again.get_message(message)
    await again.close()
    assert (found.status, found.content, found.error_message) == ("failed", "half an answer", CUT_OFF)


async def test_an_update_replaces_the_content_chunks_included(storage: UnifiedStorage, streaming: int) -> None:
    await storage.append_message_content(streaming, "wrong")
    updated = await storage.update_message(streaming, "right", is_complete=True, token_count=1)
    assert (updated.content, updated.status, updated.token_count) == ("right", "completed", 1)
    assert (await storage.get_message(streaming)).content == "right"


async def test_metadata_is_merged_and_null_removes_a_name(storage: UnifiedStorage, conversation: int) -> None:
    made = await storage.create_message(conversation, "user", "x", metadata={"a": 1, "b": 2})
    updated = await storage.update_message_metadata(made.id, {"b": None, "c": {"d": 3}})
    assert updated.metadata == {"a": 1, "c": {"d": 3}}


async def test_a_deleted_message_is_gone(storage: UnifiedStorage, streaming: int) -> None:
    await storage.append_message_content(streaming, "x")
    await storage.add_message_thinking(streaming, "t")
    await storage.delete_message(streaming)
    for reading in (storage.get_message(streaming), storage.get_message_thinking(streaming)):
        with pytest.raises(NotFound):
            await reading


async def test_pages_lead_through_a_conversation_in_both_directions(storage: UnifiedStorage, conversation: int) -> None:
    ids = [(await storage.create_message(conversation, "user", str(number))).id for number in range(10)]
    elsewhere = await storage.create_conversation("away")
    await storage.create_message(elsewhere.id, "user", "not mine")

    async def page(**query: int | bool) -> tuple[list[int], bool, bool]:
        found = await storage.get_conversation_messages(conversation, limit=4, **query)  # type: ignore[arg-type]
        return [message.id for message in found.items], found.has_before, found.has_after

    assert await page() == (ids[:4], False, True)
    assert await page(after=ids[3]) == (ids[4:8], True, True)
    assert await page(after=ids[7]) == (ids[8:], True, False)
    assert await page(newest=True) == (ids[6:], True, False)
    assert await page(before=ids[6]) == (ids[2:6], True, True)
    assert await page(before=ids[2]) == (ids[:2], False, True)


async def test_a_page_has_one_anchor(storage: UnifiedStorage, conversation: int) -> None:
    with pytest.raises(InvalidInput, match="after"):
        await storage.get_conversation_messages(conversation, after=1, before=2)


async def test_messages_of_a_conversation_that_is_not_there_are_not_found(storage: UnifiedStorage) -> None:
    with pytest.raises(NotFound):
        await storage.get_conversation_messages(999)


async def test_thinking_comes_with_its_message_in_order(storage: UnifiedStorage, conversation: int) -> None:
    first = await storage.create_message(conversation, "assistant", "one")
    second = await storage.create_message(conversation, "assistant", "two")
    late = await storage.add_message_thinking(first.id, "late", sequence=5, stage="plan", progress=0.5)
    early = await storage.add_message_thinking(first.id, "early", sequence=1, metadata={"k": "v"})
    page = await storage.get_conversation_messages(conversation)
    assert [[step.id for step in message.thinking] for message in page.items] == [[early.id, late.id], []]
    assert list(await storage.get_message_thinking(first.id)) == [early, late]
    without = await storage.get_conversation_messages(conversation, include_thinking=False)
    assert all(message.thinking == [] for message in without.items)
    assert (await storage.get_message(second.id)).thinking == []


async def test_the_last_place_of_thinking_has_no_end(storage: UnifiedStorage, conversation: int) -> None:
    message = await storage.create_message(conversation, "assistant", "answer")
    steps = [await storage.add_message_thinking(message.id, "t", sequence=place) for place in (MAX_INTEGER, None)]
    assert list(await storage.get_message_thinking(message.id)) == steps


async def test_sequences_of_thinking_are_given_once_each_also_at_the_same_time(
    storage: UnifiedStorage, streaming: int
) -> None:
    await asyncio.gather(*(storage.add_message_thinking(streaming, f"step {number}") for number in range(20)))
    assert [step.sequence for step in await storage.get_message_thinking(streaming)] == list(range(20))


async def test_thinking_can_be_cleared(storage: UnifiedStorage, streaming: int) -> None:
    await storage.add_message_thinking(streaming, "t")
    await storage.clear_message_thinking(streaming)
    assert await storage.get_message_thinking(streaming) == []


@pytest.mark.parametrize("progress", [-0.1, 1.1, float("nan")])
async def test_progress_lies_between_0_and_1(storage: UnifiedStorage, streaming: int, progress: float) -> None:
    with pytest.raises(InvalidInput, match="progress"):
        await storage.add_message_thinking(streaming, "t", progress=progress)


async def test_thinking_needs_its_message(storage: UnifiedStorage) -> None:
    for work in (storage.add_message_thinking(999, "t"), storage.clear_message_thinking(999)):
        with pytest.raises(NotFound):
            await work
