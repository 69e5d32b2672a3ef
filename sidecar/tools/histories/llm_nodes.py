"""The messages of the newest versions of `llm`: a tree in `message_nodes`, shared by the turns of a conversation.

A turn names the node that its output ends in. A node names its parent and a row of `messages` with a role and parts.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from sidecar.models.histories import HistoryThinking, ImagePart, ToolCallPart, ToolResultPart
from sidecar.tools.histories import values
from sidecar.tools.histories.conversation import role_of
from sidecar.tools.histories.formats import Item
from sidecar.tools.histories.notes import Notes
from sidecar.tools.histories.tables import columns_of, table_names
from sidecar.tools.histories.tree import Draft, Node
from sidecar.tools.histories.values import mapping, sequence, string


def items(connection: sqlite3.Connection) -> Iterator[Item]:
    """Yield each conversation with the nodes of its turns."""
    columns = columns_of(connection, "turns")
    if "output_node_id" not in columns:
        return
    group = "conversation_id" if "conversation_id" in columns else "NULL"
    order = "datetime_utc" if "datetime_utc" in columns else "rowid"
    sql = f"SELECT {group}, rowid FROM turns ORDER BY 1, {order}, rowid"
    has_names = "conversations" in table_names(connection)
    for name, rows in groupby(connection.execute(sql).fetchall(), lambda key: key[0] if key[0] else (key[1],)):
        found: dict[str, Item] = {}
        for _, rowid in rows:
            turn = dict(connection.execute("SELECT * FROM turns WHERE rowid = ?", (rowid,)).fetchone())
            _add_nodes(connection, turn, found)
        item: Item = {"id": name if isinstance(name, str) else f"turn-{name[0]}", "nodes": list(found.values())}
        if has_names and isinstance(name, str):
            row = connection.execute("SELECT * FROM conversations WHERE id = ?", (name,)).fetchone()
            item |= dict(row) if row is not None else {}
        yield item


def nodes(found: Iterable[Any], notes: Notes) -> Iterator[Node]:
    """Yield the nodes of a conversation."""
    for each in map(mapping, found):
        role, metadata = role_of(each.get("role"), notes)
        draft = Draft(role, model=values.short(each.get("model"), notes), metadata=metadata)
        if each.get("is_answer"):
            draft.prompt_tokens = values.count(each.get("input_tokens"))
            draft.completion_tokens = values.count(each.get("output_tokens"))
        node = Node(
            values.identifier(each.get("id")) or "",
            values.identifier(each.get("parent_id")),
            draft,
            values.moment(each.get("datetime_utc"), notes),
        )
        for part in map(mapping, sequence(values.parsed(each.get("parts"), notes))):
            _read_part(draft, node, part, notes)
        yield node


def _add_nodes(connection: sqlite3.Connection, turn: Item, found: dict[str, Item]) -> None:
    """Add the nodes of a turn that no turn before had, the oldest first."""
    new: list[Item] = []
    here = turn.get("output_node_id") or turn.get("input_node_id")
    sql = """
        SELECT message_nodes.id, message_nodes.parent_id, messages.role, messages.parts
        FROM message_nodes LEFT JOIN messages ON messages.id = message_nodes.message_id WHERE message_nodes.id = ?
    """
    seen: set[Any] = set()
    while here is not None and here not in found and here not in seen:
        seen.add(here)
        row = connection.execute(sql, (here,)).fetchone()
        if row is None:
            break
        new.append({**dict(row), "datetime_utc": turn.get("datetime_utc")})
        here = row["parent_id"]
    for node in new:
        if node.get("role") == "assistant":
            node["model"] = turn.get("resolved_model") or turn.get("model")
    if new and new[0].get("role") == "assistant":
        new[0] |= {"is_answer": True, "input_tokens": turn.get("input_tokens")}
        new[0]["output_tokens"] = turn.get("output_tokens")
    found.update((node["id"], node) for node in reversed(new))


def _read_part(draft: Draft, node: Node, part: Item, notes: Notes) -> None:
    kind = part.get("type")
    if kind == "text":
        draft.add_text(string(part.get("text")), notes)
    elif kind == "reasoning":
        text = values.text(string(part.get("text")), notes)
        if text:
            node.thinking.append(HistoryThinking(content=text, stage="reasoning", created_at=node.created_at))
    elif kind == "tool_call":
        draft.parts.append(
            ToolCallPart(
                type="tool_call",
                name=values.short(part.get("name"), notes) or "tool",
                call_id=values.short(part.get("tool_call_id"), notes),
                arguments=values.kept(part.get("arguments"), notes),
            )
        )
    elif kind == "tool_result":
        output = values.text(string(part.get("output")), notes)
        draft.content = "\n\n".join(filter(None, [draft.content, output]))
        draft.parts.append(
            ToolResultPart(
                type="tool_result",
                content=output,
                call_id=values.short(part.get("tool_call_id"), notes),
                name=values.short(part.get("name"), notes),
                is_error=bool(part.get("exception")),
            )
        )
    elif kind == "attachment" and isinstance(part.get("attachment_id"), str):
        draft.parts.append(ImagePart(type="image", reference=values.reference(part["attachment_id"], notes)))
    else:
        draft.add_unknown(part, string(part.get("text")), notes)
