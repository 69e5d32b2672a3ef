"""Conversations: their list, their state, their end."""

import pytest

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.conversations import ConversationStatus
from sidecar.storage.unified import UnifiedStorage
from tests.storage.conftest import clock_moved_on


async def test_a_conversation_is_read_back_as_it_was_made(storage: UnifiedStorage) -> None:
    made = await storage.create_conversation("home", "ada", "Journey", {"project": {"root": "/p"}, "n": None})
    assert await storage.get_conversation(made.id) == made
    assert (made.page_name, made.user_id, made.title, made.status) == ("home", "ada", "Journey", "active")
    assert made.metadata == {"project": {"root": "/p"}, "n": None}


async def test_the_conversation_that_changed_last_comes_first(storage: UnifiedStorage) -> None:
    first = await storage.create_conversation("home")
    second = await storage.create_conversation("home")
    assert [one.id for one in (await storage.get_conversation_list()).items] == [second.id, first.id]
    await clock_moved_on()
    await storage.update_conversation(first.id, title="new")
    assert [one.id for one in (await storage.get_conversation_list()).items] == [first.id, second.id]


async def test_conversations_are_listed_by_page_user_and_status_with_their_total(storage: UnifiedStorage) -> None:
    home = await storage.create_conversation("home", "ada")
    await storage.create_conversation("home", "bob")
    away = await storage.create_conversation("away", "ada")
    await storage.update_conversation(away.id, status="archived")
    by_page = await storage.get_conversation_list(page_name="home", limit=1)
    assert (len(by_page.items), by_page.total) == (1, 2)
    by_user = await storage.get_conversation_list(user_id="ada", status="active")
    assert [one.id for one in by_user.items] == [home.id]


async def test_a_deleted_conversation_is_hidden_and_restored_with_its_status(storage: UnifiedStorage) -> None:
    made = await storage.create_conversation("home")
    await storage.update_conversation(made.id, status="archived")
    assert (await storage.delete_conversation(made.id)).status is ConversationStatus.DELETED
    assert (await storage.get_conversation_list()).items == []
    assert [one.id for one in (await storage.get_conversation_list(status="deleted")).items] == [made.id]
    assert (await storage.restore_conversation(made.id)).status is ConversationStatus.ARCHIVED


async def test_a_deleted_conversation_takes_no_change_and_no_message(storage: UnifiedStorage) -> None:
    made = await storage.create_conversation("home")
    await storage.delete_conversation(made.id)
    with pytest.raises(Conflict, match="restore it first"):
        await storage.update_conversation(made.id, title="new")
    with pytest.raises(Conflict, match="restore it first"):
        await storage.create_message(made.id, "user", "hello")
    with pytest.raises(Conflict):
        await storage.delete_conversation(made.id)


async def test_permanent_deletion_takes_messages_chunks_and_thinking(storage: UnifiedStorage) -> None:
    made = await storage.create_conversation("home")
    message = await storage.create_streaming_message(made.id, "assistant")
    await storage.append_message_content(message.id, "chunk")
    await storage.add_message_thinking(message.id, "thought")
    await storage.delete_conversation_permanently(made.id)
    for reading in (storage.get_conversation(made.id), storage.get_message(message.id)):
        with pytest.raises(NotFound):
            await reading


async def test_an_unknown_status_is_refused(storage: UnifiedStorage) -> None:
    with pytest.raises(InvalidInput, match="active, archived, deleted"):
        await storage.get_conversation_list(status="lost")


async def test_a_title_may_be_as_long_as_a_text_and_is_found_by_its_last_word(storage: UnifiedStorage) -> None:
    title = "word " * 20_000 + "lighthouse"
    made = await storage.create_conversation("home", title=title)
    assert (await storage.get_conversation_list()).items == [made]
    assert made.title == title
    assert [hit.id for hit in (await storage.search_documents("lighthouse")).items] == [f"conversation:{made.id}"]
