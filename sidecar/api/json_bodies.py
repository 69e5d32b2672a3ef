"""Limits on what a JSON body is made of, and the reason why one is not JSON.

A parser makes an object of each value, in one step that nothing interrupts: 12 MB of `[]` held the event loop up for
seconds. So a large body is counted before, in steps between which the loop goes on.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from sidecar.errors import BodyTooComplex, InvalidInput, MalformedRequest, RequestRefused

COUNTED_FROM = 64 * 1024
"""Bytes of a body that is counted. A smaller one is parsed within a few milliseconds, whatever is in it."""

MAX_PARTS = 200_000
"""Lists, objects and members of objects. A full batch of 10,000 rows fits when a row has nineteen of them."""

MAX_TEXTS = 400_000
"""Texts, names of members among them: an object is made of each."""

MAX_VALUES = 2_000_000
"""All values. They are many only where they are numbers, such as those of vectors, and numbers are cheap."""

MAX_SEARCHED = 40_000
"""Values, or signs of them in texts, among which half of a character is searched for, so that its field can be named.
Among more, the parser's own word has to do, which is the line and the column."""

_LARGE_STEP = 1024 * 1024
STEP_BYTES = 256 * 1024
"""Bytes that are counted at a time, in a millisecond or, where there are many strings, a few."""

_SIGNS_OF_PARTS = (b"[", b"{", b":")
_SIGNS_OF_VALUES = (b"[", b"{", b",")

_SURROGATE = re.compile("[\ud800-\udfff]")


async def check_parts(content: bytes, *, max_parts: int = MAX_PARTS, step_bytes: int = STEP_BYTES) -> None:
    """Raise `BodyTooComplex` when parsing the JSON would hold up the event loop."""
    if await _may_be_too_many(content, max_parts):
        await _count(content, max_parts, step_bytes)


def not_json(content: bytes, reason: str) -> RequestRefused:
    """Return the error for a body that the parser refuses for that reason; it names a text that is not Unicode."""
    found = _lone_surrogate(content)
    if found is None:
        return MalformedRequest(f"The body is not JSON in UTF-8: {reason}.")
    place, text, index = found
    return InvalidInput.field(
        place,
        f"The character at index {index} is the lone surrogate \\u{ord(text[index]):04x}, half of a character; send "
        "both halves in one text",
    )


async def _may_be_too_many(content: bytes, max_parts: int) -> bool:
    """Return whether there would be too many if no text held any of their signs: most bodies are few long texts."""
    parts = values = quotes = 0
    for position in range(0, len(content), _LARGE_STEP):
        end = position + _LARGE_STEP
        parts += sum(content.count(sign, position, end) for sign in _SIGNS_OF_PARTS)
        values += content.count(b",", position, end)
        quotes += content.count(b'"', position, end)
        await asyncio.sleep(0)
    return parts > max_parts or values > MAX_VALUES or quotes > 2 * MAX_TEXTS


async def _count(content: bytes, max_parts: int, step_bytes: int) -> None:
    parts = values = quotes = position = 0
    is_inside = False
    while position < len(content):
        piece = _piece(content, position, step_bytes)
        position += len(piece)
        outside, found = _outside_strings(piece, is_inside)
        is_inside ^= found % 2 == 1
        quotes += found
        parts += sum(outside.count(sign) for sign in _SIGNS_OF_PARTS)
        values += outside.count(b",")
        if parts > max_parts or values > MAX_VALUES or quotes > 2 * MAX_TEXTS:
            raise BodyTooComplex(
                f"The body has more than {max_parts:,} lists, objects and members, more than {MAX_TEXTS:,} texts, or "
                f"more than {MAX_VALUES:,} values; send it in several requests."
            )
        await asyncio.sleep(0)


def _piece(content: bytes, position: int, step_bytes: int) -> bytes:
    """Return the next piece to count, which does not end between a backslash and what it escapes."""
    piece = content[position : position + step_bytes]
    escapes = len(piece) - len(piece.rstrip(b"\\"))
    return piece[:-1] if escapes % 2 and position + step_bytes < len(content) else piece


def _outside_strings(piece: bytes, is_inside: bool) -> tuple[bytes, int]:
    """Return what is in no string, and how many quotation marks begin or end one."""
    if b"\\" in piece:
        piece = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
    parts = piece.split(b'"')
    return b"".join(parts[is_inside::2]), len(parts) - 1


def _lone_surrogate(content: bytes) -> tuple[str, str, int] | None:
    """Return the place of the first text that holds half of a character, the text, and where in it that is."""
    if b"\\ud" not in content and b"\\uD" not in content and b"\xed" not in content:
        return None
    if sum(content.count(sign) for sign in _SIGNS_OF_VALUES) > MAX_SEARCHED:
        return None
    try:
        # Python's parser lets surrogates pass, and joins those that belong together.
        value = json.loads(content.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    for place, text in _texts(value):
        found = _SURROGATE.search(text)
        if found is not None:
            return _name_of(place), text, found.start()
    return None


def _texts(value: object) -> "Iterator[tuple[_Place | None, str]]":
    """Yield every text in the value with its place, in order; the name of a member is at the place of its object."""
    waiting: list[tuple[_Place | None, object]] = [(None, value)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            for name in value:
                yield place, name
            waiting += [(_Place(place, name), inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(_Place(place, index), inner) for index, inner in reversed(list(enumerate(value)))]


class _Place(NamedTuple):
    """The place of a value. Its name is made only when it is reported: it may be as long as the body."""

    around: "_Place | None"
    name: str | int


def _name_of(place: _Place | None) -> str:
    names: list[str] = []
    while place is not None:
        names.append(str(place.name))
        place = place.around
    return ".".join(["body", *reversed(names)])
