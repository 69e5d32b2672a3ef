"""Claude: `conversations.json` of its data export.

A conversation has `chat_messages` of a `human` and an `assistant`. Newer ones have `content` in blocks, older ones only
`text`. With `parent_message_uuid` they are a tree, whose first messages name a parent of zeros; without, a row.
"""

from typing import Any

from pydantic import JsonValue

from sidecar.models.histories import (
    ConversationHistory,
    HistoryThinking,
    ImagePart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from sidecar.tools.histories import values
from sidecar.tools.histories.conversation import conversation_of, role_of
from sidecar.tools.histories.formats import Format, Item
from sidecar.tools.histories.notes import Note, Notes
from sidecar.tools.histories.tree import Draft, Node
from sidecar.tools.histories.values import mapping, sequence, string

ROOT = "00000000-0000-4000-8000-000000000000"
"""The parent of a first message."""

_IMPORTED = frozenset({"uuid", "name", "created_at", "updated_at", "chat_messages", "account"})
_IMPORTED_OF_MESSAGE = frozenset(
    {"uuid", "text", "content", "sender", "created_at", "updated_at", "parent_message_uuid", "attachments", "files"}
    | {"files_v2", "index", "model"}
)
_NOT_SHOWN = "This block is not supported on your current device yet."
"""Stands in the text of a message for its calls of tools."""

_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".heic", ".bmp", ".svg")


def is_conversation(item: Item) -> bool:
    return isinstance(item.get("chat_messages"), list)


def read(item: Item, notes: Notes) -> ConversationHistory:
    """Return the conversation."""
    messages = [each for each in sequence(item.get("chat_messages")) if isinstance(each, dict)]
    notes.add(Note.EMPTY_MESSAGE, len(sequence(item.get("chat_messages"))) - len(messages))
    is_tree = any(message.get("parent_message_uuid") for message in messages)
    nodes: list[Node] = []
    for position, message in enumerate(messages):
        before = nodes[-1].id if nodes else None
        parent = values.identifier(message.get("parent_message_uuid")) if is_tree else before
        name = values.identifier(message.get("uuid")) or f"position-{position}"
        nodes.append(_node(name, None if parent == ROOT else parent, message, notes))
    return conversation_of(
        "claude",
        item,
        notes,
        nodes,
        external_id=item.get("uuid"),
        title=item.get("name"),
        created_at=item.get("created_at"),
        updated_at=item.get("updated_at"),
        account=mapping(item.get("account")).get("uuid"),
        imported=_IMPORTED,
    )


def _node(name: str, parent: str | None, message: Item, notes: Notes) -> Node:
    role, metadata = role_of(message.get("sender"), notes)
    node = Node(name, parent, None, values.moment(message.get("created_at"), notes))
    draft = Draft(
        role,
        model=values.short(message.get("model"), notes),
        updated_at=values.moment(message.get("updated_at"), notes),
        metadata=metadata,
    )
    rest = values.original(message, _IMPORTED_OF_MESSAGE, notes)
    for block in sequence(message.get("content")):
        _read_block(draft, node, block, rest, notes)
    text = string(message.get("text"))
    if not any(isinstance(part, TextPart) for part in draft.parts) and _NOT_SHOWN not in text:
        draft.add_text(text, notes)
    _read_files(draft, message, rest, notes)
    if rest:
        draft.metadata["claude"] = rest
    if draft.is_empty and not node.thinking:
        notes.add(Note.EMPTY_MESSAGE)
    else:
        node.draft = draft
    return node


def _read_block(draft: Draft, node: Node, block: Any, rest: dict[str, JsonValue], notes: Notes) -> None:
    fields = mapping(block)
    kind = fields.get("type")
    if isinstance(block, str) or kind == "text":
        text = block if isinstance(block, str) else string(fields.get("text"))
        draft.add_text(text, notes)
        citations = values.original(fields, frozenset({"type", "text"}), notes).get("citations")
        if citations:
            _list_of(rest, "citations").append(citations)
    elif kind in ("thinking", "redacted_thinking"):
        _read_thinking(node, fields, notes)
    elif kind == "tool_use":
        draft.parts.append(
            ToolCallPart(
                type="tool_call",
                name=values.short(fields.get("name"), notes) or "tool",
                call_id=values.short(fields.get("id"), notes),
                arguments=values.kept(fields.get("input"), notes),
            )
        )
    elif kind == "tool_result":
        draft.parts.append(
            ToolResultPart(
                type="tool_result",
                content=values.kept(fields.get("content"), notes),
                call_id=values.short(fields.get("tool_use_id"), notes),
                name=values.short(fields.get("name"), notes),
                is_error=fields.get("is_error") is True,
            )
        )
    elif kind == "image":
        _read_image(draft, fields, notes)
    elif kind == "token_budget":
        draft.keep("other_parts", block, notes)
    else:
        text = string(fields.get("text")) or string(fields.get("title")) or string(fields.get("message"))
        draft.add_unknown(block, text, notes)


def _read_thinking(node: Node, fields: Item, notes: Notes) -> None:
    text = values.text(string(fields.get("thinking")), notes)
    summaries = [string(mapping(each).get("summary")) for each in sequence(fields.get("summaries"))]
    text = text or values.text("\n\n".join(filter(None, summaries)), notes)
    if not text:
        return
    rest = values.original(fields, frozenset({"type", "thinking"}), notes)
    stage = values.short(summaries[-1], notes) if summaries else None
    begun = values.moment(fields.get("start_timestamp"), notes) or node.created_at
    metadata: dict[str, JsonValue] = {"claude": rest} if rest else {}
    node.thinking.append(HistoryThinking(content=text, stage=stage, created_at=begun, metadata=metadata))


def _read_image(draft: Draft, fields: Item, notes: Notes) -> None:
    source = mapping(fields.get("source"))
    kind = string(source.get("media_type")) or string(fields.get("media_type"))
    if isinstance(source.get("data"), str):
        address = f"data:{kind};base64,{source['data']}"
    else:
        address = string(source.get("url")) or string(fields.get("file_uuid")) or string(source.get("file_uuid"))
    draft.parts.append(
        ImagePart(
            type="image",
            reference=values.reference(address or "unknown", notes),
            media_type=values.short(kind, notes),
        )
    )


def _read_files(draft: Draft, message: Item, rest: dict[str, JsonValue], notes: Notes) -> None:
    """Read what a person added: pasted documents have their text here, images and other files only a name."""
    for attachment in map(mapping, sequence(message.get("attachments"))):
        text = values.text(string(attachment.get("extracted_content")), notes)
        name = values.short(attachment.get("file_name"), notes)
        if text:
            draft.parts.append(TextPart(type="text", text=f"{name}\n\n{text}" if name else text))
        else:
            notes.add(Note.FILE)
        _list_of(rest, "attachments").append(values.original(attachment, frozenset({"extracted_content"}), notes))
    seen: set[str] = set()
    for file in map(mapping, [*sequence(message.get("files")), *sequence(message.get("files_v2"))]):
        name = string(file.get("file_name"))
        address = string(file.get("file_uuid")) or name
        if not address or address in seen:
            continue
        seen.add(address)
        if file.get("file_kind") == "image" or name.lower().endswith(_IMAGES):
            draft.parts.append(
                ImagePart(type="image", reference=values.reference(address, notes), name=values.short(name, notes))
            )
        else:
            draft.add_file(file, name or address, notes)


def _list_of(rest: dict[str, JsonValue], name: str) -> list[JsonValue]:
    found = rest.setdefault(name, [])
    return found if isinstance(found, list) else []


CLAUDE = Format("claude", "Claude", "conversations.json, or the .zip that holds it", is_conversation, read)
