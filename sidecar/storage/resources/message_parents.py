"""The parents of messages that are made together: named by id, by position in the batch, or by external id.

A parent may come later in the batch than its child.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sidecar.errors import InvalidInput
from sidecar.storage.interfaces import Connection

_OPEN, _DONE = 1, 2
"""States of a visited message: on the way that is followed now, or on an earlier one."""


class Names(NamedTuple):
    """The names of a message and of its parent."""

    external_id: str | None
    parent_index: int | None = None
    parent_external_id: str | None = None
    parent_id: int | None = None


class Parent(NamedTuple):
    """A parent: the position of a message of the batch, or the id of a stored one."""

    number: int
    is_position: bool


def find(connection: Connection, conversation_id: int | None, messages: Sequence[Names]) -> list[Parent | None]:
    """Return the parent of each message. Raises `InvalidInput`, which names the message and the field.

    Without a `conversation_id`, the conversation is new and has no stored messages.
    """
    positions = _positions(messages)
    parents: list[Parent | None] = []
    for place, message in enumerate(messages):
        parent = _named(message, place, len(messages), positions)
        if parent is None and message.parent_external_id is not None:
            message_id = None
            if conversation_id is not None:
                message_id = stored_id(connection, conversation_id, message.parent_external_id)
            if message_id is None:
                raise _refused(place, "parent_external_id", "names no message of this list or of the conversation")
            parent = Parent(message_id, is_position=False)
        parents.append(parent)
    of_place = {
        place: parent.number for place, parent in enumerate(parents) if parent is not None and parent.is_position
    }
    for circle in _circles(of_place, of_place):
        raise _own_ancestor(min(circle), messages)
    return parents


def stored_id(connection: Connection, conversation_id: int, external_id: str) -> int | None:
    """Return the id of the message of the conversation that has this external id, if there is one."""
    sql = "SELECT id FROM messages WHERE conversation_id = ? AND external_id = ?"
    found = connection.execute(sql, (conversation_id, external_id)).fetchone()
    return None if found is None else int(found[0])


def require_tree(connection: Connection, conversation_id: int, ids: Sequence[int], messages: Sequence[Names]) -> None:
    """Raise `InvalidInput` if a message of a batch is its own ancestor, now that all have their parents."""
    place = own_ancestor(connection, conversation_id, ids)
    if place is not None:
        raise _own_ancestor(place, messages)


def own_ancestor(connection: Connection, conversation_id: int, ids: Sequence[int]) -> int | None:
    """Return the position of a message, among those with these ids, that is its own ancestor, if any is.

    It reads every parent of the conversation: stored messages between these may close a circle.
    """
    sql = "SELECT id, parent_message_id FROM messages WHERE conversation_id = ? AND parent_message_id IS NOT NULL"
    parents: dict[int, int] = {}
    for message_id, parent in connection.execute(sql, (conversation_id,)):
        if str(parent).isascii() and str(parent).isdecimal():
            parents[message_id] = int(parent)
    places = {message_id: place for place, message_id in enumerate(ids)}
    for circle in _circles(ids, parents):
        own = [places[message_id] for message_id in circle if message_id in places]
        if own:
            return min(own)
    return None


def _positions(messages: Sequence[Names]) -> dict[str, int]:
    positions: dict[str, int] = {}
    for place, message in enumerate(messages):
        if message.external_id is not None:
            first = positions.setdefault(message.external_id, place)
            if first != place:
                raise _refused(place, "external_id", f"is the one of the message at position {first}, too")
    return positions


def _named(message: Names, place: int, count: int, positions: Mapping[str, int]) -> Parent | None:
    """Return the parent of a message, unless it has none or only the store may know it."""
    _, index, external_id, message_id = message
    if (index is not None) + (external_id is not None) + (message_id is not None) > 1:
        field = "parent_index" if index is not None else "parent_external_id"
        raise _refused(place, field, "cannot be given together with another name of the parent")
    if message_id is not None:
        return Parent(message_id, is_position=False)
    if index is not None:
        if index >= count:
            raise _refused(place, "parent_index", f"is {index}, and the last message has the position {count - 1}")
        return Parent(index, is_position=True)
    if external_id is not None and external_id in positions:
        return Parent(positions[external_id], is_position=True)
    return None


def _circles(starts: Iterable[int], parents: Mapping[int, int]) -> Iterator[list[int]]:
    """Yield the circles that are met on the way from the starts to their ancestors. Each node is visited once."""
    states: dict[int, int] = {}
    for start in starts:
        path: list[int] = []
        current: int | None = start
        while current is not None and current not in states:
            states[current] = _OPEN
            path.append(current)
            current = parents.get(current)
        if current is not None and states[current] == _OPEN:
            yield path[path.index(current) :]
        states.update(dict.fromkeys(path, _DONE))


def _own_ancestor(place: int, messages: Sequence[Names]) -> InvalidInput:
    field = "parent_external_id" if messages[place].parent_index is None else "parent_index"
    return _refused(place, field, "makes the message its own ancestor")


def _refused(place: int, field: str, reason: str) -> InvalidInput:
    return InvalidInput.field(f"messages.{place}.{field}", reason)
