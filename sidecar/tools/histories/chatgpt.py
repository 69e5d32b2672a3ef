"""ChatGPT: `conversations.json` of its data export.

A conversation has its nodes by id in `mapping`, each with its `parent`; `current_node` is the last one of the branch
that is shown. A node's `message` may be missing, empty or hidden. Thoughts are nodes of their own before the answer.
"""

from collections.abc import Callable
from typing import Any

from pydantic import JsonValue

from sidecar.models.conversations import ConversationStatus
from sidecar.models.histories import (
    ConversationHistory,
    HistoryThinking,
    ImagePart,
    MessagePart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from sidecar.models.messages import MessageStatus, Role
from sidecar.tools.histories import values
from sidecar.tools.histories.conversation import conversation_of, role_of
from sidecar.tools.histories.formats import Format, Item
from sidecar.tools.histories.notes import Note, Notes
from sidecar.tools.histories.tree import Draft, Node
from sidecar.tools.histories.values import mapping, sequence, string

_IMPORTED = frozenset({"id", "conversation_id", "title", "create_time", "update_time", "mapping"})
_IMPORTED_OF_MESSAGE = frozenset(
    {"id", "author", "create_time", "update_time", "content", "metadata", "status", "weight", "end_turn"}
)
_UNFINISHED = frozenset({"in_progress", "finished_partial_completion"})
_THOUGHTS = frozenset({"thoughts", "reasoning_recap"})


def is_conversation(item: Item) -> bool:
    return isinstance(item.get("mapping"), dict)


def read(item: Item, notes: Notes) -> ConversationHistory:
    """Return the conversation."""
    nodes = [_node(node_id, mapping(node), notes) for node_id, node in mapping(item.get("mapping")).items()]
    return conversation_of(
        "chatgpt",
        item,
        notes,
        nodes,
        external_id=item.get("conversation_id") or item.get("id"),
        title=item.get("title"),
        created_at=item.get("create_time"),
        updated_at=item.get("update_time"),
        status=ConversationStatus.ARCHIVED if item.get("is_archived") is True else ConversationStatus.ACTIVE,
        imported=_IMPORTED,
    )


def _node(node_id: str, node: Item, notes: Notes) -> Node:
    message = mapping(node.get("message"))
    content = mapping(message.get("content"))
    parent = node.get("parent")
    read = Node(
        values.identifier(node_id) or values.digest(node_id),
        values.identifier(parent) if isinstance(parent, str) else None,
        None,
        values.moment(message.get("create_time"), notes),
    )
    if string(content.get("content_type")) in _THOUGHTS:
        read.thinking = _thinking(content, read, notes)
    elif message:
        draft = _draft(message, content, notes)
        if draft.is_empty:
            notes.add(Note.EMPTY_MESSAGE)
        else:
            read.draft = draft
    return read


def _draft(message: Item, content: Item, notes: Notes) -> Draft:
    author, metadata = mapping(message.get("author")), mapping(message.get("metadata"))
    role, kept = role_of(author.get("role"), notes)
    draft = Draft(
        role,
        status=MessageStatus.CANCELLED if string(message.get("status")) in _UNFINISHED else MessageStatus.COMPLETED,
        model=values.short(metadata.get("model_slug"), notes),
        updated_at=values.moment(message.get("update_time"), notes),
        metadata=kept,
    )
    _read_content(draft, message, content, notes)
    rest = values.original(message, _IMPORTED_OF_MESSAGE, notes)
    if rest.get("recipient") == "all":
        del rest["recipient"]
    name = values.short(author.get("name"), notes)
    if name is not None:
        rest["author"] = name
    more = values.original(metadata, frozenset({"model_slug"}), notes)
    if more.pop("is_visually_hidden_from_conversation", None) is True:
        draft.metadata["is_hidden"] = True
    if more:
        rest["metadata"] = more
    draft.metadata["chatgpt"] = {**mapping(draft.metadata.get("chatgpt")), **rest}
    if not draft.metadata["chatgpt"]:
        del draft.metadata["chatgpt"]
    return draft


def _read_content(draft: Draft, message: Item, content: Item, notes: Notes) -> None:
    kind = string(content.get("content_type")) or "text"
    recipient = string(message.get("recipient")) or "all"
    tool = values.short(mapping(message.get("author")).get("name"), notes)
    if kind in ("text", "multimodal_text"):
        names = _names_of_attachments(message)
        for each in sequence(content.get("parts")):
            _read_part(draft, each, names, notes)
        notes.add(Note.FILE, sum(not _mime_of(each).startswith("image/") for each in names.values()))
        if recipient != "all" and draft.role is Role.ASSISTANT:
            _become_tool_call(draft, recipient, notes)
        elif draft.role is Role.TOOL:
            _become_tool_result(draft, tool)
    elif kind == "code":
        code = values.text(string(content.get("text")), notes)
        if recipient != "all":
            draft.parts.append(TextPart(type="text", text=code))
            _become_tool_call(draft, recipient, notes)
        elif code:
            draft.parts.append(TextPart(type="text", text=_fenced(code, string(content.get("language")))))
    elif kind in _TEXTS:
        found = values.text("\n\n".join(filter(None, _TEXTS[kind](content))), notes)
        if draft.role is Role.TOOL or kind == "execution_output":
            draft.parts.append(ToolResultPart(type="tool_result", content=found, name=tool))
            draft.content = found
        elif found:
            draft.parts.append(TextPart(type="text", text=found))
        if kind not in ("execution_output", "system_error"):
            draft.metadata["chatgpt"] = {"content": values.original(content, frozenset(), notes)}
    else:
        _read_unknown(draft, content, notes)


def _read_part(draft: Draft, part: Any, names: dict[str, Item], notes: Notes) -> None:
    """Read a piece of a text with images."""
    fields = mapping(part)
    if isinstance(part, str):
        draft.add_text(part, notes)
    elif fields.get("content_type") == "image_asset_pointer" and isinstance(fields.get("asset_pointer"), str):
        pointer: str = fields["asset_pointer"]
        attachment = names.get(pointer.rpartition("/")[2], {})
        draft.parts.append(
            ImagePart(
                type="image",
                reference=values.reference(pointer, notes),
                media_type=values.short(_mime_of(attachment), notes),
                name=values.short(attachment.get("name"), notes),
            )
        )
    elif fields.get("content_type") in ("audio_transcription", "text") and isinstance(fields.get("text"), str):
        draft.add_text(fields["text"], notes)
    else:
        _read_unknown(draft, fields or {"value": part}, notes)


def _read_unknown(draft: Draft, content: Item, notes: Notes) -> None:
    """Keep what is known of a piece: its texts, and the original in the metadata."""
    named = (string(content.get(name)) for name in ("text", "result", "content", "summary"))
    texts = [next(filter(None, named), ""), *(each for each in sequence(content.get("parts")) if isinstance(each, str))]
    draft.add_unknown(content, "\n\n".join(filter(None, texts)), notes)


def _become_tool_call(draft: Draft, recipient: str, notes: Notes) -> None:
    """Make the texts of a message to a tool the arguments of a call."""
    given = "\n\n".join(part.text for part in draft.parts if isinstance(part, TextPart))
    call = ToolCallPart(
        type="tool_call", name=values.short(recipient, notes) or "tool", arguments=_arguments(given, notes)
    )
    draft.parts = [*(part for part in draft.parts if not isinstance(part, TextPart)), call]


def _become_tool_result(draft: Draft, tool: str | None) -> None:
    """Make the texts of a tool's message its result; they stay the text that is searched."""
    found = "\n\n".join(part.text for part in draft.parts if isinstance(part, TextPart))
    images: list[MessagePart] = [part for part in draft.parts if not isinstance(part, TextPart)]
    draft.content = found
    draft.parts = [ToolResultPart(type="tool_result", content=found, name=tool), *images] if found else images


def _arguments(given: str, notes: Notes) -> JsonValue:
    arguments = values.parsed(given, notes)
    return arguments if isinstance(arguments, dict) else {"input": given}


def _thinking(content: Item, node: Node, notes: Notes) -> list[HistoryThinking]:
    """Return the steps of thoughts, or the line that says how long they took."""
    metadata: dict[str, JsonValue] = {"chatgpt_node": node.id}
    if content.get("content_type") == "reasoning_recap":
        recap = values.text(string(content.get("content")), notes)
        steps = [(recap, "recap")] if recap else []
    else:
        steps = []
        for thought in map(mapping, sequence(content.get("thoughts"))):
            summary = values.short(thought.get("summary"), notes)
            text = values.text(string(thought.get("content")), notes) or summary
            if text:
                steps.append((text, summary or "thought"))
    return [
        HistoryThinking(content=text, stage=stage, created_at=node.created_at, metadata=metadata)
        for text, stage in steps
    ]


def _names_of_attachments(message: Item) -> dict[str, Item]:
    """Return the attachments of a message by the ids that pointers end in."""
    attachments = sequence(mapping(message.get("metadata")).get("attachments"))
    return {each["id"]: each for each in map(mapping, attachments) if isinstance(each.get("id"), str)}


def _mime_of(attachment: Item) -> str:
    return string(attachment.get("mime_type")) or string(attachment.get("mimeType"))


def _fenced(code: str, language: str) -> str:
    name = language if language.isalnum() and language != "unknown" else ""
    fence = "`" * max(3, longest_run(code) + 1)
    return f"{fence}{name}\n{code}\n{fence}"


def longest_run(code: str, character: str = "`") -> int:
    """Return the length of the longest run of the character in a text."""
    longest = run = 0
    for each in code:
        run = run + 1 if each == character else 0
        longest = max(longest, run)
    return longest


_TEXTS: dict[str, Callable[[Item], list[str]]] = {
    "execution_output": lambda content: [string(content.get("text"))],
    "system_error": lambda content: [string(content.get("name")), string(content.get("text"))],
    "tether_quote": lambda content: [
        string(content.get("title")),
        string(content.get("text")),
        string(content.get("url")),
    ],
    "tether_browsing_code": lambda content: [string(content.get("text"))],
    "tether_browsing_display": lambda content: [string(content.get("result")) or string(content.get("summary"))],
    "sonic_webpage": lambda content: [
        string(content.get("title")),
        string(content.get("text")) or string(content.get("snippet")),
        string(content.get("url")),
    ],
    "user_editable_context": lambda content: [
        string(content.get("user_profile")),
        string(content.get("user_instructions")),
    ],
    "model_editable_context": lambda content: [string(content.get("model_set_context"))],
}
"""The texts of content that has them in fields of its own; the rest of its fields is kept in the metadata."""

CHATGPT = Format("chatgpt", "ChatGPT", "conversations.json, or the .zip that holds it", is_conversation, read)
