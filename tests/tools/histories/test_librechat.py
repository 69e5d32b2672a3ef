"""Conversations that LibreChat exports."""

from typing import Any

from sidecar.models.messages import MessageStatus, Role
from sidecar.tools.histories.librechat import LIBRECHAT

from .support import by_id, changed, entries, noted, parents, parts, read


def test_a_conversation_keeps_its_title_times_and_user() -> None:
    history, _ = read(LIBRECHAT, entries("librechat.json"))
    assert (history.source, history.external_id, history.title) == ("librechat:ada", "libre", "Cats")
    assert (history.created_at, history.updated_at) == ("2024-06-01T12:00:00.000Z", "2024-06-01T12:01:00.000Z")
    assert [message.role for message in history.messages] == [Role.USER, Role.ASSISTANT, Role.ASSISTANT, Role.USER]


def test_a_recursive_export_gives_the_same_messages_as_a_flat_one() -> None:
    flat, nested = (read(LIBRECHAT, entries(name))[0] for name in ("librechat.json", "librechat-recursive.json"))
    assert parents(flat) == {"u1": None, "a1": "u1", "a2": "u1", "u2": "a1"}
    assert flat.messages == nested.messages


def test_messages_that_lie_within_one_another_need_no_parent() -> None:
    inner = {"messageId": "b", "text": "b", "isCreatedByUser": False, "children": []}
    outer = {"messageId": "a", "text": "a", "isCreatedByUser": True, "children": [inner]}
    history, _ = read(LIBRECHAT, {"conversationId": "c", "messages": [outer]})
    assert parents(history) == {"a": None, "b": "a"}


def test_content_becomes_steps_and_parts() -> None:
    answer = by_id(read(LIBRECHAT, entries("librechat.json"))[0])["a1"]
    assert [step.content for step in answer.thinking] == ["Whiskers."]
    assert parts(answer) == [
        {"type": "tool_call", "name": "dalle", "call_id": "call_1", "arguments": {"prompt": "cat"}},
        {"type": "tool_result", "content": "drawn", "call_id": "call_1", "name": "dalle"},
        {"type": "image", "reference": "/images/drawn.png", "name": "drawn.png"},
        {"type": "text", "text": "Here it is."},
    ]
    assert (answer.content, answer.model, answer.completion_tokens) == ("Here it is.", "gpt-4", 7)


def test_files_are_named_and_their_text_is_kept() -> None:
    history, notes = read(LIBRECHAT, entries("librechat.json"))
    question = by_id(history)["u1"]
    assert question.content == "Draw a cat\n\n[cat.txt]\n\na cat"
    assert parts(question)[1] == {
        "type": "image",
        "reference": "/images/cat.jpg",
        "media_type": "image/jpeg",
        "name": "cat.jpg",
    }
    assert noted(notes) == {"FILE": 1}


def test_an_answer_that_is_an_error_has_failed() -> None:
    answer = by_id(read(LIBRECHAT, entries("librechat.json"))[0])["a2"]
    assert (answer.status, answer.error_message) == (MessageStatus.FAILED, "I cannot.")


def test_a_message_without_its_author_is_known_by_the_sender() -> None:
    messages: list[dict[str, Any]] = [{"sender": "User", "text": "a"}, {"sender": "GPT-4", "text": "b"}]
    history, _ = read(LIBRECHAT, {"conversationId": "c", "messages": messages})
    assert [message.role for message in history.messages] == [Role.USER, Role.ASSISTANT]
    assert parents(history) == {"position-0": None, "position-1": "position-0"}


def test_an_unknown_part_is_kept() -> None:
    part = {"type": "video", "video": {"url": "v"}}
    history, notes = read(LIBRECHAT, changed("librechat.json", messages=[{"messageId": "a", "content": [part]}]))
    assert history.messages[0].content == "[video]"
    assert history.messages[0].metadata["other_parts"] == [part]
    assert noted(notes) == {"UNKNOWN_CONTENT": 1}
