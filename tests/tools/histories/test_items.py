"""The conversations of a JSON file, one at a time."""

import io
import json
import tracemalloc
from json import JSONDecodeError
from typing import IO, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.errors import ArchiveRefused
from sidecar.tools.histories import deep_json
from sidecar.tools.histories.items import items_of

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def items(content: bytes | str, block: int = 7, **limits: int) -> list[Any]:
    data = content.encode() if isinstance(content, str) else content
    return list(items_of(io.BytesIO(data), "the file", block=block, **limits))


def refusal(content: bytes | str, **limits: int) -> str:
    with pytest.raises(ArchiveRefused) as refused:
        items(content, **limits)
    return refused.value.message


@settings(max_examples=60, deadline=None)
@given(values=st.lists(VALUES, max_size=5), block=st.integers(1, 40), is_ascii=st.booleans())
def test_an_array_is_read_in_blocks_of_any_size(values: list[Any], block: int, is_ascii: bool) -> None:
    content = json.dumps(values, ensure_ascii=is_ascii, indent=1)
    try:
        data = content.encode()
    except UnicodeEncodeError:
        data = json.dumps(values).encode()
    assert items(data, block) == values


@settings(max_examples=60, deadline=None)
@given(value=VALUES)
def test_the_parser_without_recursion_reads_the_same_values(value: Any) -> None:
    content = f" {json.dumps(value)} "
    assert deep_json.raw_decode(content, 0) == (value, len(content) - 1)


@pytest.mark.parametrize(
    "content", ["", "{", "[1", "[1 2]", '{"a" 1}', '{"a": }', "{1: 2}", "[,]", "tru", '"x', "-", "[1,]"]
)
def test_the_parser_without_recursion_refuses_the_same_texts(content: str) -> None:
    with pytest.raises(JSONDecodeError):
        json.JSONDecoder().raw_decode(content)
    with pytest.raises(JSONDecodeError):
        deep_json.raw_decode(content, 0)


def test_an_object_that_wraps_the_array_is_read_like_the_array() -> None:
    assert items('{ "conversations" : [1, {"a": 2}]}', block=100) == [1, {"a": 2}]


def test_a_single_conversation_and_lines_of_json_are_read() -> None:
    assert items('{"a": 1}') == [{"a": 1}]
    assert items('{"a": 1}\n{"a": 2}\n') == [{"a": 1}, {"a": 2}]


def test_marks_of_the_encoding_are_skipped() -> None:
    assert items(b"\xef\xbb\xbf[1]") == [1]
    assert items('["é"]'.encode("utf-16")) == ["é"]


def test_values_that_nest_deeper_than_the_parser_goes_are_read() -> None:
    (found,) = items(f"[{'[' * 20_000}{']' * 20_000}]", block=1_000)
    depth = 0
    while found:
        (found,) = found
        depth += 1
    assert depth == 19_999


def test_numbers_of_thousands_of_digits_become_floats() -> None:
    assert items(f"[{'9' * 5000}, {'9' * 30}]") == [float("inf"), 1e30]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("<!doctype html>", "the file is a page of HTML; give the file of the export that ends in .json"),
        ("hello", "the file is not JSON"),
        ('[{"a": 1}, {"a": ', "damaged at conversation 2: the file was cut off in it"),
        ('[{"a": 1}', "damaged at conversation 1: there is no comma or end after it"),
        ('[{"a": 1} {"b": 2}]', "damaged at conversation 1: there is no comma or end after it"),
        (b'["\xff\xff"]', "the file is not text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(content: bytes | str, reason: str) -> None:
    assert reason in refusal(content)


def test_an_error_is_reported_before_the_rest_of_the_file_is_read() -> None:
    class Counted(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            self.count = getattr(self, "count", 0) + 1
            return super().read(size)

    file = Counted(b'[{"a": 1}, {"b": x' + b" " * 10 + b'"word", ' * 100_000)
    with pytest.raises(ArchiveRefused, match="damaged at conversation 2: expecting value"):
        list(items_of(file, "the file", block=1000))
    assert file.count < 5


def test_a_conversation_that_is_too_large_is_refused() -> None:
    assert "it has more than 1,000 characters" in refusal(f'["{"x" * 5000}"]', block=100, largest=1_000)


class Endless(io.RawIOBase):
    """A file of so many equal conversations."""

    def __init__(self, item: bytes, count: int) -> None:
        self._blocks = iter([b"[", *[item + b","] * (count - 1), item, b"]"])

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return next(self._blocks, b"")


def test_only_the_conversation_that_is_read_is_in_memory() -> None:
    item = json.dumps({"mapping": {str(number): {"text": "word " * 20} for number in range(2_000)}}).encode()
    file: IO[bytes] = Endless(item, 60)  # type: ignore[assignment]
    tracemalloc.start()
    try:
        assert sum(1 for _ in items_of(file, "the file")) == 60
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(item) < 60 * len(item)
