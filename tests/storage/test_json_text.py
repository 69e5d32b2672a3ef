"""JSON columns: what goes in comes back as it was, and what would not is refused."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidInput
from sidecar.storage.resources.rows.validation import MAX_NESTING, json_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
)


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def circle() -> list[Any]:
    inside: list[Any] = []
    inside.append(inside)
    return inside


REFUSED: Mapping[str, Any] = {
    "a set": {1, 2},
    "bytes": b"one",
    "a tuple, which would come back as a list": ("one",),
    "a time, which would come back as text": datetime(2026, 1, 31, tzinfo=UTC),
    "an exact number, which would come back as another": Decimal("0.1"),
    "a name that is a number": {1: "one"},
    "an infinite number": [inf],
    "what is not a number": {"measure": nan},
    "half of a character": "\ud83d",
    "half of a character in a name": {"\ud83d": 1},
    "an object of a program": object(),
    "what contains itself": circle(),
    "one level too many": nested(MAX_NESTING + 1),
    "far too many levels": nested(5_000),
}


@given(JSON_VALUES)
def test_what_json_holds_comes_back_as_it_was(value: Any) -> None:
    assert json.loads(json_text("metadata", value)) == value


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_what_would_come_back_as_something_else_is_refused_by_the_name_of_its_field(value: Any) -> None:
    with pytest.raises(InvalidInput, match="metadata: cannot be stored as JSON, which holds"):
        json_text("metadata", value)


def test_as_deep_as_may_be_is_stored() -> None:
    assert json.loads(json_text("metadata", nested(MAX_NESTING))) == nested(MAX_NESTING)
