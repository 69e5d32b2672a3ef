"""LibreChat: the JSON of an exported conversation, one a file.

The messages are a list with `parentMessageId`, or, if the export was recursive, lie within one another as `children`;
in older versions as `messagesTree`. The text is in `text`, or in `content` with thinking and calls of tools.
"""

from collections.abc import Iterator
from typing import Any

from sidecar.models.histories import (
    ConversationHistory,
    HistoryThinking,
    ImagePart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from sidecar.models.messages import MessageStatus, Role
from sidecar.tools.histories import values
from sidecar.tools.histories.conversation import conversation_of
from sidecar.tools.histories.formats import Format, Item
from sidecar.tools.histories.notes import Note, Notes
from sidecar.tools.histories.tree import Draft, Node
from sidecar.tools.histories.values import mapping, sequence, string

ROOT = "00000000-0000-0000-0000-000000000000"
"""The parent of a first message."""

_IMPORTED = frozenset({"conversationId", "title", "messages", "messagesTree", "createdAt", "updatedAt"})
_IMPORTED_OF_MESSAGE = frozenset(
    {"_id", "__v", "messageId", "parentMessageId", "conversationId", "children", "text", "content", "isCreatedByUser"}
    | {"createdAt", "updatedAt", "model", "tokenCount", "error", "unfinished", "files", "user"}
)


def is_conversation(item: Item) -> bool:
    return "conversationId" in item and any(isinstance(item.get(name), list) for name in ("messages", "messagesTree"))


def read(item: Item, notes: Notes) -> ConversationHistory:
    """Return the conversation."""
    messages = list(_flat(sequence(item.get("messages")) or sequence(item.get("messagesTree"))))
    nodes: list[Node] = []
    is_tree = any(message.get("parentMessageId") for _, message in messages)
    for position, (above, message) in enumerate(messages):
        before = nodes[-1].id if nodes else None
        given = values.identifier(message.get("parentMessageId"))
        parent = given or (_name(above) if above is not None else None) if is_tree or above is not None else before
        nodes.append(_node(position, None if parent == ROOT else parent, message, notes))
    account = next((message["user"] for _, message in messages if isinstance(message.get("user"), str)), None)
    return conversation_of(
        "librechat",
        item,
        notes,
        nodes,
        external_id=item.get("conversationId"),
        title=item.get("title"),
        created_at=item.get("createdAt"),
        updated_at=item.get("updatedAt"),
        account=account,
        imported=_IMPORTED,
    )


def _flat(messages: list[Any]) -> Iterator[tuple[Item | None, Item]]:
    """Yield each message after the one that it lies in, without recursion: a long chat lies thousands deep."""
    waiting: list[tuple[Item | None, Any]] = [(None, message) for message in reversed(messages)]
    while waiting:
        above, message = waiting.pop()
        if isinstance(message, dict):
            yield above, message
            waiting.extend((message, child) for child in reversed(sequence(message.get("children"))))


def _name(message: Item) -> str | None:
    return values.identifier(message.get("messageId"))


def _node(position: int, parent: str | None, message: Item, notes: Notes) -> Node:
    is_of_user = message.get("isCreatedByUser")
    if not isinstance(is_of_user, bool):
        is_of_user = string(message.get("sender")).lower() == "user"
    tokens = values.count(message.get("tokenCount"))
    draft = Draft(
        Role.USER if is_of_user else Role.ASSISTANT,
        status=MessageStatus.CANCELLED if message.get("unfinished") is True else MessageStatus.COMPLETED,
        model=values.short(message.get("model"), notes),
        prompt_tokens=tokens if is_of_user else None,
        completion_tokens=None if is_of_user else tokens,
        updated_at=values.moment(message.get("updatedAt"), notes),
    )
    node = Node(_name(message) or f"position-{position}", parent, None, values.moment(message.get("createdAt"), notes))
    for part in sequence(message.get("content")):
        _read_part(draft, node, mapping(part), notes)
    if not any(isinstance(part, TextPart) for part in draft.parts) and string(message.get("text")):
        draft.add_text(message["text"], notes)
    for file in map(mapping, sequence(message.get("files"))):
        _read_file(draft, file, notes)
    if message.get("error") is True:
        draft.status = MessageStatus.FAILED
        draft.error_message = next(
            (part.text for part in draft.parts if isinstance(part, TextPart)), "The answer failed."
        )
    rest = values.original(message, _IMPORTED_OF_MESSAGE, notes)
    if rest:
        draft.metadata["librechat"] = rest
    if draft.is_empty and not node.thinking:
        notes.add(Note.EMPTY_MESSAGE)
    else:
        node.draft = draft
    return node


def _read_part(draft: Draft, node: Node, part: Item, notes: Notes) -> None:
    kind = string(part.get("type"))
    inner = part.get(kind)
    if kind in ("text", "error"):
        text = inner if isinstance(inner, str) else string(mapping(inner).get("value")) or string(part.get("text"))
        draft.add_text(text, notes)
    elif kind == "think":
        text = inner if isinstance(inner, str) else string(mapping(inner).get("value"))
        if text:
            node.thinking.append(
                HistoryThinking(content=values.text(text, notes), stage="think", created_at=node.created_at)
            )
    elif kind == "tool_call" and isinstance(inner, dict):
        _read_call(draft, inner, notes)
    elif kind in ("image_file", "image_url") and isinstance(inner, dict | str):
        fields = mapping(inner)
        _read_file(draft, {"type": "image/*", **fields, **({"url": inner} if isinstance(inner, str) else {})}, notes)
    else:
        draft.add_unknown(part, inner if isinstance(inner, str) else string(part.get("text")), notes)


def _read_call(draft: Draft, call: Item, notes: Notes) -> None:
    function = mapping(call.get("function"))
    call_id = values.short(call.get("id"), notes)
    name = values.short(call.get("name") or function.get("name"), notes) or "tool"
    arguments = values.parsed(call.get("args", function.get("arguments")), notes)
    draft.parts.append(ToolCallPart(type="tool_call", name=name, call_id=call_id, arguments=arguments))
    output = call.get("output", function.get("output"))
    if output not in (None, ""):
        draft.parts.append(
            ToolResultPart(type="tool_result", content=values.kept(output, notes), call_id=call_id, name=name)
        )


def _read_file(draft: Draft, file: Item, notes: Notes) -> None:
    address = string(file.get("url")) or string(file.get("filepath")) or string(file.get("file_id"))
    name = string(file.get("filename"))
    kind = string(file.get("type"))
    if address and kind.startswith("image"):
        draft.parts.append(
            ImagePart(
                type="image",
                reference=values.reference(address, notes),
                media_type=values.short("" if kind == "image/*" else kind, notes),
                name=values.short(name, notes),
            )
        )
        return
    draft.add_file(file, name or address, notes, without=frozenset({"text"}))
    draft.add_text(string(file.get("text")), notes)


LIBRECHAT = Format("librechat", "LibreChat", "the .json of an exported conversation", is_conversation, read)
