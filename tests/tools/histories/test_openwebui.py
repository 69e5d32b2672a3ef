"""Chats of Open WebUI's export and database."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sidecar.models.conversations import ConversationStatus
from sidecar.models.messages import MessageStatus
from sidecar.tools.histories.notes import Notes
from sidecar.tools.histories.openwebui import OPENWEBUI
from sidecar.tools.histories.source import conversations_in

from .support import by_id, changed, entries, noted, parents, parts, read


def chat(**messages: dict[str, Any]) -> dict[str, Any]:
    return {"id": "c", "title": "t", "chat": {"history": {"messages": messages}}}


def test_a_chat_keeps_its_title_times_user_and_state() -> None:
    history, _ = read(OPENWEBUI, changed("openwebui.json"))
    assert (history.source, history.external_id, history.title) == ("openwebui:ada", "chat-1", "Sums")
    assert (history.created_at, history.updated_at) == ("2024-06-01T12:00:00.000Z", "2024-06-01T12:01:00.000Z")
    assert history.status is ConversationStatus.ARCHIVED
    kept = history.metadata["openwebui"]
    assert isinstance(kept, dict)
    assert (kept["current"], kept["params"], kept["meta"]) == ("a3", {"system": "Be exact."}, {"tags": ["maths"]})


def test_answers_of_two_models_are_branches_with_their_usage() -> None:
    history, _ = read(OPENWEBUI, changed("openwebui.json"))
    assert parents(history) == {"u1": None, "a1": "u1", "a2": "u1", "u2": "a1", "a3": "u2"}
    messages = by_id(history)
    used = [
        (messages[name].model, messages[name].prompt_tokens, messages[name].completion_tokens) for name in ("a1", "a2")
    ]
    assert used == [("deepseek-r1", 12, 34), ("llama3", 11, 3)]


def test_reasoning_in_the_text_becomes_a_step() -> None:
    answer = by_id(read(OPENWEBUI, changed("openwebui.json"))[0])["a1"]
    assert answer.content == "255"
    assert [(step.content, step.metadata) for step in answer.thinking] == [
        ("15 * 17 < 300\nIt is 255.", {"duration_s": "3"})
    ]


def test_items_of_the_output_become_steps_and_parts() -> None:
    answer = by_id(read(OPENWEBUI, changed("openwebui.json"))[0])["a3"]
    assert answer.content == "Rain."
    assert [(step.content, step.created_at) for step in answer.thinking] == [
        ("Ask the tool.", "2024-06-01T12:00:35.500Z")
    ]
    assert [part["type"] for part in parts(answer)] == ["tool_call", "tool_result", "text"]
    assert parts(answer)[0]["arguments"] == {"city": "Paris"}


def test_the_text_is_kept_beside_an_output_without_any() -> None:
    reasoning = {"type": "reasoning", "content": [{"text": "hm"}]}
    text = '<details type="reasoning"><summary>x</summary>hm</details>Done.'
    history, _ = read(OPENWEBUI, chat(a={"role": "assistant", "content": text, "output": [reasoning]}))
    assert history.messages[0].content == "Done."
    assert [step.content for step in history.messages[0].thinking] == ["hm"]


def test_calls_of_tools_in_the_text_become_parts() -> None:
    details = (
        '<details type="tool_calls" done="true" id="c1" name="add" arguments="{&quot;a&quot;: 1}"'
        ' result="&quot;2&quot;">\n'
    )
    text = f"Let me see.\n{details}<summary>Tool Executed</summary>\n</details>\nIt is 2."
    history, _ = read(OPENWEBUI, chat(a={"role": "assistant", "content": text}))
    assert history.messages[0].content == "Let me see.\n\nIt is 2."
    assert [part for part in parts(history.messages[0]) if part["type"] != "text"] == [
        {"type": "tool_call", "name": "add", "call_id": "c1", "arguments": {"a": 1}},
        {"type": "tool_result", "content": "2", "call_id": "c1"},
    ]


def test_details_that_do_not_end_stay_text() -> None:
    text = '<details type="reasoning"><summary>x</summary>' * 3
    history, _ = read(OPENWEBUI, chat(a={"role": "assistant", "content": text}))
    assert history.messages[0].content == text


def test_the_bytes_of_images_are_left_out_and_files_are_named() -> None:
    history, notes = read(OPENWEBUI, changed("openwebui.json"))
    question = by_id(history)["u1"]
    assert question.content == "15 * 17?\n\n[sheet.xlsx]"
    assert parts(question)[1]["reference"].startswith("data:image/png;sha256:")
    assert "QUJD" not in history.model_dump_json()
    assert noted(notes) == {"IMAGE_BYTES": 1, "FILE": 1}


def test_an_answer_that_failed_has_failed() -> None:
    answer = by_id(read(OPENWEBUI, entries("openwebui.json")[1])[0])["y"]
    assert (answer.status, answer.error_message) == (MessageStatus.FAILED, "Out of memory")


def test_an_old_chat_without_a_tree_is_a_row() -> None:
    old = {
        "id": "c",
        "title": "t",
        "chat": {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
    }
    assert parents(read(OPENWEBUI, old)[0]) == {"position-0": None, "position-1": "position-0"}


def test_times_in_milliseconds_are_read() -> None:
    history, _ = read(OPENWEBUI, chat(a={"role": "user", "content": "x", "timestamp": 1717243200123}))
    assert history.messages[0].created_at == "2024-06-01T12:00:00.123Z"


def test_the_database_gives_the_same_chats(tmp_path: Path) -> None:
    path = tmp_path / "webui.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE user (id TEXT)")
        connection.execute("CREATE TABLE chat (id, user_id, title, chat, created_at, updated_at, archived, meta)")
        for each in entries("openwebui.json"):
            row = [each.get(name) for name in ("id", "user_id", "title")]
            row += [
                json.dumps(each["chat"]),
                each["created_at"],
                each["updated_at"],
                each.get("archived", False),
                json.dumps(each.get("meta", {})),
            ]
            connection.execute("INSERT INTO chat VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    with conversations_in(path, None, tmp_path, Notes()) as (found, items):
        assert found is OPENWEBUI
        from_database = [found.read(item, Notes()) for item in items]
    exported = [read(OPENWEBUI, item)[0] for item in entries("openwebui.json")]
    assert [history.messages for history in from_database] == [history.messages for history in exported]
