"""Archives with conversations of other programs: what is the same by its external id is not doubled."""

from sidecar.models.histories import ConversationHistory
from sidecar.storage.unified import UnifiedStorage
from sidecar.tools.local import import_from

from .conftest import OpenStore, archive_of, content_of


def history(*answers: str) -> ConversationHistory:
    question = {"role": "user", "content": "word", "external_id": "q", "thinking": [{"content": "hm"}] * 2}
    replies = [
        {"role": "assistant", "content": text, "external_id": text, "parent_external_id": "q"} for text in answers
    ]
    given = {"page_name": "chat", "source": "elsewhere", "external_id": "c", "messages": [question, *replies]}
    return ConversationHistory.model_validate(given)


async def counts(store: UnifiedStorage) -> dict[str, int]:
    content = await content_of(store)
    return {kind: len(content[kind]) for kind in ("conversations", "messages", "thinking")}


async def test_a_conversation_that_both_stores_imported_gets_what_it_lacks(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    await source.import_histories([history("yes", "no")])
    await target.create_conversation("of its own")
    (here,) = (await target.import_histories([history("yes")])).items
    report = await import_from(target, await archive_of(source))
    assert {kind: report.kinds[kind].added for kind in ("conversations", "messages", "thinking")} == {
        "conversations": 0,
        "messages": 1,
        "thinking": 0,
    }
    messages = (await target.get_conversation_messages(here.conversation_id)).items
    assert [message.content for message in messages] == ["word", "yes", "no"]
    assert messages[2].parent_message_id == messages[0].id


async def test_the_same_archive_again_adds_nothing(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    await source.import_histories([history("yes")])
    await target.import_histories([history("yes")])
    archive = await archive_of(source)
    for _ in range(2):
        report = await import_from(target, archive)
        assert [report.kinds[kind].added for kind in ("conversations", "messages", "thinking")] == [0, 0, 0]
    assert await counts(target) == {"conversations": 1, "messages": 2, "thinking": 2}


async def test_equal_steps_of_thinking_are_as_many_in_a_new_store(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    conversation = await source.create_conversation("chat")
    message = await source.create_message(conversation.id, "user", "word")
    for _ in range(2):
        await source.add_message_thinking(message.id, "hm", sequence=0)
    await import_from(target, await archive_of(source))
    assert await counts(target) == {"conversations": 1, "messages": 1, "thinking": 2}
