"""The conversations of a large JSON file, one at a time.

Such a file is one array, an object with the array as `conversations`, or a row of objects (JSON Lines, or a single
conversation). Only the conversation that is read is in memory: a block of text is parsed as far as it goes, and a value
that does not end in it is parsed again once the text has doubled, so that the whole takes linear time.
"""

import codecs
import json
import re
from collections.abc import Iterator
from json import JSONDecodeError
from typing import IO, Any, NoReturn

from sidecar.errors import ArchiveRefused
from sidecar.tools.archive_limits import MEBIBYTE
from sidecar.tools.histories import deep_json

BLOCK = MEBIBYTE
"""Bytes that are read at a time."""

LARGEST_CONVERSATION = 256 * MEBIBYTE
"""Characters of one conversation, which is held in memory: room for two texts of the largest size that is stored."""

_WRAPPED = re.compile(r'\{\s*"conversations"\s*:\s*\[')
_SPACE = re.compile(r"\s*")
_AFTER_NUMBER = frozenset(" \t\n\r,]}")
_CUT_SHORT = 16
"""Characters. An error so close to the end of the text may be due to a literal or an escape that is not complete."""

_DECODER = json.JSONDecoder(strict=False, parse_int=deep_json.number)


def items_of(file: IO[bytes], name: str, *, block: int = BLOCK, largest: int = LARGEST_CONVERSATION) -> Iterator[Any]:
    """Yield the conversations in a file. `name` is for errors.

    Raises `ArchiveRefused` for a file that is not JSON or was cut off, when the reading gets there.
    """
    text = _Text(file, name, block, largest)
    if text.next_character() == "[":
        text.position += 1
        yield from _array(text)
    elif text.next_character() == "{":
        wrapped = _WRAPPED.match(text.buffer, text.position)
        if wrapped is not None:
            text.position = wrapped.end()
            yield from _array(text)
        else:
            while text.next_character():
                yield text.value()
    else:
        raise ArchiveRefused(f"{name} {_not_json(text)}")


def _array(text: "_Text") -> Iterator[Any]:
    if text.next_character() == "]":
        return
    while True:
        yield text.value()
        following = text.next_character()
        if following == "]":
            return
        if following != ",":
            text.refuse("there is no comma or end after it")
        text.position += 1


class _Text:
    """The text of a file, of which a part is in memory."""

    def __init__(self, file: IO[bytes], name: str, block: int, largest: int) -> None:
        self._file = file
        self._name = name
        self._block = block
        self._largest = largest
        self._decoder: codecs.IncrementalDecoder | None = None
        self._is_at_end = False
        self._number = 0
        self.buffer = ""
        self.position = 0

    def next_character(self) -> str:
        """Return the next character that is not white space, and stay before it; an empty text at the end."""
        while True:
            found = _SPACE.match(self.buffer, self.position)
            self.position = len(self.buffer) if found is None else found.end()
            if self.position < len(self.buffer):
                return self.buffer[self.position]
            if not self._read_more(1):
                return ""

    def value(self) -> Any:
        """Return the next value. Raises `ArchiveRefused`."""
        self._number += 1
        self.next_character()
        while True:
            try:
                value, end = _raw_decode(self.buffer, self.position)
            except JSONDecodeError as error:
                length = len(self.buffer) - self.position
                if not self._may_continue(error):
                    self.refuse(f"{error.msg[:1].lower()}{error.msg[1:]}")
                if length > self._largest:
                    self.refuse(f"it has more than {self._largest:,} characters")
                if not self._read_more(length):
                    self.refuse("the file was cut off in it")
                continue
            if self._ends_at(value, end) or not self._read_more(len(self.buffer) - self.position):
                self.position = end
                return value

    def refuse(self, reason: str) -> NoReturn:
        """Raise `ArchiveRefused` for the conversation that is read."""
        raise ArchiveRefused(
            f"{self._name} is damaged at conversation {self._number:,}: {reason}. Take another copy of the file, or "
            "export again."
        )

    def _ends_at(self, value: Any, end: int) -> bool:
        """Return whether the value surely ends there; more digits may follow those of a number."""
        return not isinstance(value, int | float) or self.buffer[end : end + 1] in _AFTER_NUMBER

    def _may_continue(self, error: JSONDecodeError) -> bool:
        """Return whether more text may make the value complete."""
        rest = self.buffer[error.pos : error.pos + _CUT_SHORT + 1]
        return error.msg.startswith("Unterminated string") or len(rest.strip()) < _CUT_SHORT

    def _read_more(self, least: int) -> bool:
        """Read at least so many characters more; return whether there were any."""
        pieces = [self.buffer[self.position :]]
        self.position = 0
        found = 0
        while found < max(1, least) and not self._is_at_end:
            block = self._file.read(self._block)
            self._is_at_end = not block
            if self._decoder is None:
                self._decoder = _decoder_for(block)
            try:
                piece = self._decoder.decode(block, self._is_at_end)
            except UnicodeDecodeError:
                raise ArchiveRefused(
                    f"{self._name} is not text in UTF-8; take another copy of the file, or export again."
                ) from None
            pieces.append(piece)
            found += len(piece)
        self.buffer = "".join(pieces)
        return found > 0


def _raw_decode(text: str, index: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, index)
    except RecursionError:
        return deep_json.raw_decode(text, index)


def _decoder_for(beginning: bytes) -> codecs.IncrementalDecoder:
    """Return the decoder of the encoding that the first bytes mark; UTF-8 without a mark."""
    is_utf_16 = beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return codecs.getincrementaldecoder("utf-16" if is_utf_16 else "utf-8-sig")()


def _not_json(text: _Text) -> str:
    beginning = text.buffer[text.position : text.position + 100].lower()
    if not beginning:
        return "is empty; take another copy of the file."
    if beginning.startswith("<"):
        return "is a page of HTML; give the file of the export that ends in .json, or the .zip."
    return "is not JSON; give the file of the export that ends in .json, or the .zip."
