"""Conversations of Claude's data export."""

from typing import Any

from sidecar.models.messages import Role
from sidecar.tools.histories.claude import CLAUDE

from .support import by_id, changed, entries, noted, parents, parts, read


def conversation(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"uuid": "c", "name": "t", "chat_messages": list(messages)}


def message(**fields: Any) -> dict[str, Any]:
    return {"uuid": "m", "sender": "human", "text": "word", **fields}


def test_a_conversation_keeps_its_name_times_and_account() -> None:
    history, _ = read(CLAUDE, changed("claude.json"))
    assert (history.source, history.external_id, history.title) == ("claude:ada", "talk", "A talk")
    assert (history.created_at, history.updated_at) == ("2024-06-01T12:00:00.000Z", "2024-06-01T12:10:00.000Z")
    assert history.metadata == {"claude": {"current_leaf_message_uuid": "m4"}}


def test_branches_stay() -> None:
    history, _ = read(CLAUDE, changed("claude.json"))
    assert parents(history) == {"m1": None, "m2": "m1", "m3": "m1", "m4": "m3"}


def test_messages_without_parents_are_a_row() -> None:
    history, _ = read(CLAUDE, entries("claude.json")[1])
    assert parents(history) == {"o1": None, "o2": "o1"}
    assert [(message.role, message.content) for message in history.messages] == [
        (Role.USER, "Hello"),
        (Role.ASSISTANT, "Hi"),
    ]
    assert history.title is None


def test_thinking_becomes_a_step_with_its_summary() -> None:
    (step,) = by_id(read(CLAUDE, changed("claude.json"))[0])["m2"].thinking
    assert (step.content, step.stage) == ("They are long.", "Reading the notes")
    assert step.created_at == "2024-06-01T12:00:02.000Z"


def test_blocks_become_parts_in_their_order() -> None:
    answer = by_id(read(CLAUDE, changed("claude.json"))[0])["m2"]
    assert answer.content == "Short notes."
    assert parts(answer) == [
        {"type": "tool_call", "name": "search", "call_id": "toolu_1", "arguments": {"q": "notes"}},
        {
            "type": "tool_result",
            "name": "search",
            "call_id": "toolu_1",
            "content": [{"type": "text", "text": "found"}],
        },
        {"type": "text", "text": "Short notes."},
    ]
    assert answer.metadata == {"claude": {"citations": [[{"url": "https://example.org"}]]}}


def test_the_text_of_an_attachment_is_searched_and_other_files_are_named() -> None:
    history, notes = read(CLAUDE, changed("claude.json"))
    question = by_id(history)["m1"]
    assert question.content == "Sum it up\n\nnotes.txt\n\nlong notes\n\n[plan.pdf]"
    assert parts(question)[-1] == {"type": "image", "reference": "f1", "name": "cat.png"}
    assert question.metadata["files"] == [{"file_name": "plan.pdf"}]
    assert noted(notes) == {"FILE": 1, "UNKNOWN_CONTENT": 1}


def test_an_unknown_block_is_its_text() -> None:
    spoken = by_id(read(CLAUDE, changed("claude.json"))[0])["m4"]
    assert spoken.content == "Thanks"
    assert spoken.metadata["other_parts"] == [{"type": "voice_note", "title": "A voice note", "text": "Thanks"}]


def test_the_bytes_of_an_image_become_its_digest() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}
    history, notes = read(CLAUDE, conversation(message(text="", content=[image])))
    ((part,),) = [message.parts for message in history.messages]
    assert part.model_dump()["reference"].startswith("data:image/png;sha256:")
    assert noted(notes) == {"IMAGE_BYTES": 1}


def test_the_text_of_a_message_is_kept_beside_blocks_without_any() -> None:
    call = {"type": "tool_use", "name": "search", "input": {}}
    stands_for_it = "```\nThis block is not supported on your current device yet.\n```"
    history, _ = read(
        CLAUDE,
        conversation(message(content=[call], text="Found."), message(uuid="n", content=[call], text=stands_for_it)),
    )
    assert [message.content for message in history.messages] == ["Found.", ""]


def test_an_image_without_an_address_does_no_harm() -> None:
    history, _ = read(CLAUDE, conversation(message(text="", content=[{"type": "image"}])))
    assert parts(history.messages[0]) == [{"type": "image", "reference": "unknown"}]


def test_two_messages_with_one_id_get_two() -> None:
    history, notes = read(CLAUDE, conversation(message(), message(sender="assistant"), message()))
    assert len({message.external_id for message in history.messages}) == 3
    assert noted(notes) == {"REPEATED_ID": 2}


def test_messages_that_are_empty_or_no_objects_are_counted() -> None:
    history, notes = read(CLAUDE, conversation(None, message(text=""), message(uuid="n", content=["plain"])))  # type: ignore[arg-type]
    assert [message.content for message in history.messages] == ["plain"]
    assert notes.lines()[0] == "Left out 2 empty messages: they hold neither text nor anything else."
