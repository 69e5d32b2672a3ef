"""Values of other programs, in a form that the store takes."""

import json
from typing import Any

import pytest

from sidecar.storage.resources.rows.validation import json_text
from sidecar.tools.histories import values
from sidecar.tools.histories.notes import Notes

from .support import noted


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        (1717243200, "2024-06-01T12:00:00.000Z"),
        (1717243200.9996, "2024-06-01T12:00:00.999Z"),
        (1717243200123, "2024-06-01T12:00:00.123Z"),
        (1717243200123456, "2024-06-01T12:00:00.123Z"),
        (1717243200123456789, "2024-06-01T12:00:00.123Z"),
        ("1717243200", "2024-06-01T12:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        ("2024-06-01T12:00:00", "2024-06-01T12:00:00.000Z"),
        ("2024-06-01T14:00:00+02:00", "2024-06-01T12:00:00.000Z"),
        (None, None),
        (0, None),
        ("", None),
        (False, None),
    ],
)
def test_a_time_is_read_in_any_unit(given: Any, moment: str | None) -> None:
    notes = Notes()
    assert values.moment(given, notes) == moment
    assert noted(notes) == {}


@pytest.mark.parametrize("given", [float("nan"), float("inf"), 10**400, -1e300, "yesterday", [], {}, "1e999"])
def test_what_is_no_time_is_counted(given: Any) -> None:
    notes = Notes()
    assert values.moment(given, notes) is None
    assert noted(notes) == {"UNREADABLE_TIME": 1}


def test_halves_of_characters_are_replaced_and_whole_ones_stay() -> None:
    notes = Notes()
    assert values.text("a \ud83d b \U0001f600", notes) == "a \ufffd b \U0001f600"
    assert noted(notes) == {"HALF_CHARACTER": 1}


def test_the_bytes_of_an_image_in_a_text_become_their_digest() -> None:
    notes = Notes()
    text = values.text(f"![cat](data:image/png;base64,{'QUJD' * 1000}) meow", notes)
    assert text.startswith("![cat](data:image/png;sha256:")
    assert text.endswith(") meow")
    assert len(text) < 150


def test_the_same_bytes_have_the_same_reference() -> None:
    one, two = (values.reference("data:image/png;base64,QUJD", Notes()) for _ in range(2))
    assert one == two != values.reference("data:image/png;base64,QUJE", Notes())


def test_a_long_id_becomes_its_digest() -> None:
    assert values.identifier("x" * 1000) == "x" * 1000
    assert values.identifier("x" * 1001) == values.digest("x" * 1001)
    assert values.identifier(7) == "7"
    assert values.identifier(True) is None


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, True, "text"]},
        {"nan": float("nan"), "inf": float("inf")},
        {"half \ud83d": "\ud83d"},
        {"big": 10**18, "float": 1e300},
        json.loads("[" * 400 + "]" * 400),
        {"nul": "a\x00b"},
    ],
    ids=["plain", "not JSON", "half characters", "numbers", "deep", "NUL"],
)
def test_every_value_that_is_kept_can_be_stored(value: Any) -> None:
    kept = values.kept(value, Notes())
    assert json.loads(json_text("metadata", {"x": kept})) == {"x": kept}


def test_a_value_that_is_kept_is_the_same_unless_something_is_noted() -> None:
    notes = Notes()
    value: Any = {"a": [1, 2.5, None, True, "text", {"b": []}]}
    assert values.kept(value, notes) == value
    assert noted(notes) == {}


def test_the_fields_that_hold_something_are_the_original() -> None:
    fields: dict[str, Any] = {
        "imported": 1,
        "none": None,
        "empty": "",
        "list": [],
        "object": {},
        "zero": 0,
        "false": False,
        "text": "x",
    }
    found = values.original(fields, frozenset({"imported"}), Notes())
    assert found == {"zero": 0, "false": False, "text": "x"}


def test_a_very_large_original_is_left_out_and_counted() -> None:
    notes = Notes()
    assert values.original({"raw": ["x" * 600_000, "y" * 600_000]}, frozenset(), notes) == {}
    assert notes.lines() == ["Left out 1 original of a piece: it is larger than 1 MB."]
