"""The topics of live events: the document says which there are and the data of each, so that clients are typed."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sidecar.models.events import live_event
from sidecar.storage.interfaces import Change
from sidecar.storage.unified import UnifiedStorage

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r'\b(?:topic=|(?:TOPIC|DELTAS|TODO_EMBEDDINGS) = )"([a-z_.]+)"')


def test_every_topic_of_the_sidecar_is_described_and_no_other() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "sidecar").rglob("*.py"))
    named = {topic for source in sources for topic in NAMED.findall(source.replace("_TOPIC", " TOPIC"))}

    assert named == live_event().model_json_schema()["discriminator"]["mapping"].keys()


async def test_the_events_of_changes_are_as_described(storage: UnifiedStorage) -> None:
    events: list[dict[str, Any]] = []

    def note(changes: Sequence[Change]) -> None:
        events.extend({"topic": change.topic, "id": change.id, **(change.data or {})} for change in changes)

    storage.subscribe(note)
    todo = await storage.insert_todo("water the plants")
    await storage.insert_tip("drink water")
    vault = await storage.insert_vaults("a page", "of text")
    await storage.delete_vault_permanently(vault.id)
    conversation = await storage.create_conversation("chat")
    message = await storage.create_streaming_message(conversation.id, "assistant")
    await storage.append_message_content(message.id, "half a sentence")
    await storage.add_message_thinking(message.id, "a thought")
    await storage.save_conversation_state("thread", [])
    await storage.save_monitoring_token_usage("a model", 1, 2, 3)
    await storage.update_todo(todo.id, content="water the garden")
    await storage.cancel_job((await storage.create_job("notes.import")).id)

    described = live_event()
    for event in events:
        assert described.model_validate(event).root.model_dump(exclude_unset=True) == event
    assert {event["topic"] for event in events} >= {"todos", "vaults", "messages.delta", "states", "thinking", "jobs"}


@pytest.mark.parametrize(
    "event",
    [
        {"topic": "contexts", "id": "c1", "number": 7, "context_type": "activity"},
        {"topic": "imports", "id": "import", "todos": 3, "tips": 0},
        {"topic": "recovery", "id": "acknowledged"},
        {"topic": "recovery", "id": "20260131-093000", "outcome": "rebuilt", "detail": "All rows were read."},
        {"topic": "adoption", "id": 12},
        {"topic": "adoption", "id": "acknowledged"},
        {"topic": "search_index", "id": "emptied"},
        {"topic": "health", "id": "writable"},
        {
            "topic": "jobs",
            "id": 3,
            "name": "notes.import",
            "status": "running",
            "is_cancelling": False,
            "done": 1,
            "total": None,
            "message": "reading",
        },
    ],
)
def test_an_event_is_as_described(event: dict[str, Any]) -> None:
    assert live_event().model_validate(event).root.model_dump(exclude_unset=True) == event
