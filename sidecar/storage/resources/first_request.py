"""The request that a conversation began with, as its serialised messages show it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

USER_KINDS = frozenset({"user", "human"})
USER_CLASS = "HumanMessage"


def first_request(messages: Sequence[Any]) -> str | None:
    """The text of the first user message, in the forms that chat libraries serialise one; `None` if none is seen."""
    for message in messages:
        if isinstance(message, Mapping) and _is_from_user(message):
            text = "".join(_texts(message))
            if text:
                return text
    return None


def _is_from_user(message: Mapping[str, Any]) -> bool:
    kinds = (message.get("role"), message.get("type"))
    if any(isinstance(kind, str) and kind.lower() in USER_KINDS for kind in kinds):
        return True
    path = message.get("id")
    return isinstance(path, list) and path[-1:] == [USER_CLASS]


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Content is a text or a list of texts and blocks; some libraries put it one level down."""
    for holder in (message, message.get("data"), message.get("kwargs")):
        content = holder.get("content") if isinstance(holder, Mapping) else None
        for block in content if isinstance(content, list) else [content]:
            text = block.get("text") if isinstance(block, Mapping) else block
            if isinstance(text, str):
                yield text
