"""Conversations of ChatGPT's data export."""

from typing import Any

from sidecar.models.messages import MessageStatus, Role
from sidecar.tools.histories.chatgpt import CHATGPT

from .support import by_id, changed, noted, parents, parts, read


def conversation(**nodes: dict[str, Any]) -> dict[str, Any]:
    """A conversation with these nodes, each with its parent and its message."""
    return {"title": "t", "conversation_id": "c", "mapping": nodes}


def node(parent: str | None, role: str = "user", content: Any = "word", **message: Any) -> dict[str, Any]:
    given = {"content_type": "text", "parts": [content]} if isinstance(content, str) else content
    return {"parent": parent, "children": [], "message": {"author": {"role": role}, "content": given, **message}}


def test_a_conversation_keeps_its_title_times_id_and_model() -> None:
    history, _ = read(CHATGPT, changed("chatgpt.json"))
    assert (history.source, history.external_id, history.title) == ("chatgpt", "garden", "A garden")
    assert (history.created_at, history.updated_at) == ("2024-06-01T12:00:00.123Z", "2024-06-01T12:10:00.000Z")
    answer = by_id(history)["answer"]
    assert (answer.role, answer.content, answer.model) == (Role.ASSISTANT, "A **red** rose.", "o3")
    assert answer.created_at == "2024-06-01T12:00:18.000Z"


def test_the_tree_stays_without_its_empty_nodes() -> None:
    history, notes = read(CHATGPT, changed("chatgpt.json"))
    assert parents(history) == {
        "profile": None,
        "question": "profile",
        "first": "question",
        "call": "question",
        "result": "call",
        "answer": "result",
    }
    assert history.metadata["chatgpt"] == {"current_node": "answer", "is_archived": False, "default_model_slug": "o3"}
    assert noted(notes) == {"EMPTY_MESSAGE": 1, "MISSING_TIME": 1}


def test_thoughts_and_their_duration_become_steps_of_the_next_message() -> None:
    history, _ = read(CHATGPT, changed("chatgpt.json"))
    steps = [(step.stage, step.content, step.created_at) for step in by_id(history)["call"].thinking]
    assert steps == [
        ("Looking", "It has thorns.", "2024-06-01T12:00:07.000Z"),
        ("thought", "Red, too.", "2024-06-01T12:00:07.000Z"),
        ("recap", "Thought for 8 seconds", "2024-06-01T12:00:15.000Z"),
    ]


def test_thoughts_that_no_answer_follows_stay_as_a_message() -> None:
    thoughts = {"content_type": "thoughts", "thoughts": [{"content": "hm"}]}
    tree = conversation(q=node(None), t=node("q", "assistant", thoughts), u=node("t", "user", "go"))
    history, _ = read(CHATGPT, tree)
    assert parents(history) == {"q": None, "t": "q", "u": "t"}
    assert [step.content for step in by_id(history)["t"].thinking] == ["hm"]


def test_only_one_of_two_answers_gets_the_thoughts_before_them() -> None:
    thoughts = {"content_type": "thoughts", "thoughts": [{"content": "hm"}]}
    tree = conversation(
        q=node(None), t=node("q", "assistant", thoughts), a=node("t", "assistant"), b=node("t", "assistant", "other")
    )
    history, _ = read(CHATGPT, tree)
    assert parents(history) == {"q": None, "a": "q", "b": "q"}
    assert [len(message.thinking) for message in history.messages] == [0, 1, 0]


def test_images_are_references_with_the_names_of_their_attachments() -> None:
    question = by_id(read(CHATGPT, changed("chatgpt.json"))[0])["question"]
    assert question.content == "What is this?"
    assert parts(question) == [
        {"type": "image", "reference": "file-service://file-rose", "media_type": "image/png", "name": "rose.png"},
        {"type": "text", "text": "What is this?"},
    ]


def test_files_that_are_no_images_are_counted_and_kept_as_metadata() -> None:
    attachment = {"id": "file-1", "name": "notes.pdf", "mimeType": "application/pdf"}
    history, notes = read(CHATGPT, conversation(a=node(None, metadata={"attachments": [attachment]})))
    assert history.messages[0].metadata == {"chatgpt": {"metadata": {"attachments": [attachment]}}}
    assert noted(notes) == {"FILE": 1}


def test_calls_of_tools_and_their_results_become_parts() -> None:
    messages = by_id(read(CHATGPT, changed("chatgpt.json"))[0])
    assert parts(messages["call"]) == [{"type": "tool_call", "name": "search", "arguments": {"q": "rose"}}]
    assert messages["result"].role is Role.TOOL
    assert parts(messages["result"]) == [{"type": "tool_result", "content": "3 roses found", "name": "search"}]
    assert messages["result"].content == "3 roses found"


def test_hidden_messages_are_marked() -> None:
    profile = by_id(read(CHATGPT, changed("chatgpt.json"))[0])["profile"]
    assert profile.metadata["is_hidden"] is True
    assert profile.content == "Ada grows roses.\n\nBe short."


def test_code_for_everybody_is_a_block_that_its_text_cannot_end() -> None:
    code = {"content_type": "code", "language": "python", "text": "print('```')"}
    history, _ = read(CHATGPT, conversation(a=node(None, "assistant", code)))
    assert history.messages[0].content == "````python\nprint('```')\n````"


def test_content_of_an_unknown_type_is_text_with_the_original_in_the_metadata() -> None:
    strange = {"content_type": "hologram", "text": "a light", "depth": {"cm": 3}}
    history, notes = read(CHATGPT, conversation(a=node(None, "assistant", strange)))
    assert history.messages[0].content == "a light"
    assert history.messages[0].metadata["other_parts"] == [strange]
    assert noted(notes) == {"UNKNOWN_CONTENT": 1}


def test_unknown_content_without_text_is_named() -> None:
    sound = {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://sound"}
    history, _ = read(
        CHATGPT, conversation(a=node(None, "user", {"content_type": "multimodal_text", "parts": [sound]}))
    )
    assert history.messages[0].content == "[audio_asset_pointer]"
    assert history.messages[0].metadata["other_parts"] == [sound]


def test_pages_that_a_tool_has_read_keep_title_text_and_address() -> None:
    quote = {"content_type": "tether_quote", "title": "Roses", "text": "They bloom.", "url": "https://r.example"}
    history, _ = read(CHATGPT, conversation(a=node(None, "tool", quote)))
    assert history.messages[0].content == "Roses\n\nThey bloom.\n\nhttps://r.example"
    assert history.messages[0].metadata["chatgpt"] == {"content": quote}


def test_an_answer_that_was_stopped_is_cancelled() -> None:
    tree = conversation(a=node(None, "assistant", status="finished_partial_completion"))
    assert read(CHATGPT, tree)[0].messages[0].status is MessageStatus.CANCELLED


def test_a_message_of_an_unknown_role_keeps_it_in_the_metadata() -> None:
    history, notes = read(CHATGPT, conversation(a=node(None, "critic")))
    assert (history.messages[0].role, history.messages[0].metadata["role"]) == (Role.ASSISTANT, "critic")
    assert noted(notes) == {"UNKNOWN_ROLE": 1}


def test_the_rest_of_the_metadata_is_kept() -> None:
    tree = conversation(a=node(None, "assistant", metadata={"citations": [{"url": "u"}], "empty": {}, "none": None}))
    assert read(CHATGPT, tree)[0].messages[0].metadata == {"chatgpt": {"metadata": {"citations": [{"url": "u"}]}}}


def test_nodes_that_are_missing_or_no_objects_do_no_harm() -> None:
    tree = conversation(a=node("gone"), b={"parent": "a", "message": None}, c=node("b", "assistant", "answer"))
    tree["mapping"]["d"] = None
    tree["mapping"]["e"] = {"message": "text", "parent": 7}
    history, notes = read(CHATGPT, tree)
    assert parents(history) == {"a": None, "c": "a"}
    assert notes.lines() == ["Attached 1 message whose predecessor is missing: it begins a branch."]


def test_a_circle_is_cut() -> None:
    history, notes = read(CHATGPT, conversation(a=node("c"), b=node("a"), c=node("b"), d=node("c")))
    assert parents(history) == {"a": None, "b": "a", "c": "b", "d": "c"}
    assert noted(notes) == {"CYCLE": 1}


def test_a_conversation_without_messages_is_one() -> None:
    history, _ = read(CHATGPT, {"title": None, "mapping": {}, "create_time": None})
    assert (history.title, history.messages) == (None, [])
    assert history.external_id is not None


def test_a_conversation_without_an_id_has_the_same_one_again_when_it_has_grown() -> None:
    tree = {"mapping": {"a": node(None, create_time=1.0)}}
    grown = {"mapping": {**tree["mapping"], "b": node("a", "assistant", create_time=2.0)}}
    assert read(CHATGPT, tree)[0].external_id == read(CHATGPT, grown)[0].external_id
