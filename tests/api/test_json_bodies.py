"""JSON bodies: large ones are counted before they are parsed, and what is wrong with a text is said precisely."""

import asyncio
import json
import random
import tracemalloc
from typing import Any

import pytest

from sidecar.api.json_bodies import check_parts, not_json
from sidecar.errors import BodyTooComplex, InvalidInput, MalformedRequest

TEXT = 'He said: "yes", and then [no] or {maybe}; C:\\new\\\\path\n'


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b",".join([b"[]"] * 300_000) + b"]",
        b"[" + b",".join([b"{}"] * 300_000) + b"]",
        b"[" * 300_000,
        b"{" + b",".join(b'"a%d":0' % number for number in range(300_000)) + b"}",
        b"[" + b",".join([b"0"] * 3_000_000) + b"]",
        b"[" + b",".join([b'""'] * 500_000) + b"]",
        b'["' + b"\\\\" * 300_000 + b'"' + b",[]" * 300_000 + b"]",
    ],
    ids=["lists", "objects", "depth", "members", "numbers", "texts", "behind an escaped text"],
)
async def test_too_many_values_are_refused_without_being_parsed(content: bytes) -> None:
    with pytest.raises(BodyTooComplex):
        await check_parts(content)


@pytest.mark.parametrize(
    "value",
    [
        {"content": "lorem ipsum dolor sit amet, " * 450_000},
        {"content": TEXT * 100_000},
        {"content": json.dumps([{"a": [1, 2, 3]}] * 100_000)},
        {"todos": [{"content": TEXT, "urgency": 1, "start_time": "2026-01-01T00:00:00.000Z"}] * 1_000},
        {"vectors": [[0.123456] * 1_536] * 500},
    ],
    ids=["text", "signs in a text", "JSON in a text", "a batch", "vectors"],
)
async def test_large_texts_batches_and_vectors_pass(value: dict[str, Any]) -> None:
    await check_parts(json.dumps(value).encode())


async def test_wherever_a_body_is_cut_the_count_is_the_same() -> None:
    chance = random.Random(1)
    for _ in range(100):
        texts = ["".join(chance.choices('\\"[]{},: a', k=chance.randrange(12))) for _ in range(20)]
        content = json.dumps([[text, {text: 1}] for text in texts]).encode()
        parts = 1 + 3 * len(texts)
        step_bytes = chance.randrange(2, 20)
        await check_parts(content, max_parts=parts, step_bytes=step_bytes)
        with pytest.raises(BodyTooComplex):
            await check_parts(content, max_parts=parts - 1, step_bytes=step_bytes)


async def test_the_loop_goes_on_while_a_body_is_counted() -> None:
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(take_turns())
    await check_parts(json.dumps({"content": TEXT * 100_000}).encode())
    others.cancel()
    assert turns > 20


@pytest.mark.parametrize(
    ("content", "field", "index", "surrogate"),
    [
        (rb'{"content":"abc\ud83d"}', "body.content", 3, "d83d"),
        (rb'{"content":"\udc00x"}', "body.content", 0, "dc00"),
        (rb'{"content":"\ud83d\ude00\ud83d\ud83d\ude00"}', "body.content", 1, "d83d"),
        (b'{"content":"\xed\xa0\xbd"}', "body.content", 0, "d83d"),
        (rb'{"a":[{"x":"fine"},{"y":"\ud83dz"}],"b":"\ud83d"}', "body.a.1.y", 0, "d83d"),
        (rb'{"a":{"b\ud83d":"x"}}', "body.a", 1, "d83d"),
        (rb'"\uD83D"', "body", 0, "d83d"),
    ],
)
def test_half_of_a_character_is_named_with_its_field_and_index(
    content: bytes, field: str, index: int, surrogate: str
) -> None:
    error = not_json(content, "unexpected end of hex escape")
    assert isinstance(error, InvalidInput)
    assert error.errors[0].field == field
    assert f"index {index} is the lone surrogate \\u{surrogate}" in error.errors[0].message
    error.message.encode()


@pytest.mark.parametrize(
    "content", [b"{", b'{"a":"\\ud83d\\ude00"', b"\xed\xed", b'"\\ud83d', b"[" * 100_000 + b'"\\ud']
)
def test_what_is_no_json_at_all_stays_so(content: bytes) -> None:
    assert isinstance(not_json(content, "the reason"), MalformedRequest)


@pytest.mark.parametrize("places", [39_000, 1_900_000])
def test_the_search_for_half_of_a_character_takes_little_memory_and_time(places: int) -> None:
    """A name as long as the body is not copied for each value under it."""
    content = b'{"' + b"k" * 1_000_000 + b'":[' + b"0," * places + rb'0],"x":"\ud800"}'
    tracemalloc.start()
    try:
        error = not_json(content, "lone leading surrogate in hex escape at line 1 column 9")
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert ("body.x" in error.message) or ("column 9" in error.message)
