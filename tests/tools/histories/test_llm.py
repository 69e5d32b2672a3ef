"""Conversations of the command-line tool `llm`, in the databases of its versions."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sidecar.models.histories import ConversationHistory
from sidecar.models.messages import Role
from sidecar.tools.histories.llm import LLM
from sidecar.tools.histories.notes import Notes
from sidecar.tools.histories.source import conversations_in

from .support import by_id, noted, parents, parts

FIRST = """
    CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
    CREATE TABLE responses (
        id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, prompt_json TEXT, options_json TEXT, response TEXT,
        response_json TEXT, conversation_id TEXT REFERENCES conversations (id), duration_ms INTEGER, datetime_utc TEXT
    );
"""
LATER = """
    ALTER TABLE responses ADD COLUMN input_tokens INTEGER;
    ALTER TABLE responses ADD COLUMN output_tokens INTEGER;
    ALTER TABLE responses ADD COLUMN token_details TEXT;
    ALTER TABLE responses ADD COLUMN schema_id TEXT;
    ALTER TABLE responses ADD COLUMN resolved_model TEXT;
    CREATE TABLE attachments (id TEXT PRIMARY KEY, type TEXT, path TEXT, url TEXT, content BLOB);
    CREATE TABLE prompt_attachments (
        response_id TEXT, attachment_id TEXT, "order" INTEGER, PRIMARY KEY (response_id, attachment_id)
    );
    CREATE TABLE fragments (id INTEGER PRIMARY KEY, hash TEXT, content TEXT, datetime_utc TEXT, source TEXT);
    CREATE TABLE prompt_fragments (response_id TEXT, fragment_id INTEGER, "order" INTEGER);
    CREATE TABLE system_fragments (response_id TEXT, fragment_id INTEGER, "order" INTEGER);
    CREATE TABLE tool_calls (
        id INTEGER PRIMARY KEY, response_id TEXT, tool_id INTEGER, name TEXT, arguments TEXT, tool_call_id TEXT
    );
    CREATE TABLE tool_results (
        id INTEGER PRIMARY KEY, response_id TEXT, tool_id INTEGER, name TEXT, output TEXT, tool_call_id TEXT,
        instance_id INTEGER, exception TEXT
    );
    CREATE TABLE parts (
        id INTEGER PRIMARY KEY, response_id TEXT, direction TEXT, role TEXT, part_type TEXT, "order" INTEGER,
        content TEXT, content_json TEXT, tool_call_id TEXT, server_executed INTEGER
    );
"""


@contextmanager
def database(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(schema)
        yield connection


def ask(connection: sqlite3.Connection, name: str, prompt: str | None, response: str, **more: object) -> None:
    """Add a response."""
    row = {
        "id": name,
        "model": "small",
        "prompt": prompt,
        "response": response,
        "conversation_id": "talk",
        "datetime_utc": "2024-06-01T12:00:00.123456",
        "duration_ms": 1500,
        **more,
    }
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO responses ({names}) VALUES ({marks})", tuple(row.values()))


def imported(path: Path) -> tuple[list[ConversationHistory], Notes]:
    notes = Notes()
    with conversations_in(path, LLM, path.parent, notes) as (found, items):
        return [found.read(item, notes) for item in items], notes


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A database of a late version: a prompt with a picture, a fragment and a call of a tool, and its answer."""
    path = tmp_path / "logs.db"
    with database(path, FIRST + LATER) as connection:
        connection.execute("INSERT INTO conversations VALUES ('talk', 'A talk', 'small')")
        ask(
            connection,
            "r1",
            "What is it?",
            "",
            system="Be short.",
            input_tokens=5,
            output_tokens=6,
            token_details='{"cached": 1}',
            options_json='{"temperature": 0}',
            response_json='{"raw": true}',
            resolved_model="small-2024",
        )
        ask(connection, "r2", "", "It is 3.", system="Be short.", datetime_utc="2024-06-01T12:00:05+00:00")
        connection.execute("INSERT INTO attachments VALUES ('a1', 'image/png', '/cat.png', NULL, NULL)")
        connection.execute("INSERT INTO attachments VALUES ('a2', 'audio/wav', NULL, NULL, x'00')")
        connection.executemany("INSERT INTO prompt_attachments VALUES ('r1', ?, ?)", [("a1", 0), ("a2", 1)])
        connection.execute("INSERT INTO fragments VALUES (1, 'h', 'a long text', NULL, 'notes.txt')")
        connection.execute("INSERT INTO prompt_fragments VALUES ('r1', 1, 0)")
        connection.execute("INSERT INTO tool_calls VALUES (1, 'r1', 1, 'add', '{\"a\": 1}', 'c1')")
        connection.execute("INSERT INTO tool_results VALUES (1, 'r2', 1, 'add', '3', 'c1', NULL, NULL)")
        connection.execute(
            "INSERT INTO parts VALUES (1, 'r2', 'output', 'assistant', 'reasoning', 0, 'One and two.', NULL, NULL, 0)"
        )
    return path


def test_a_response_becomes_its_prompt_and_its_answer(logs: Path) -> None:
    (history,), notes = imported(logs)
    assert (history.source, history.external_id, history.title) == ("llm", "talk", "A talk")
    assert parents(history) == {
        "r1-system": None,
        "r1-prompt": "r1-system",
        "r1": "r1-prompt",
        "r2-tools": "r1",
        "r2": "r2-tools",
    }
    assert [message.role for message in history.messages] == [
        Role.SYSTEM,
        Role.USER,
        Role.ASSISTANT,
        Role.TOOL,
        Role.ASSISTANT,
    ]
    assert noted(notes) == {"FILE": 1, "RAW_ANSWER": 1}


def test_an_answer_keeps_its_model_tokens_options_and_duration(logs: Path) -> None:
    answer = by_id(imported(logs)[0][0])["r1"]
    assert (answer.model, answer.prompt_tokens, answer.completion_tokens) == ("small-2024", 5, 6)
    assert (answer.created_at, answer.completed_at) == ("2024-06-01T12:00:00.123Z", "2024-06-01T12:00:01.623Z")
    assert answer.metadata == {"llm": {"options": {"temperature": 0}, "token_details": {"cached": 1}}}


def test_fragments_and_attachments_belong_to_the_prompt(logs: Path) -> None:
    prompt = by_id(imported(logs)[0][0])["r1-prompt"]
    assert prompt.content == "a long text\n\nWhat is it?\n\n[a2]"
    assert parts(prompt)[2] == {"type": "image", "reference": "/cat.png", "media_type": "image/png"}
    assert prompt.metadata["fragments"] == ["notes.txt"]


def test_calls_results_and_reasoning_are_kept(logs: Path) -> None:
    messages = by_id(imported(logs)[0][0])
    assert parts(messages["r1"]) == [{"type": "tool_call", "name": "add", "call_id": "c1", "arguments": {"a": 1}}]
    assert parts(messages["r2-tools"]) == [{"type": "tool_result", "content": "3", "call_id": "c1", "name": "add"}]
    assert [step.content for step in messages["r2"].thinking] == ["One and two."]


def test_the_first_schema_is_read(tmp_path: Path) -> None:
    with database(tmp_path / "logs.db", FIRST) as connection:
        connection.execute("INSERT INTO conversations VALUES ('talk', NULL, 'small')")
        ask(connection, "r2", "two", "2", datetime_utc="2024-06-02T00:00:00")
        ask(connection, "r1", "one", "1")
        ask(connection, "alone", "three", "3", conversation_id=None)
    histories, _ = imported(tmp_path / "logs.db")
    found = {history.external_id: [message.content for message in history.messages] for history in histories}
    assert found == {"talk": ["one", "1", "two", "2"], "alone": ["three", "3"]}


def test_the_log_of_the_oldest_versions_is_read(tmp_path: Path) -> None:
    schema = """
        CREATE TABLE logs (
            id INTEGER PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, response TEXT, chat_id INTEGER,
            datetime_utc TEXT
        );
        INSERT INTO logs VALUES (1, 'm', 'one', 'Be short.', '1', NULL, '2023-06-01 12:00:00');
        INSERT INTO logs VALUES (2, 'm', 'two', 'Be short.', '2', 1, '2023-06-01 12:00:05');
    """
    with database(tmp_path / "logs.db", schema):
        pass
    (history,), _ = imported(tmp_path / "logs.db")
    assert [message.content for message in history.messages] == ["Be short.", "one", "1", "two", "2"]
    assert history.messages[-1].created_at == "2023-06-01T12:00:05.000Z"


def test_turns_of_the_newest_versions_share_their_nodes(tmp_path: Path) -> None:
    schema = """
        CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
        CREATE TABLE messages (id TEXT PRIMARY KEY, role TEXT, parts TEXT, provider_metadata TEXT, first_seen_utc TEXT);
        CREATE TABLE message_nodes (
            id TEXT PRIMARY KEY, parent_id TEXT, message_id TEXT, depth INTEGER, first_seen_utc TEXT
        );
        CREATE TABLE turns (
            id TEXT PRIMARY KEY, model TEXT, conversation_id TEXT, datetime_utc TEXT, input_tokens INTEGER,
            output_tokens INTEGER, input_node_id TEXT, output_node_id TEXT
        );
        INSERT INTO conversations VALUES ('talk', 'A talk', 'm');
        INSERT INTO turns VALUES ('t1', 'm', 'talk', '2025-01-01T00:00:00', 3, 4, 'n1', 'n2');
        INSERT INTO turns VALUES ('t2', 'm', 'talk', '2025-01-01T00:01:00', 5, 6, 'n3', 'n4');
    """
    said = [
        ("user", [{"type": "text", "text": "one"}]),
        ("assistant", [{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "1"}]),
        ("user", [{"type": "text", "text": "two"}]),
        ("assistant", [{"type": "tool_call", "name": "add", "arguments": {"a": 1}, "tool_call_id": "c"}]),
    ]
    with database(tmp_path / "logs.db", schema) as connection:
        for number, (role, content) in enumerate(said, 1):
            connection.execute(
                "INSERT INTO messages VALUES (?, ?, ?, NULL, NULL)", (f"m{number}", role, json.dumps(content))
            )
            parent = f"n{number - 1}" if number > 1 else None
            connection.execute(
                "INSERT INTO message_nodes VALUES (?, ?, ?, 1, NULL)", (f"n{number}", parent, f"m{number}")
            )
    (history,), _ = imported(tmp_path / "logs.db")
    assert parents(history) == {"n1": None, "n2": "n1", "n3": "n2", "n4": "n3"}
    answer = by_id(history)["n2"]
    assert (answer.content, [step.content for step in answer.thinking]) == ("1", ["hm"])
    assert (answer.model, answer.prompt_tokens, answer.completion_tokens) == ("m", 3, 4)
    assert parts(by_id(history)["n4"])[0]["name"] == "add"
