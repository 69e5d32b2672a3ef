"""Conversations with values that no program writes: each is read, and what it becomes can be stored."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.models.histories import ConversationHistory
from sidecar.storage.resources.rows.validation import json_text
from sidecar.tools.histories.formats import Format
from sidecar.tools.histories.notes import Notes
from sidecar.tools.histories.source import FORMATS

from .support import entries

CASES = [
    ("chatgpt", "chatgpt.json"),
    ("claude", "claude.json"),
    ("openwebui", "openwebui.json"),
    ("librechat", "librechat.json"),
    ("librechat", "librechat-recursive.json"),
    ("llm", "llm.json"),
]

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, -1, 7, 1e308, float("nan"), float("inf"), 10**18),
        *("", "x", "\ud83d", "\x00", "x" * 2_000, "data:image/png;base64," + "QUJD" * 500, "2024-13-45", "[1"),
        *([], [None], [[]], ["x", 7, {}], {}, {"x": None}, {"type": "text"}, {"content_type": "text", "parts": None}),
        {"type": "tool_use", "input": {"deep": [[[[]]]]}},
        {"text": {"value": 7}, "type": "text"},
    ]
)


def first(name: str) -> Any:
    content = entries(name)
    return content[0] if isinstance(content, list) else content


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value within a value."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        found += places(each, (*path, key))
    return found


def replaced(item: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value to a place, unless an earlier change has taken that place away."""
    here = item
    for key in path[:-1]:
        if not isinstance(here, dict | list) or (isinstance(here, list) and not isinstance(key, int)):
            return
        try:
            here = here[key]
        except (KeyError, IndexError):
            return
    if isinstance(here, dict) or (isinstance(here, list) and isinstance(path[-1], int) and path[-1] < len(here)):
        here[path[-1]] = value


@pytest.mark.parametrize(("system", "name"), CASES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_value_at_any_place_is_read_and_can_be_stored(system: str, name: str, data: st.DataObject) -> None:
    item = copy.deepcopy(first(name))
    paths = places(item)
    for _ in range(data.draw(st.integers(1, 4))):
        replaced(item, data.draw(st.sampled_from(paths)), copy.deepcopy(data.draw(ODD)))
    require_storable(FORMATS[system], item)


@pytest.mark.parametrize(("system", "name"), CASES)
def test_a_value_that_is_missing_does_no_harm(system: str, name: str) -> None:
    for path in places(first(name)):
        item = first(name)
        here = item
        for key in path[:-1]:
            here = here[key]
        del here[path[-1]]
        require_storable(FORMATS[system], item)


def require_storable(found: Format, item: Any) -> None:
    """Read the conversation, and check what a store checks."""
    if not found.is_conversation(item):
        return
    history = found.read(item, Notes())
    ConversationHistory.model_validate_json(history.model_dump_json(exclude_defaults=True))
    names = [message.external_id for message in history.messages]
    assert len(set(names)) == len(names)
    for place, message in enumerate(history.messages):
        assert message.parent_external_id in {None, *names[:place]}
        json_text("metadata", message.metadata)
        json_text("parts", [part.model_dump(exclude_unset=True) for part in message.parts])
        for step in message.thinking:
            json_text("metadata", step.metadata)
    json_text("metadata", history.metadata)
