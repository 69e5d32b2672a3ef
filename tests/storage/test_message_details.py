"""What a message may have besides its text: times, external ids, parents of its batch, parts, usage and cost."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sidecar.config import DatabaseSettings
from sidecar.errors import InvalidInput
from sidecar.models.message_parts import ImagePart, MessagePart, TextPart, ToolCallPart
from sidecar.models.messages import BatchMessage, Message, MessageCreate, MessageStatus, Role
from sidecar.storage.resources.usage import USED
from sidecar.storage.sqlite.schema import odd_messages
from sidecar.storage.sqlite.schema.migrations import m0014_histories
from sidecar.storage.unified import UnifiedStorage, document_backend

from ..reading import versions
from ..reading.stores import opened

EARLY, LATER, LATEST = "2024-03-01T10:00:00.000Z", "2024-03-01T10:00:01.500Z", "2024-03-01T10:00:09.000Z"
PARTS: list[MessagePart] = [
    TextPart(type="text", text="look"),
    ImagePart(type="image", reference="file-1"),
    TextPart(type="text", text="here"),
    ToolCallPart(type="tool_call", name="find", arguments={"words": ["a", None]}),
]


@pytest.fixture
async def conversation(storage: UnifiedStorage) -> int:
    return (await storage.create_conversation("chat")).id


async def read(storage: UnifiedStorage, conversation_id: int) -> list[Message]:
    return (await storage.get_conversation_messages(conversation_id)).items


class TestTimes:
    async def test_a_message_has_the_times_that_are_given_and_a_latency_that_follows_from_them(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        message = await storage.create_message(
            conversation, "assistant", "word", created_at=EARLY, completed_at=LATER, updated_at=LATEST
        )
        assert (message.created_at, message.completed_at, message.updated_at) == (EARLY, LATER, LATEST)
        assert message.latency_ms == 1500

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"created_at": LATER}, (LATER, LATER, LATER, 0)),
            ({"completed_at": LATER}, (LATER, LATER, LATER, 0)),
            ({"created_at": LATER, "completed_at": EARLY}, (LATER, EARLY, LATER, 0)),
            ({"created_at": LATER, "is_complete": False}, (LATER, None, LATER, None)),
        ],
    )
    async def test_times_that_are_not_given_follow_from_the_others(
        self, storage: UnifiedStorage, conversation: int, given: dict[str, Any], expected: tuple[Any, ...]
    ) -> None:
        message = await storage.create_message(conversation, "user", "word", **given)
        assert (message.created_at, message.completed_at, message.updated_at, message.latency_ms) == expected

    async def test_an_open_message_has_no_end(self, storage: UnifiedStorage, conversation: int) -> None:
        with pytest.raises(InvalidInput, match="completed_at"):
            await storage.create_message(conversation, "user", "word", is_complete=False, completed_at=LATER)

    async def test_a_message_of_long_ago_does_not_move_its_conversation(self, storage: UnifiedStorage) -> None:
        conversation = await storage.create_conversation("chat")
        await storage.create_message(conversation.id, "user", "word", created_at=EARLY)
        await storage.batch_create_messages(conversation.id, [MessageCreate(Role.USER, "word", created_at=EARLY)])
        assert (await storage.get_conversation(conversation.id)).updated_at == conversation.updated_at

    async def test_a_streamed_message_begins_and_ends_when_it_is_said(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        message = await storage.create_streaming_message(conversation, "assistant", created_at=EARLY)
        await storage.append_message_content(message.id, "word")
        ended = await storage.mark_message_finished(message.id, completed_at=LATER)
        assert (ended.created_at, ended.completed_at, ended.latency_ms) == (EARLY, LATER, 1500)

    async def test_a_step_of_thinking_has_the_time_that_is_given(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        message = await storage.create_message(conversation, "assistant", "word")
        assert (await storage.add_message_thinking(message.id, "hm", created_at=EARLY)).created_at == EARLY


class TestBatches:
    async def test_messages_of_a_batch_answer_each_other_by_position_and_external_id(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        earlier = await storage.create_message(conversation, "user", "earlier", external_id="earlier")
        ids = await storage.batch_create_messages(
            conversation,
            [
                BatchMessage(Role.ASSISTANT, "leaf", parent_index=1),
                BatchMessage(Role.USER, "branch", external_id="branch", parent_external_id="earlier"),
                MessageCreate(Role.ASSISTANT, "other leaf", parent_external_id="branch"),
                MessageCreate(Role.ASSISTANT, "another", parent_message_id=earlier.id),
            ],
        )
        parents = {message.id: message.parent_message_id for message in await read(storage, conversation)}
        assert [parents[message_id] for message_id in ids] == [ids[1], earlier.id, ids[1], earlier.id]

    @pytest.mark.parametrize(
        ("place", "messages"),
        [
            ("messages.0.parent_index", [BatchMessage(Role.USER, "a", parent_index=0)]),
            ("messages.1.parent_index", [MessageCreate(Role.USER, "a"), BatchMessage(Role.USER, "b", parent_index=2)]),
            ("messages.0.parent_external_id", [MessageCreate(Role.USER, "a", parent_external_id="nobody")]),
            ("messages.1.content", [MessageCreate(Role.USER, "a"), MessageCreate(Role.USER)]),
        ],
    )
    async def test_what_cannot_be_a_parent_is_refused_with_its_place(
        self, storage: UnifiedStorage, conversation: int, place: str, messages: list[MessageCreate]
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            await storage.batch_create_messages(conversation, messages)
        assert [error.field for error in refused.value.errors] == [place]
        assert await read(storage, conversation) == []

    async def test_rows_with_and_without_details_are_stored_together(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        batch = [
            MessageCreate(Role.USER, "plain"),
            MessageCreate(Role.ASSISTANT, "dear", cost=0.5, model="large"),
            MessageCreate(Role.USER, "old", created_at=EARLY, external_id="old"),
        ]
        await storage.batch_create_messages(conversation, batch)
        found = [(each.content, each.cost, each.model, each.external_id) for each in await read(storage, conversation)]
        assert found == [
            ("plain", None, None, None),
            ("dear", 0.5, "large", None),
            ("old", None, None, "old"),
        ]


class TestExternalIds:
    async def test_a_message_with_a_stored_external_id_replaces_that_message(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        first = await storage.create_message(conversation, "user", "old", external_id="m", cost=1, created_at=EARLY)
        again = await storage.create_message(conversation, "user", "new", external_id="m", metadata={"a": 1})
        assert (again.id, again.content, again.cost, again.metadata) == (first.id, "new", None, {"a": 1})
        assert (again.created_at, again.completed_at) == (EARLY, EARLY)
        assert await storage.batch_create_messages(
            conversation, [MessageCreate(Role.USER, "newest", external_id="m")]
        ) == [first.id]
        assert [message.content for message in await read(storage, conversation)] == ["newest"]

    async def test_a_growing_message_that_is_replaced_loses_its_chunks(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        growing = await storage.create_streaming_message(conversation, "assistant", external_id="m")
        await storage.append_message_content(growing.id, "half")
        whole = await storage.create_message(conversation, "assistant", "whole", external_id="m")
        assert (whole.id, whole.status, whole.content) == (growing.id, MessageStatus.COMPLETED, "whole")
        assert await storage.get_message(growing.id) == whole

    async def test_another_conversation_may_have_the_same_external_id(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        other = await storage.create_conversation("chat")
        first, second = [
            await storage.create_message(home, "user", "word", external_id="m") for home in (conversation, other.id)
        ]
        assert first.id != second.id

    async def test_a_message_is_found_by_its_external_id(self, storage: UnifiedStorage, conversation: int) -> None:
        await storage.create_message(conversation, "user", "word")
        message = await storage.create_message(conversation, "user", "word", external_id="m")
        assert (await storage.get_conversation_messages(conversation, external_id="m")).items == [message]
        assert (await storage.get_conversation_messages(conversation, external_id="other")).items == []

    async def test_the_parent_of_one_message_is_named_by_external_id(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        question = await storage.create_message(conversation, "user", "word", external_id="q")
        answer = await storage.create_message(conversation, "assistant", "word", parent_external_id="q")
        assert answer.parent_message_id == question.id
        with pytest.raises(InvalidInput, match="parent_external_id"):
            await storage.create_message(conversation, "user", "word", parent_external_id="nobody")

    async def test_a_replaced_message_cannot_become_its_own_descendant(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        await storage.create_message(conversation, "user", "word", external_id="q")
        answer = await storage.create_message(
            conversation, "assistant", "word", external_id="a", parent_external_id="q"
        )
        with pytest.raises(InvalidInput, match="own ancestor"):
            await storage.create_message(conversation, "user", "word", external_id="q", parent_message_id=answer.id)

    async def test_a_conversation_with_a_stored_external_id_is_updated(self, storage: UnifiedStorage) -> None:
        first = await storage.create_conversation("chat", title="old", source="elsewhere", external_id="c")
        again = await storage.create_conversation("chat", title="new", source="elsewhere", external_id="c")
        assert (again.id, again.title, again.created_at) == (first.id, "new", first.created_at)
        found = await storage.get_conversation_list(source="elsewhere", external_id="c")
        assert [each.id for each in found.items] == [first.id]
        with pytest.raises(InvalidInput, match="source"):
            await storage.create_conversation("chat", external_id="c")


class TestParts:
    async def test_the_text_of_a_message_is_that_of_its_text_parts(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        message = await storage.create_message(conversation, "user", None, parts=PARTS)
        assert message.content == "look\nhere"
        assert message.parts == [part.model_dump(exclude_unset=True) for part in PARTS]
        assert await storage.get_message(message.id) == message
        assert [hit.id for hit in (await storage.search_documents("look")).items] == [f"message:{message.id}"]

    async def test_a_text_that_is_given_stands_beside_the_parts(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        assert (await storage.create_message(conversation, "user", "other", parts=PARTS)).content == "other"

    async def test_a_message_without_text_and_parts_is_refused(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        with pytest.raises(InvalidInput, match="content"):
            await storage.create_message(conversation, "user", None)

    async def test_another_content_has_other_parts(self, storage: UnifiedStorage, conversation: int) -> None:
        message = await storage.create_message(conversation, "user", None, parts=PARTS)
        assert (await storage.update_message(message.id, "new")).parts == []
        assert len((await storage.update_message(message.id, "new", parts=PARTS[:1])).parts) == 1


class TestUsage:
    async def test_a_message_that_finishes_gets_its_usage_even_if_that_comes_later(
        self, storage: UnifiedStorage, conversation: int
    ) -> None:
        message = await storage.create_streaming_message(conversation, "assistant", model="large")
        ended = await storage.mark_message_finished(message.id, prompt_tokens=3, completion_tokens=4)
        again = await storage.mark_message_finished(message.id, cost=0.5)
        assert (again.model, again.prompt_tokens, again.completion_tokens, again.cost) == ("large", 3, 4, 0.5)
        assert (again.completed_at, again.status) == (ended.completed_at, MessageStatus.COMPLETED)

    async def test_an_update_sets_and_removes_usage(self, storage: UnifiedStorage, conversation: int) -> None:
        message = await storage.create_message(conversation, "assistant", "word", cost=0.5, model="large")
        updated = await storage.update_message(message.id, "word", cost=None, prompt_tokens=3)
        assert (updated.cost, updated.prompt_tokens, updated.model) == (None, 3, "large")


async def test_a_cost_is_read_with_all_its_digits(storage: UnifiedStorage, conversation: int) -> None:
    for cost in (0.1 + 0.2, 1e-300, 123456789.12345679):
        message = await storage.create_message(conversation, "assistant", "word", cost=cost)
        assert (message.cost, (await storage.get_message(message.id)).cost) == (cost, cost)


async def test_details_that_another_program_wrote_are_read_or_named_as_invalid(tmp_path: Path) -> None:
    config = document_backend(DatabaseSettings(), tmp_path)
    async with UnifiedStorage.create([config]) as storage:
        conversation = await storage.create_conversation("chat")
        good = await storage.create_message(conversation.id, "user", "word", parts=PARTS, cost=0.5)
        with closing(sqlite3.connect(tmp_path / "sidecar.db", isolation_level=None)) as other:
            sql = (
                "INSERT INTO messages (conversation_id, role, content, status, parts, model) VALUES (1, ?, '', ?, ?, ?)"
            )
            for parts in ('{"a": 1}', "[oops", "[1e999]"):
                other.execute(sql, ("function", "completed", parts, "large"))
        page = await read(storage, conversation.id)
        assert page[0] == good
        assert [(message.role, message.model, message.invalid) for message in page[1:]] == [
            ("function", "large", ("parts",))
        ] * 3


def test_the_migration_has_the_conditions_of_the_readers() -> None:
    assert odd_messages.ODD_MESSAGE == m0014_histories.ODD_MESSAGE
    assert USED == m0014_histories.USED


async def test_a_column_that_an_adopted_database_brought_along_is_renamed(tmp_path: Path) -> None:
    path = versions.make(tmp_path, 13)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name in ("Model", "adopted_model_0"):
            connection.execute(f"ALTER TABLE messages ADD COLUMN {name} TEXT")
        connection.execute("UPDATE messages SET Model = 'theirs' WHERE id = 1")
    async with opened(tmp_path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        sql = "SELECT adopted_model_1, model FROM messages WHERE id = 1"
        assert connection.execute(sql).fetchall() == [("theirs", None)]


def test_a_conversation_is_found_by_its_external_id_in_an_index(migrated: Callable[[], sqlite3.Connection]) -> None:
    with closing(migrated()) as connection:
        sql = "EXPLAIN QUERY PLAN SELECT id FROM conversations WHERE source = ? AND external_id = ? AND status != ?"
        plan = connection.execute(f"{sql} ORDER BY updated_at DESC, id DESC LIMIT 9", ("a", "b", "c")).fetchall()
        assert any("idx_conversations_external_id" in row[3] for row in plan), plan
