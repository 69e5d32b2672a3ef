"""Histories: whole conversations in one batch, and what a second import of them does."""

from typing import Any

import pytest

from sidecar.errors import InvalidInput
from sidecar.models.conversations import ConversationStatus
from sidecar.models.histories import MAX_HISTORY_ROWS, ConversationHistory, HistoryImported
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import Message
from sidecar.storage.unified import UnifiedStorage

BEGUN, ASKED, ANSWERED, ENDED = (f"2024-03-01T10:00:0{second}.000Z" for second in range(4))


def message(role: str = "user", content: str = "word", **fields: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **fields}


QUESTION = message(external_id="q", created_at=ASKED)
ANSWER = message(
    "assistant",
    "forty-two",
    external_id="a",
    parent_external_id="q",
    created_at=ASKED,
    completed_at=ANSWERED,
    model="large",
    prompt_tokens=10,
    completion_tokens=20,
    cost=0.1,
    metadata={"stars": 5},
    thinking=[{"content": "hm"}, {"content": "well", "stage": "plan", "created_at": ANSWERED}],
)


def history(*messages: dict[str, Any], **fields: Any) -> ConversationHistory:
    given = {"page_name": "chat", "source": "elsewhere", "external_id": "c", "messages": list(messages), **fields}
    return ConversationHistory.model_validate(given)


async def imported(store: UnifiedStorage, *given: ConversationHistory) -> HistoryImported:
    return (await store.import_histories(given)).items[0]


async def stored(store: UnifiedStorage, conversation_id: int) -> list[Message]:
    return (await store.get_conversation_messages(conversation_id)).items


def counts(result: HistoryImported) -> tuple[int, int, int, int]:
    return (result.messages_added, result.messages_replaced, result.messages_unchanged, result.messages_removed)


async def refusal(store: UnifiedStorage, *given: ConversationHistory) -> str:
    """The place that is refused; nothing of the batch is stored."""
    before = (await store.get_conversation_list(with_total=True)).total
    with pytest.raises(InvalidInput) as refused:
        await store.import_histories(given)
    assert (await store.get_conversation_list(with_total=True)).total == before
    (finding,) = refused.value.errors
    return finding.field


async def test_a_history_is_stored_with_its_times_usage_and_thinking(storage: UnifiedStorage) -> None:
    result = await imported(storage, history(QUESTION, ANSWER, title="The question", created_at=BEGUN))
    assert result.created
    assert counts(result) == (2, 0, 0, 0)
    conversation = await storage.get_conversation(result.conversation_id)
    assert (conversation.created_at, conversation.updated_at) == (BEGUN, ANSWERED)
    assert (conversation.source, conversation.external_id, conversation.title) == ("elsewhere", "c", "The question")
    question, answer = await stored(storage, result.conversation_id)
    assert (question.created_at, question.completed_at, question.latency_ms) == (ASKED, ASKED, 0)
    assert (answer.created_at, answer.completed_at, answer.latency_ms) == (ASKED, ANSWERED, 1000)
    assert (answer.parent_message_id, answer.external_id, answer.metadata) == (question.id, "a", {"stars": 5})
    assert (answer.model, answer.prompt_tokens, answer.completion_tokens, answer.cost) == ("large", 10, 20, 0.1)
    assert [(step.content, step.stage, step.sequence, step.created_at) for step in answer.thinking] == [
        ("hm", None, 0, ASKED),
        ("well", "plan", 1, ANSWERED),
    ]


async def test_a_conversation_without_times_has_those_of_its_messages(storage: UnifiedStorage) -> None:
    result = await imported(storage, history(message(created_at=ANSWERED), message(created_at=ASKED, updated_at=ENDED)))
    conversation = await storage.get_conversation(result.conversation_id)
    assert (conversation.created_at, conversation.updated_at) == (ASKED, ENDED)


async def test_parents_are_named_by_position_and_external_id_before_and_after_their_children(
    storage: UnifiedStorage,
) -> None:
    tree = (
        message(content="leaf", parent_index=2),
        message(content="root", external_id="root"),
        message(content="branch", parent_external_id="root"),
        message(content="other branch", parent_index=1),
    )
    leaf, root, branch, other = await stored(storage, (await imported(storage, history(*tree))).conversation_id)
    assert [each.parent_message_id for each in (leaf, root, branch, other)] == [branch.id, None, root.id, root.id]


async def test_the_same_history_again_changes_nothing(storage: UnifiedStorage) -> None:
    given = history(QUESTION, ANSWER, title="The question", metadata={"a": [1.5, None]})
    first = await imported(storage, given)
    before = await storage.get_conversation(first.conversation_id), await stored(storage, first.conversation_id)
    changes: list[Any] = []
    storage.subscribe(changes.extend)
    again = await imported(storage, given)
    assert (again.conversation_id, again.created) == (first.conversation_id, False)
    assert counts(again) == (0, 0, 2, 0)
    assert changes == []
    assert before == (
        await storage.get_conversation(first.conversation_id),
        await stored(storage, first.conversation_id),
    )


async def test_a_longer_history_adds_what_is_new_and_replaces_what_changed(storage: UnifiedStorage) -> None:
    first = await imported(storage, history(QUESTION, ANSWER, title="Old"))
    changed = {**ANSWER, "content": "forty-three", "cost": None, "thinking": [{"content": "hm"}]}
    more = message(external_id="more", parent_external_id="a")
    result = await imported(storage, history(QUESTION, changed, more, title="New"))
    assert counts(result) == (1, 1, 1, 0)
    question, answer, added = await stored(storage, first.conversation_id)
    assert (answer.content, answer.cost, answer.created_at, answer.completed_at) == (
        "forty-three",
        None,
        ASKED,
        ANSWERED,
    )
    assert answer.updated_at > ENDED
    assert [step.content for step in answer.thinking] == ["hm"]
    assert (added.parent_message_id, question.updated_at) == (answer.id, ASKED)
    assert (await storage.get_conversation(first.conversation_id)).title == "New"


async def test_a_message_may_answer_a_stored_one_that_the_history_does_not_repeat(storage: UnifiedStorage) -> None:
    first = await imported(storage, history(QUESTION))
    await imported(storage, history(message("assistant", external_id="a", parent_external_id="q")))
    question, answer = await stored(storage, first.conversation_id)
    assert answer.parent_message_id == question.id


async def test_messages_are_removed_only_on_request_and_only_those_of_the_other_program(
    storage: UnifiedStorage,
) -> None:
    first = await imported(storage, history(QUESTION, ANSWER))
    own = await storage.create_message(first.conversation_id, "user", "of this app")
    assert counts(await imported(storage, history(QUESTION))) == (0, 0, 1, 0)
    assert counts(await imported(storage, history(QUESTION, remove_missing=True))) == (0, 0, 1, 1)
    question, left = await stored(storage, first.conversation_id)
    assert (question.external_id, left.id) == ("q", own.id)


async def test_what_the_app_changed_about_the_conversation_since_stays(storage: UnifiedStorage) -> None:
    first = await imported(storage, history(QUESTION, status="active", metadata={"a": 1}, updated_at=ENDED))
    await storage.update_conversation(first.conversation_id, title="named here", status="archived")
    changed_at = (await storage.get_conversation(first.conversation_id)).updated_at
    await imported(storage, history(QUESTION, status="active", metadata={"a": 1}, updated_at=ENDED))
    conversation = await storage.get_conversation(first.conversation_id)
    assert (conversation.title, conversation.status) == ("named here", ConversationStatus.ARCHIVED)
    assert conversation.updated_at == changed_at


async def test_a_deleted_conversation_is_brought_up_to_date_and_stays_deleted(storage: UnifiedStorage) -> None:
    first = await imported(storage, history(QUESTION))
    await storage.delete_conversation(first.conversation_id)
    assert counts(await imported(storage, history(QUESTION, ANSWER))) == (1, 0, 1, 0)
    assert (await storage.get_conversation(first.conversation_id)).status is ConversationStatus.DELETED


async def test_one_external_id_may_be_that_of_conversations_from_two_sources(storage: UnifiedStorage) -> None:
    both = await storage.import_histories([history(QUESTION), history(QUESTION, source="somewhere else")])
    assert [item.created for item in both.items] == [True, True]


async def test_a_history_without_an_external_id_is_a_new_conversation_every_time(storage: UnifiedStorage) -> None:
    given = history(message(), source=None, external_id=None)
    results = [await imported(storage, given) for _ in range(2)]
    assert [result.created for result in results] == [True, True]


async def test_a_key_imports_once(storage: UnifiedStorage) -> None:
    given = [history(message(), external_id=None)]
    key = IdempotencyKey("once")
    assert await storage.import_histories(given, key=key) == await storage.import_histories(given, key=key)
    assert (await storage.get_conversation_list()).total == 1


@pytest.mark.parametrize(
    ("place", "messages"),
    [
        ("messages.1.external_id", [message(external_id="m"), message(external_id="m")]),
        ("messages.1.parent_index", [message(), message(parent_index=2)]),
        ("messages.0.parent_index", [message(parent_index=0)]),
        ("messages.0.parent_external_id", [message(parent_external_id="nobody")]),
        ("messages.1.parent_index", [message(external_id="m"), message(parent_index=0, parent_external_id="m")]),
        ("messages.0.parent_index", [message(parent_index=2), message(parent_index=0), message(parent_index=1)]),
        ("messages.0.status", [message(status="streaming")]),
        ("messages.0.completed_at", [message(status="pending", completed_at=ENDED)]),
    ],
)
async def test_a_refusal_names_the_message_and_stores_nothing(
    storage: UnifiedStorage, place: str, messages: list[dict[str, Any]]
) -> None:
    sound = history(QUESTION, external_id="sound")
    assert await refusal(storage, sound, history(*messages)) == f"conversations.1.{place}"


async def test_an_external_id_needs_its_source(storage: UnifiedStorage) -> None:
    assert await refusal(storage, history(source=None)) == "conversations.0.source"


async def test_a_circle_that_a_stored_message_closes_is_refused(storage: UnifiedStorage) -> None:
    await imported(storage, history(QUESTION, ANSWER))
    circle = history({**QUESTION, "parent_external_id": "a"})
    assert await refusal(storage, circle) == "conversations.0.messages.0.parent_external_id"


async def test_a_batch_has_at_most_a_hundred_thousand_messages(storage: UnifiedStorage) -> None:
    half = history(*[message()] * (MAX_HISTORY_ROWS // 2), external_id=None)
    assert await refusal(storage, half, half, history(message())) == "conversations"


async def test_an_imported_message_is_found_by_its_words(storage: UnifiedStorage) -> None:
    await imported(storage, history(QUESTION, ANSWER, title="Deep thought"))
    assert [hit.data_type for hit in (await storage.search_documents("forty-two")).items] == ["message"]
    assert [hit.data_type for hit in (await storage.search_documents("thought")).items] == ["conversation"]
