"""Reading of histories in tests."""

import copy
import json
from pathlib import Path
from typing import Any

from sidecar.models.histories import ConversationHistory, HistoryMessage
from sidecar.tools.histories.formats import Format
from sidecar.tools.histories.notes import Note, Notes

FILES = Path(__file__).parent / "files"


def entries(name: str) -> Any:
    """The content of a fixture."""
    return json.loads((FILES / name).read_text(encoding="utf-8"))


def changed(name: str, **fields: Any) -> Any:
    """The first conversation of a fixture with other fields."""
    content = entries(name)
    first = content[0] if isinstance(content, list) else content
    return {**copy.deepcopy(first), **fields}


def read(found: Format, item: Any) -> tuple[ConversationHistory, Notes]:
    """The conversation that an entry becomes, and what was noted about it."""
    assert found.is_conversation(item)
    notes = Notes()
    return found.read(item, notes), notes


def by_id(history: ConversationHistory) -> dict[str, HistoryMessage]:
    return {str(message.external_id): message for message in history.messages}


def parents(history: ConversationHistory) -> dict[str | None, str | None]:
    """The parent of each message, by their external ids."""
    return {message.external_id: message.parent_external_id for message in history.messages}


def parts(message: HistoryMessage) -> list[dict[str, Any]]:
    return [part.model_dump(exclude_defaults=True) for part in message.parts]


def noted(notes: Notes) -> dict[str, int]:
    return {note.name: notes[note] for note in Note if notes[note]}


def conversation(name: str, *texts: str, **fields: Any) -> dict[str, Any]:
    """A conversation of Claude, a row of messages."""
    messages = [
        {"uuid": f"{name}-{number}", "sender": "human", "text": text, "created_at": f"2024-06-01T12:00:{number:02}Z"}
        for number, text in enumerate(texts)
    ]
    return {"uuid": name, "name": name, "created_at": "2024-06-01T12:00:00Z", "chat_messages": messages, **fields}


def big_tree(count: int, seed: int = 2_280) -> dict[str, Any]:
    """A conversation of ChatGPT with so many messages, each after any one before."""
    mapping: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None}}
    names = ["root"]
    for number in range(count):
        seed = seed * 48_271 % (2**31 - 1)
        message = {
            "author": {"role": "assistant" if number % 2 else "user"},
            "create_time": 1717243200.0 + number,
            "content": {"content_type": "text", "parts": [f"text {number}"]},
        }
        mapping[f"n{number}"] = {"message": message, "parent": names[seed % len(names)]}
        names.append(f"n{number}")
    return {"conversation_id": "big", "title": "Big", "mapping": mapping}
