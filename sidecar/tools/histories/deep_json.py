"""JSON that nests deeper than Python's own parser goes: chats whose answers lie within one another, message by message.

Slower than `json`, and without recursion. It accepts and refuses the same texts.
"""

import re
from json import JSONDecodeError, JSONDecoder
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LITERALS = {"true": True, "false": False, "null": None, "NaN": float("nan"), "Infinity": float("inf")}
_LITERAL = re.compile("|".join(_LITERALS))
_STRINGS = JSONDecoder(strict=False)


def raw_decode(text: str, index: int) -> tuple[Any, int]:
    """Return the value that begins at `index`, and where it ends. Raises `JSONDecodeError`."""
    containers: list[dict[str, Any] | list[Any]] = []
    names: list[str] = []
    while True:
        index = _after_space(text, index)
        character = text[index : index + 1]
        if character in ("{", "["):
            container: dict[str, Any] | list[Any] = {} if character == "{" else []
            index = _after_space(text, index + 1)
            if text[index : index + 1] != _end_of(container):
                name, index = _name(text, index) if isinstance(container, dict) else ("", index)
                containers.append(container)
                names.append(name)
                continue
            value: Any = container
            index += 1
        else:
            value, index = _scalar(text, index)
        while containers:
            container = containers[-1]
            if isinstance(container, dict):
                container[names[-1]] = value
            else:
                container.append(value)
            index = _after_space(text, index)
            character = text[index : index + 1]
            if character == ",":
                index = _after_space(text, index + 1)
                if isinstance(container, dict):
                    names[-1], index = _name(text, index)
                break
            if character != _end_of(container):
                raise JSONDecodeError("Expecting ',' delimiter", text, index)
            value = containers.pop()
            names.pop()
            index += 1
        else:
            return value, index


def _after_space(text: str, index: int) -> int:
    found = _SPACE.match(text, index)
    return index if found is None else found.end()


def _end_of(container: dict[str, Any] | list[Any]) -> str:
    return "}" if isinstance(container, dict) else "]"


def _name(text: str, index: int) -> tuple[str, int]:
    """Return the name of a member, and where its value begins."""
    if text[index : index + 1] != '"':
        raise JSONDecodeError("Expecting property name enclosed in double quotes", text, index)
    name, index = _STRINGS.raw_decode(text, index)
    index = _after_space(text, index)
    if text[index : index + 1] != ":":
        raise JSONDecodeError("Expecting ':' delimiter", text, index)
    return name, index + 1


def _scalar(text: str, index: int) -> tuple[Any, int]:
    if text[index : index + 1] == '"':
        return _STRINGS.raw_decode(text, index)
    found = _NUMBER.match(text, index)
    if found is not None:
        return number(found[0], is_whole=not (found[1] or found[2])), found.end()
    literal = _LITERAL.match(text, index)
    if literal is None:
        raise JSONDecodeError("Expecting value", text, index)
    return _LITERALS[literal[0]], literal.end()


def number(digits: str, *, is_whole: bool = True) -> int | float:
    """Return the number; a whole one that no 64 bits hold becomes a float."""
    return int(digits) if is_whole and len(digits) < _MOST_DIGITS else float(digits)


_MOST_DIGITS = 19
"""The largest number of 64 bits has 19 digits; Python refuses to convert thousands of them."""
