"""Columns: each reads what other programs may have written there, and its SQL finds every value that it changes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.models.conversations import ConversationStatus
from sidecar.models.todos import TodoStatus
from sidecar.storage.resources.all import TABLES
from sidecar.storage.resources.rows import columns
from sidecar.storage.resources.rows.columns import UNKNOWN_TIME, Column, Unreadable
from sidecar.storage.sqlite.schema.odd_values import odd_value

NEVER = "2026-01-31T09:30:00.000Z"


def read(column: Column, value: Any) -> Any:
    """The value as the column reads it; for an unreadable one, a tuple with what is answered instead."""
    try:
        return column.read(value)
    except Unreadable as unreadable:
        return ("instead", unreadable.instead)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (NEVER, NEVER),
        ("2026-01-31 09:30:00", NEVER),
        ("2026-01-31T09:30", NEVER),
        ("2026-01-31 10:30:00+01:00", NEVER),
        ("2026-01-31 09:30:00.000Z", NEVER),
        (b"2026-01-31 09:30:00", NEVER),
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
        ("09:30", "2000-01-01T09:30:00.000Z"),
        (1769851800, NEVER),
        (1769851800.0, NEVER),
        (1769851800000, NEVER),
        (2461071.895833333, "2026-01-31T09:30:00.000Z"),
        ("2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z"),
        ("2026-02-31T00:00:00.000Z", "2026-03-03T00:00:00.000Z"),
        ("yesterday", ("instead", UNKNOWN_TIME)),
        ("now", ("instead", UNKNOWN_TIME)),
        ("", ("instead", UNKNOWN_TIME)),
        (b"\xff", ("instead", UNKNOWN_TIME)),
        (1e300, ("instead", UNKNOWN_TIME)),
        (None, ("instead", UNKNOWN_TIME)),
    ],
)
def test_a_time_is_read_in_every_form_that_sqlite_knows(stored: Any, expected: Any) -> None:
    assert read(columns.time(), stored) == expected


def test_an_optional_time_that_cannot_be_read_is_absent() -> None:
    assert read(columns.time(optional=True), "yesterday") == ("instead", None)
    assert read(columns.time(optional=True), None) is None


@pytest.mark.parametrize(
    ("column", "stored", "expected"),
    [
        (columns.text(), b"hi", "hi"),
        (columns.text(), b"M\xfcller", ("instead", "M�ller")),
        (columns.text(), 5, "5"),
        (columns.text(), None, ("instead", "")),
        (columns.text(optional=True), None, None),
        (columns.integer(), 5.0, 5),
        (columns.integer(), "5.0", 5),
        (columns.integer(), 5.5, ("instead", 0)),
        (columns.integer(), "high", ("instead", 0)),
        (columns.integer(), 2.0**70, ("instead", 0)),
        (columns.integer(0), -1, ("instead", 0)),
        (columns.integer(optional=True), "high", ("instead", None)),
        (columns.reference(), "12", 12),
        (columns.reference(), "", None),
        (columns.reference(), "the first", ("instead", None)),
        (columns.real(0, 1), 0.5, 0.5),
        (columns.real(0, 1), 7, ("instead", 0.0)),
        (columns.real(0, 1), float("inf"), ("instead", 0.0)),
        (columns.boolean(), 2, True),
        (columns.boolean(), "no", False),
        (columns.boolean(), "maybe", ("instead", False)),
        (columns.boolean(), None, ("instead", False)),
        (columns.choice(TodoStatus, TodoStatus.PENDING), 1, TodoStatus.COMPLETED),
        (columns.choice(TodoStatus, TodoStatus.PENDING), 2, ("instead", TodoStatus.PENDING)),
        (columns.choice(ConversationStatus, ConversationStatus.ACTIVE), "Archived", ConversationStatus.ARCHIVED),
        (columns.choice(ConversationStatus, ConversationStatus.ACTIVE), "open", ("instead", ConversationStatus.ACTIVE)),
        (columns.choice(ConversationStatus, None), None, None),
        (columns.json_object(), '{"a": [1]}', {"a": [1]}),
        (columns.json_object(), None, {}),
        (columns.json_object(), "null", {}),
        (columns.json_object(), "", {}),
        (columns.json_object(), "{oops", ("instead", {"value": "{oops"})),
        (columns.json_object(), "[1]", ("instead", {"value": [1]})),
        (columns.json_object(), '{"a": NaN}', ("instead", {"value": '{"a": NaN}'})),
        (columns.json_object(), '{"a": "\\ud800"}', ("instead", {"value": '{"a": "\\ud800"}'})),
        (columns.json_object(), "[" * 500 + "]" * 500, ("instead", {"value": "[" * 500 + "]" * 500})),
        (columns.json_list(), '["a"]', ["a"]),
        (columns.json_list(), '"a"', ("instead", ["a"])),
        (columns.json_list(str), '["a", 1]', ("instead", ["a"])),
        (columns.json_value(), "null", None),
        (columns.json_value(), "plain", ("instead", "plain")),
        (columns.json_value(), "5", 5),
    ],
)
def test_a_value_that_means_something_is_normalised_and_any_other_has_a_safe_one(
    column: Column, stored: Any, expected: Any
) -> None:
    assert read(column, stored) == expected


def test_a_row_is_read_whole_and_names_what_cannot_be_read() -> None:
    row = {"id": 1, "content": b"x", "created_at": "2026-01-31 09:30:00", "status": 2, "urgency": "high"}
    values, invalid = columns.read_row(TABLES["todo"].columns, row)
    assert values == {"id": 1, "content": "x", "created_at": NEVER, "status": 0, "urgency": 0}
    assert invalid == ("status", "urgency")


@pytest.fixture(scope="module")
def sqlite() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


TEXTS = st.sampled_from(
    [NEVER, "2026-01-31 09:30:00", "yesterday", "", "{}", "[]", "null", '{"a":1}', "{oops", "active", "open", "5", "x"]
)
VALUES = st.one_of(
    st.none(), TEXTS, TEXTS.map(str.encode), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text()
)
KINDS = {name: column for table in TABLES.values() for name, column in table.columns.items()}


@given(name=st.sampled_from(sorted(KINDS)), value=VALUES)
@example(name="parent_message_id", value=0)
def test_the_sql_of_a_column_finds_every_value_that_is_changed_or_refused(
    sqlite: sqlite3.Connection, name: str, value: Any
) -> None:
    column = KINDS[name]
    (is_odd,) = sqlite.execute(f"SELECT {odd_value(column, 'value')} FROM (SELECT ? AS value)", (value,)).fetchone()
    if not is_odd:
        assert column.write(read(column, value)) == value or column.null is not None
        assert not isinstance(read(column, value), tuple)
