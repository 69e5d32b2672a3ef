"""The tree of a conversation's messages, brought into an order in which parents come first.

Other programs keep nodes that are no messages: empty ones, and thoughts before an answer. Their children become those
of the message before, and their thoughts steps of the answer.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from pydantic import JsonValue

from sidecar.models.base import ApiModel
from sidecar.models.histories import HistoryMessage, HistoryThinking, MessagePart, TextPart
from sidecar.models.messages import MessageStatus, Role
from sidecar.tools.histories import values
from sidecar.tools.histories.notes import Note, Notes


@dataclass
class Draft:
    """A message as a format reads it."""

    role: Role
    parts: list[MessagePart] = field(default_factory=list)
    content: str | None = None
    """The text that is searched. Default: the texts of the parts."""

    status: MessageStatus = MessageStatus.COMPLETED
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    updated_at: str | None = None
    completed_at: str | None = None
    error_message: str | None = None
    metadata: dict[str, JsonValue] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """True for a message that has nothing to show."""
        has_part = any(not isinstance(part, TextPart) or part.text.strip() for part in self.parts)
        return not has_part and not (self.content or "").strip() and self.error_message is None

    def add_text(self, text: str, notes: Notes) -> None:
        """Add a piece of text, unless it is empty."""
        if text:
            self.parts.append(TextPart(type="text", text=values.text(text, notes)))

    def add_unknown(self, piece: Any, text: str, notes: Notes) -> None:
        """Add a piece of a type that is not known: its text, or its type in brackets, and the original as metadata."""
        notes.add(Note.UNKNOWN_CONTENT)
        self.keep("other_parts", piece, notes)
        fields = values.mapping(piece)
        kind = values.string(fields.get("content_type")) or values.string(fields.get("type")) or "unknown"
        self.add_text(text or f"[{kind}]", notes)

    def add_file(self, file: dict[str, Any], name: str, notes: Notes, *, without: frozenset[str] = frozenset()) -> None:
        """Add the name of a file that is not imported, and what is said of it as metadata."""
        notes.add(Note.FILE)
        self.keep("files", {each: value for each, value in file.items() if each not in without}, notes)
        self.add_text(f"[{name or 'file'}]", notes)

    def keep(self, name: str, piece: Any, notes: Notes) -> None:
        """Append an original to a list of the metadata."""
        kept = values.original({"piece": piece}, frozenset(), notes)
        found = self.metadata.setdefault(name, [])
        if isinstance(found, list) and kept:
            found.append(kept["piece"])


@dataclass
class Node:
    """A node of a conversation as another program keeps it."""

    id: str
    parent: str | None
    draft: Draft | None
    """`None` if it is no message of its own."""

    created_at: str | None = None
    thinking: list[HistoryThinking] = field(default_factory=list)


def messages_of(nodes: Iterable[Node], begun_at: str | None, notes: Notes) -> list[HistoryMessage]:
    """Return the messages of a conversation that began at that time, the oldest first and parents before children."""
    tree = _Tree(nodes, notes)
    order = tree.parents_first()
    for node in order:
        if node.draft is None:
            tree.pass_thinking_on(node)
        else:
            tree.take_thinking(node)
    for node in order:
        tree.keep_thinking(node)
    messages: list[HistoryMessage] = []
    for node, created_at in _by_time(order, tree.parents, begun_at, notes):
        if node.draft is not None:
            messages.append(_message(node, node.draft, tree.kept_parent(node), created_at))
    return messages


class _Tree:
    """The nodes by their ids, each of whose parents is among them or `None`."""

    def __init__(self, nodes: Iterable[Node], notes: Notes) -> None:
        self._nodes: dict[str, Node] = {}
        self._kept: dict[str, str | None] = {}
        for node in nodes:
            if node.id in self._nodes:
                notes.add(Note.REPEATED_ID)
                node.id = self._free_id(node.id)
            self._nodes[node.id] = node
        self.parents: dict[str, str | None] = {}
        for node in self._nodes.values():
            if node.parent is not None and node.parent not in self._nodes:
                notes.add(Note.MISSING_PARENT)
                node.parent = None
            self.parents[node.id] = node.parent
        self._cut_circles(notes)

    def parents_first(self) -> list[Node]:
        """Return all nodes, each after its parent."""
        children: dict[str | None, list[str]] = {}
        for node_id, parent in self.parents.items():
            children.setdefault(parent, []).append(node_id)
        order: list[Node] = []
        waiting = deque(children.get(None, ()))
        while waiting:
            node_id = waiting.popleft()
            order.append(self._nodes[node_id])
            waiting.extend(children.get(node_id, ()))
        return order

    def take_thinking(self, node: Node) -> None:
        """Move the thoughts before a message of the model to it. Before one of a person, they stay a message."""
        before = self._before(node)
        if before is None or before.draft is not None or not before.thinking:
            return
        if node.draft is not None and node.draft.role in (Role.ASSISTANT, Role.TOOL):
            node.thinking = [*before.thinking, *node.thinking]
            before.thinking = []
        else:
            self.keep_thinking(before)

    def pass_thinking_on(self, node: Node) -> None:
        """Move the thoughts before a node that is no message to that node."""
        before = self._before(node)
        if before is not None and before.draft is None:
            node.thinking = [*before.thinking, *node.thinking]
            before.thinking = []

    def keep_thinking(self, node: Node) -> None:
        """Make a message of a node that has thoughts which no answer follows."""
        if node.draft is None and node.thinking:
            node.draft = Draft(Role.ASSISTANT)

    def kept_parent(self, node: Node) -> str | None:
        """Return the id of the nearest message before."""
        walked: list[str] = []
        here = self.parents[node.id]
        while here is not None and self._nodes[here].draft is None and here not in self._kept:
            walked.append(here)
            here = self.parents[here]
        found = self._kept.get(here) if here is not None and self._nodes[here].draft is None else here
        for each in walked:
            self._kept[each] = found
        return found

    def _before(self, node: Node) -> Node | None:
        parent = self.parents[node.id]
        return None if parent is None else self._nodes[parent]

    def _free_id(self, name: str) -> str:
        number = 2
        while f"{name[:980]}~{number}" in self._nodes:
            number += 1
        return f"{name[:980]}~{number}"

    def _cut_circles(self, notes: Notes) -> None:
        """Give a node of each circle no parent."""
        is_done: set[str] = set()
        for start in self.parents:
            path: dict[str, None] = {}
            here: str | None = start
            while here is not None and here not in is_done and here not in path:
                path[here] = None
                here = self.parents[here]
            if here is not None and here in path:
                notes.add(Note.CYCLE)
                self.parents[here] = None
            is_done.update(path)


def _by_time(
    order: list[Node], parents: dict[str, str | None], begun_at: str | None, notes: Notes
) -> Iterable[tuple[Node, str | None]]:
    """Yield the nodes by their times, each after its parent; one without a time has its parent's."""
    times: dict[str, str | None] = {}
    children: dict[str | None, list[tuple[int, Node]]] = {}
    for index, node in enumerate(order):
        parent = parents[node.id]
        before = begun_at if parent is None else times[parent]
        times[node.id] = node.created_at or before
        if node.created_at is None and node.draft is not None and before is not None:
            notes.add(Note.MISSING_TIME)
        children.setdefault(parent, []).append((index, node))
    waiting: list[tuple[str, int, Any]] = []
    for index, node in children.get(None, ()):
        heappush(waiting, (times[node.id] or "", index, node))
    while waiting:
        _, _, node = heappop(waiting)
        yield node, times[node.id]
        for index, child in children.get(node.id, ()):
            heappush(waiting, (times[child.id] or "", index, child))


def _message(node: Node, draft: Draft, parent: str | None, created_at: str | None) -> HistoryMessage:
    content = draft.content
    if content is None:
        content = "\n\n".join(part.text for part in draft.parts if isinstance(part, TextPart) and part.text)
    is_only_text = all(isinstance(part, TextPart) for part in draft.parts) and len(draft.parts) < 2
    for part in draft.parts:
        forget_defaults(part)
    return HistoryMessage(
        role=draft.role,
        content=content,
        parts=[] if is_only_text else draft.parts,
        external_id=node.id,
        parent_external_id=parent,
        status=draft.status,
        model=draft.model,
        prompt_tokens=draft.prompt_tokens,
        completion_tokens=draft.completion_tokens,
        cost=draft.cost,
        token_count=draft.completion_tokens or 0,
        created_at=created_at,
        updated_at=draft.updated_at,
        completed_at=draft.completed_at,
        error_message=draft.error_message,
        metadata=draft.metadata,
        thinking=node.thinking,
    )


def forget_defaults(model: ApiModel) -> None:
    """Make the fields that have their defaults ones that were not given, as they are in a request without them."""
    for name, each in type(model).model_fields.items():
        if not each.is_required() and getattr(model, name) == each.get_default(call_default_factory=True):
            model.model_fields_set.discard(name)
