"""Open WebUI: the JSON of its chat export, and the table `chat` of its `webui.db`.

An entry has the chat in `chat`; its `history.messages` are a tree by id, with `parentId` and times in seconds.
Reasoning and calls of tools are items of a message's `output`, or in older versions `<details>` in its text.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING, Any

from sidecar.models.conversations import ConversationStatus
from sidecar.models.histories import (
    ConversationHistory,
    HistoryThinking,
    ImagePart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from sidecar.models.messages import MessageStatus
from sidecar.tools.histories import values
from sidecar.tools.histories.conversation import conversation_of, role_of
from sidecar.tools.histories.formats import Format, Item
from sidecar.tools.histories.notes import Note, Notes
from sidecar.tools.histories.tree import Draft, Node
from sidecar.tools.histories.values import mapping, sequence, string

if TYPE_CHECKING:
    from pydantic import JsonValue

_IMPORTED = frozenset({"id", "user_id", "title", "chat", "created_at", "updated_at"})
_IMPORTED_OF_CHAT = frozenset({"id", "title", "history", "messages", "timestamp"})
_IMPORTED_OF_MESSAGE = frozenset(
    {"id", "parentId", "childrenIds", "role", "content", "timestamp", "model", "done", "files", "usage", "output"}
    | {"error", "modelIdx"}
)
_DETAILS = re.compile(r'<details\s+type="(reasoning|tool_calls|code_interpreter)"([^>]*)>')
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_SUMMARY = re.compile(r"\s*<summary>(.*?)</summary>", re.DOTALL)
_END = "</details>"


def is_conversation(item: Item) -> bool:
    chat = _chat(item)
    return isinstance(mapping(chat.get("history")).get("messages"), dict) or (
        "chat" in item and isinstance(chat.get("messages"), list)
    )


def read(item: Item, notes: Notes) -> ConversationHistory:
    """Return the conversation."""
    chat = _chat(item)
    tree = mapping(mapping(chat.get("history")).get("messages"))
    nodes = [_node(name, mapping(message).get("parentId"), mapping(message), notes) for name, message in tree.items()]
    if not tree:
        nodes = list(_row(sequence(chat.get("messages")), notes))
    current = values.identifier(mapping(chat.get("history")).get("currentId"))
    more = values.original(chat, _IMPORTED_OF_CHAT, notes)
    fields = {**item, **more, "current": current} if chat is not item else {**more, "current": current}
    return conversation_of(
        "openwebui",
        fields,
        notes,
        nodes,
        external_id=item.get("id"),
        title=item.get("title") or chat.get("title"),
        created_at=item.get("created_at") or chat.get("timestamp"),
        updated_at=item.get("updated_at"),
        account=item.get("user_id"),
        status=ConversationStatus.ARCHIVED if item.get("archived") in (True, 1) else ConversationStatus.ACTIVE,
        imported=_IMPORTED,
    )


def _chat(item: Item) -> Item:
    """Return the chat of an entry; an export of a single chat may be the chat itself."""
    return mapping(item["chat"]) if "chat" in item else item


def _row(messages: list[Any], notes: Notes) -> Iterator[Node]:
    """Yield the messages of an old export, which are a row."""
    before: str | None = None
    for position, message in enumerate(map(mapping, messages)):
        name = values.identifier(message.get("id")) or f"position-{position}"
        yield _node(name, before, message, notes)
        before = name


def _node(name: str, parent: Any, message: Item, notes: Notes) -> Node:
    role, metadata = role_of(message.get("role"), notes)
    usage = {**mapping(message.get("info")), **mapping(message.get("usage"))}
    draft = Draft(
        role,
        status=MessageStatus.CANCELLED if message.get("done") is False else MessageStatus.COMPLETED,
        model=values.short(message.get("model"), notes),
        prompt_tokens=_first_count(usage, "prompt_tokens", "input_tokens", "prompt_eval_count"),
        completion_tokens=_first_count(usage, "completion_tokens", "output_tokens", "eval_count"),
        metadata=metadata,
    )
    node = Node(
        values.identifier(name) or values.digest(name),
        values.identifier(parent),
        None,
        values.moment(message.get("timestamp"), notes),
    )
    _read_content(draft, node, message, notes)
    for file in map(mapping, sequence(message.get("files"))):
        _read_file(draft, file, notes)
    error = message.get("error")
    if error:
        draft.status = MessageStatus.FAILED
        text = string(mapping(error).get("content")) or string(error) or "The answer failed."
        draft.error_message = values.text(text, notes)
    rest = values.original({**message, "usage": usage}, _IMPORTED_OF_MESSAGE - {"usage"}, notes)
    rest.pop("info", None)
    if rest:
        draft.metadata["openwebui"] = rest
    if draft.is_empty and not node.thinking:
        notes.add(Note.EMPTY_MESSAGE)
    else:
        node.draft = draft
    return node


def _read_content(draft: Draft, node: Node, message: Item, notes: Notes) -> None:
    output = sequence(message.get("output"))
    if output:
        for each in map(mapping, output):
            _read_output(draft, node, each, notes)
    content = message.get("content")
    if isinstance(content, str) and not output:
        _read_text(draft, node, content, notes)
    elif isinstance(content, str) and not any(isinstance(part, TextPart) for part in draft.parts):
        repeated = Draft(draft.role)  # of which only the text is not in the output
        _read_text(repeated, Node(node.id, None, None), content, notes)
        draft.parts += [part for part in repeated.parts if isinstance(part, TextPart)]
    for part in map(mapping, sequence(content)):
        if isinstance(part.get("text"), str):
            draft.add_text(part["text"], notes)
        elif mapping(part.get("image_url")):
            _read_file(draft, {"type": "image", "url": mapping(part["image_url"]).get("url")}, notes)
        else:
            draft.add_unknown(part, "", notes)


def _read_output(draft: Draft, node: Node, item: Item, notes: Notes) -> None:
    """Read an item as the Responses API names it."""
    kind = item.get("type")
    if kind == "message":
        text = "".join(string(mapping(part).get("text")) for part in sequence(item.get("content")))
        draft.add_text(text, notes)
    elif kind == "reasoning":
        pieces = [*sequence(item.get("content")), *(sequence(item.get("summary")) if not item.get("content") else [])]
        text = "\n\n".join(filter(None, (string(mapping(part).get("text")) for part in pieces)))
        _add_thinking(node, text, values.moment(item.get("started_at"), notes), item.get("duration"), notes)
    elif kind == "function_call":
        draft.parts.append(
            ToolCallPart(
                type="tool_call",
                name=values.short(item.get("name"), notes) or "tool",
                call_id=values.short(item.get("call_id"), notes),
                arguments=values.parsed(item.get("arguments"), notes),
            )
        )
    elif kind == "function_call_output":
        draft.parts.append(
            ToolResultPart(
                type="tool_result",
                content=values.kept(item.get("output"), notes),
                call_id=values.short(item.get("call_id"), notes),
            )
        )
    else:
        draft.add_unknown(item, string(item.get("text")) or string(item.get("content")), notes)


def _read_text(draft: Draft, node: Node, content: str, notes: Notes) -> None:
    """Read a text, in which details of reasoning and of tools may lie."""
    position, texts = 0, []
    while found := _DETAILS.search(content, position):
        end = content.find(_END, found.end())
        if end < 0:
            break
        texts.append(content[position : found.start()])
        _read_details(draft, node, found, content[found.end() : end], notes)
        position = end + len(_END)
    texts.append(content[position:])
    text = "\n\n".join(filter(None, map(str.strip, texts))) if position else content
    draft.add_text(text, notes)


def _read_details(draft: Draft, node: Node, found: "re.Match[str]", inner: str, notes: Notes) -> None:
    attributes = {name: unescape(value) for name, value in _ATTRIBUTE.findall(found[2])}
    summary = _SUMMARY.match(inner)
    text = unescape(inner[summary.end() :] if summary else inner).strip()
    if found[1] == "reasoning":
        lines = (line.removeprefix(">").removeprefix(" ") for line in text.split("\n"))
        _add_thinking(node, "\n".join(lines), None, attributes.get("duration"), notes)
        return
    name = attributes.get("name") or ("code_interpreter" if found[1] == "code_interpreter" else "tool")
    call_id = values.short(attributes.get("id"), notes)
    arguments = attributes.get("arguments", text if found[1] == "code_interpreter" else None)
    draft.parts.append(
        ToolCallPart(
            type="tool_call",
            name=values.short(name, notes) or "tool",
            call_id=call_id,
            arguments=values.parsed(arguments, notes),
        )
    )
    result = attributes.get("result") or attributes.get("output") or (text if found[1] == "tool_calls" else "")
    if result:
        draft.parts.append(ToolResultPart(type="tool_result", content=values.parsed(result, notes), call_id=call_id))


def _add_thinking(node: Node, text: str, begun_at: str | None, duration: Any, notes: Notes) -> None:
    if text.strip():
        metadata: dict[str, JsonValue] = {} if duration is None else {"duration_s": values.kept(duration, notes)}
        node.thinking.append(
            HistoryThinking(
                content=values.text(text, notes),
                stage="reasoning",
                created_at=begun_at or node.created_at,
                metadata=metadata,
            )
        )


def _read_file(draft: Draft, file: Item, notes: Notes) -> None:
    address = string(file.get("url")) or string(file.get("id"))
    kind = string(file.get("content_type"))
    if address and (file.get("type") == "image" or kind.startswith("image/")):
        draft.parts.append(
            ImagePart(
                type="image",
                reference=values.reference(address, notes),
                media_type=values.short(kind, notes),
                name=values.short(file.get("name"), notes),
            )
        )
        return
    draft.add_file(file, string(file.get("name")) or address, notes, without=frozenset({"file"}))


def _first_count(usage: Item, *names: str) -> int | None:
    return next((found for name in names if (found := values.count(usage.get(name))) is not None), None)


OPENWEBUI = Format("openwebui", "Open WebUI", "the .json of its chat export, or webui.db", is_conversation, read)
