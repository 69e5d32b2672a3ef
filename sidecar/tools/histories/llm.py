"""`llm`, the command-line tool: its `logs.db`.

Each response is a row with its prompt, and belongs to a conversation. Tables and columns differ by version, so both are
looked for: `logs` before 0.5, `conversations` and `responses` since, then attachments, tokens, fragments, tools and
parts. The newest versions keep the messages of `turns` as a tree in `message_nodes`; `llm_nodes` reads those.
"""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sidecar.models.histories import (
    ConversationHistory,
    HistoryThinking,
    ImagePart,
    ToolCallPart,
    ToolResultPart,
)
from sidecar.models.messages import Role
from sidecar.tools.histories import llm_nodes, values
from sidecar.tools.histories.conversation import conversation_of
from sidecar.tools.histories.formats import Format, Item
from sidecar.tools.histories.notes import Note, Notes
from sidecar.tools.histories.tables import columns_of, rows_by, table_names
from sidecar.tools.histories.tree import Draft, Node
from sidecar.tools.histories.values import mapping, sequence, string

_IMPORTED = frozenset({"id", "name", "responses", "nodes", "datetime_utc"})
_IMPORTED_OF_RESPONSE = frozenset(
    {"id", "model", "resolved_model", "prompt", "system", "response", "conversation_id", "duration_ms", "datetime_utc"}
    | {"input_tokens", "output_tokens", "chat_id", "reply_to_id", "timestamp_utc", "response_json", "prompt_json"}
    | {"attachments", "fragments", "system_fragments", "tool_calls", "tool_results", "reasoning", "token_details"}
    | {"options_json"}
)


def is_database(tables: set[str]) -> bool:
    """Return whether a database with these tables is one of `llm`."""
    return {"responses", "conversations"} <= tables or {"turns", "message_nodes"} <= tables or tables >= {"logs"}


def items(connection: sqlite3.Connection) -> Iterator[Item]:
    """Yield each conversation with its responses."""
    tables = table_names(connection)
    if "message_nodes" in tables and "turns" in tables:
        yield from llm_nodes.items(connection)
    if "responses" in tables:
        yield from _conversations(connection, tables, "responses", "conversation_id", "conversation_id", "datetime_utc")
    if "logs" in tables:
        columns = columns_of(connection, "logs")
        time = next((name for name in ("datetime_utc", "timestamp_utc", "timestamp") if name in columns), "rowid")
        group = "coalesce(chat_id, id)" if {"chat_id", "id"} <= columns else "rowid"
        yield from _conversations(connection, tables, "logs", group, None, time)


def is_conversation(item: Item) -> bool:
    return isinstance(item.get("responses"), list) or isinstance(item.get("nodes"), list)


def read(item: Item, notes: Notes) -> ConversationHistory:
    """Return the conversation."""
    nodes: list[Node] = list(llm_nodes.nodes(sequence(item.get("nodes")), notes))
    system = ""
    for response in map(mapping, sequence(item.get("responses"))):
        system = _read_response(response, system, nodes, notes)
    return conversation_of(
        "llm",
        item,
        notes,
        nodes,
        external_id=item.get("id"),
        title=item.get("name"),
        created_at=item.get("datetime_utc"),
        updated_at=None,
        imported=_IMPORTED,
    )


def _conversations(
    connection: sqlite3.Connection, tables: set[str], table: str, group: str, parent: str | None, time: str
) -> Iterator[Item]:
    """Yield conversations of the table. Only the keys of its rows are held in memory, and are sorted."""
    columns = columns_of(connection, table)
    if parent is not None and parent not in columns:
        group = "NULL"
    order = time if time in columns else "rowid"
    keys = connection.execute(f"SELECT {group}, rowid FROM {table} ORDER BY 1, {order}, rowid").fetchall()
    more = _Related(connection, tables) if table == "responses" else None
    for name, rows in groupby(keys, lambda key: key[0] if key[0] is not None else (key[1],)):
        responses = []
        for _, rowid in rows:
            response = dict(connection.execute(f"SELECT * FROM {table} WHERE rowid = ?", (rowid,)).fetchone())
            if more is not None:
                more.add_to(response)
            responses.append(response)
        item: Item = {"id": name, "responses": responses}
        if isinstance(name, tuple):  # a response that belongs to no conversation
            item["id"] = responses[0].get("id") or name[0]
        elif parent is not None and "conversations" in tables:
            row = connection.execute("SELECT * FROM conversations WHERE id = ?", (name,)).fetchone()
            item |= dict(row) if row is not None else {}
        item["name"] = item.get("name") or string(responses[0].get("prompt"))[:100] or None
        yield item


class _Related:
    """The rows of other tables that belong to responses, as far as the version of the database has them."""

    def __init__(self, connection: sqlite3.Connection, tables: set[str]) -> None:
        self._connection = connection
        self._tables = tables
        self._ids = {
            name: rows_by(connection, name, "response_id") if name in tables else {}
            for name in ("tool_calls", "tool_results", "parts", "prompt_attachments")
        }

    def add_to(self, response: Item) -> None:
        """Add the related rows to a response."""
        name = string(response.get("id"))
        response["tool_calls"] = self._rows("tool_calls", name)
        response["tool_results"] = self._rows("tool_results", name)
        response["attachments"] = [
            attachment
            for each in self._rows("prompt_attachments", name)
            if (attachment := self._attachment(each.get("attachment_id"))) is not None
        ]
        response["fragments"] = self._fragments("prompt_fragments", name)
        response["system_fragments"] = self._fragments("system_fragments", name)
        thoughts = [
            part.get("content")
            for part in self._rows("parts", name)
            if part.get("part_type") == "reasoning" and part.get("direction") == "output"
        ]
        response["reasoning"] = "\n\n".join(filter(None, map(string, [response.get("reasoning"), *thoughts])))

    def _rows(self, table: str, response_id: str) -> list[Item]:
        sql = f"SELECT * FROM {table} WHERE rowid = ?"
        return [
            dict(self._connection.execute(sql, (rowid,)).fetchone()) for rowid in self._ids[table].get(response_id, ())
        ]

    def _attachment(self, name: Any) -> Item | None:
        if "attachments" not in self._tables:
            return None
        sql = "SELECT id, type, path, url FROM attachments WHERE id = ?"
        row = self._connection.execute(sql, (name,)).fetchone()
        return None if row is None else dict(row)

    def _fragments(self, table: str, response_id: str) -> list[Item]:
        if table not in self._tables or "fragments" not in self._tables:
            return []
        sql = f"""
            SELECT fragments.source, fragments.content FROM {table} JOIN fragments ON fragments.id = fragment_id
            WHERE response_id = ? ORDER BY {table}."order"
        """
        return [dict(row) for row in self._connection.execute(sql, (response_id,))]


def _read_response(response: Item, system_before: str, nodes: list[Node], notes: Notes) -> str:
    """Add the messages of a response after those before; return its system prompt."""
    name = values.identifier(response.get("id")) or f"position-{len(nodes)}"
    time = response.get("datetime_utc") or response.get("timestamp_utc") or response.get("timestamp")
    begun_at = values.moment(time, notes)

    def add(suffix: str, draft: Draft, thinking: list[HistoryThinking] | None = None) -> None:
        if draft.is_empty and not thinking:
            notes.add(Note.EMPTY_MESSAGE)
            return
        before = nodes[-1].id if nodes else None
        nodes.append(Node(f"{name}{suffix}"[:1000], before, draft, begun_at, thinking or []))

    pieces = [string(each.get("content")) for each in map(mapping, sequence(response.get("system_fragments")))]
    system = "\n\n".join(filter(None, [*pieces, string(response.get("system"))]))
    if system and system != system_before:
        draft = Draft(Role.SYSTEM)
        draft.add_text(system, notes)
        add("-system", draft)
    results = _results(response, notes)
    if results.parts:
        add("-tools", results)
    prompt = Draft(Role.USER)
    for fragment in map(mapping, sequence(response.get("fragments"))):
        draft_text = string(fragment.get("content"))
        prompt.add_text(draft_text, notes)
        if fragment.get("source"):
            prompt.keep("fragments", fragment["source"], notes)
    prompt.add_text(string(response.get("prompt")), notes)
    for attachment in map(mapping, sequence(response.get("attachments"))):
        _read_attachment(prompt, attachment, notes)
    if not prompt.is_empty or not results.parts:
        add("-prompt", prompt)
    thoughts = values.text(string(response.get("reasoning")), notes)
    steps = [HistoryThinking(content=thoughts, stage="reasoning", created_at=begun_at)] if thoughts else []
    add("", _answer(response, begun_at, notes), steps)
    return system


def _answer(response: Item, begun_at: str | None, notes: Notes) -> Draft:
    model = values.short(response.get("resolved_model") or response.get("model"), notes)
    draft = Draft(
        Role.ASSISTANT,
        model=model,
        prompt_tokens=values.count(response.get("input_tokens")),
        completion_tokens=values.count(response.get("output_tokens")),
        completed_at=values.later(begun_at, response.get("duration_ms")),
    )
    draft.add_text(string(response.get("response")), notes)
    for call in map(mapping, sequence(response.get("tool_calls"))):
        draft.parts.append(
            ToolCallPart(
                type="tool_call",
                name=values.short(call.get("name"), notes) or "tool",
                call_id=values.short(call.get("tool_call_id"), notes),
                arguments=values.parsed(call.get("arguments"), notes),
            )
        )
    notes.add(Note.RAW_ANSWER, bool(response.get("response_json")))
    rest = values.original(response, _IMPORTED_OF_RESPONSE, notes)
    for name in ("options_json", "token_details"):
        found = values.parsed(response.get(name), notes)
        if found:
            rest[name.removesuffix("_json")] = found
    if rest:
        draft.metadata["llm"] = rest
    return draft


def _results(response: Item, notes: Notes) -> Draft:
    """Return the results of tools that came with a prompt."""
    draft = Draft(Role.TOOL)
    texts = []
    for result in map(mapping, sequence(response.get("tool_results"))):
        output = string(result.get("output"))
        text = values.text(output or string(result.get("exception")), notes)
        texts.append(text)
        draft.parts.append(
            ToolResultPart(
                type="tool_result",
                content=text,
                call_id=values.short(result.get("tool_call_id"), notes),
                name=values.short(result.get("name"), notes),
                is_error=bool(result.get("exception")),
            )
        )
    draft.content = "\n\n".join(filter(None, texts))
    return draft


def _read_attachment(draft: Draft, attachment: Item, notes: Notes) -> None:
    kind = string(attachment.get("type"))
    address = string(attachment.get("url")) or string(attachment.get("path")) or string(attachment.get("id"))
    if kind.startswith("image/"):
        if not attachment.get("url") and not attachment.get("path"):
            notes.add(Note.IMAGE_BYTES)
        draft.parts.append(
            ImagePart(type="image", reference=values.reference(address, notes), media_type=values.short(kind, notes))
        )
    else:
        draft.add_file(attachment, address, notes)


LLM = Format("llm", "llm", "logs.db; `llm logs path` prints where it is", is_conversation, read)
