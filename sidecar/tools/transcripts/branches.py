"""The branches of a conversation: its main line, and the lines that leave it."""

from typing import NamedTuple

from sidecar.models.histories import ConversationHistory, HistoryMessage


class Branch(NamedTuple):
    """Messages that follow one another."""

    messages: list[tuple[int, HistoryMessage]]
    """Each with its number in the conversation, from 1."""

    after: int | None
    """Number of the message that the first one follows; `None` at the beginning."""

    instead_of: int | None
    """Number of the message in whose place the branch continues; `None` for the main line."""


def branches_of(history: ConversationHistory) -> list[Branch]:
    """Return the main line, which leads to the last message, and then the others in the order of their beginnings.

    Messages without any parent are one line: nothing says which follows which.
    """
    parents = _parents(history.messages)
    children: dict[int | None, list[int]] = {}
    for number in range(1, len(parents) + 1):
        children.setdefault(parents[number - 1], []).append(number)
    last = _last_descendants(parents)
    begins: list[tuple[int, int | None]] = []
    branches: list[Branch] = []
    roots = children.get(None, [])
    if roots:
        main = max(roots, key=last.__getitem__)
        begins = [(root, main) for root in roots if root != main]
        branches.append(_line(main, None, history.messages, parents, children, last, begins))
    for begin, instead_of in begins:  # grows while it is read
        branches.append(_line(begin, instead_of, history.messages, parents, children, last, begins))
    return branches[:1] + sorted(branches[1:], key=lambda branch: branch.messages[0][0])


def _line(
    begin: int,
    instead_of: int | None,
    messages: list[HistoryMessage],
    parents: list[int | None],
    children: dict[int | None, list[int]],
    last: dict[int, int],
    begins: list[tuple[int, int | None]],
) -> Branch:
    """Return the branch that begins with a message, and note where others leave it."""
    line = []
    here: int | None = begin
    while here is not None:
        line.append((here, messages[here - 1]))
        following = children.get(here, [])
        here = max(following, key=last.__getitem__, default=None)
        begins.extend((each, here) for each in following if each != here)
    return Branch(line, parents[begin - 1], instead_of)


def _parents(messages: list[HistoryMessage]) -> list[int | None]:
    """Return the number of each message's parent; in a conversation without parents, of the message before."""
    numbers = {message.external_id: number for number, message in enumerate(messages, 1) if message.external_id}
    found = [
        numbers.get(message.parent_external_id)
        if message.parent_external_id is not None
        else None
        if message.parent_index is None
        else message.parent_index + 1
        for message in messages
    ]
    if not any(found):
        return [number or None for number in range(len(messages))]
    # A parent that comes later could lead into a circle, and no export has one.
    return [parent if parent is None or parent < number else None for number, parent in enumerate(found, 1)]


def _last_descendants(parents: list[int | None]) -> dict[int, int]:
    """Return the number of the last message that follows each one, itself among them."""
    last = {number: number for number in range(1, len(parents) + 1)}
    for number in range(len(parents), 0, -1):
        parent = parents[number - 1]
        if parent is not None:
            last[parent] = max(last[parent], last[number])
    return last
