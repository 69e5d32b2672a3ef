"""Messages as they are read: with their chunks and their thinking, as JSON in UTF-8 that SQLite itself makes.

A conversation of 500 messages with 3 steps of thinking each is two queries and 6 ms this way; as 2,000 records that are
then written as JSON it was 24 ms. Who wants records parses the text.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sidecar.models.messages import Message, MessageThinking

_GROWING = {
    "parent_message_id": "CAST(parent_message_id AS INTEGER)",
    # The chunks are the rows of one key prefix of a WITHOUT ROWID table: they are read in key order, their sequence.
    "content": """content || CASE status WHEN 'streaming' THEN coalesce((
        SELECT group_concat(part, '') FROM (
            SELECT content AS part FROM message_chunks WHERE message_id = messages.id ORDER BY sequence
        )), '') ELSE '' END""",
    "token_count": """token_count + CASE status WHEN 'streaming' THEN coalesce((
        SELECT sum(token_count) FROM message_chunks WHERE message_id = messages.id), 0) ELSE 0 END""",
    "next_sequence": """CASE status WHEN 'streaming' THEN coalesce((
        SELECT max(sequence) + 1 FROM message_chunks WHERE message_id = messages.id), 0) ELSE 0 END""",
}
"""What stands for the columns of a message that are not taken as they are."""


def _object(fields: Iterable[str], expressions: Mapping[str, str]) -> str:
    """SQL for a row's JSON object; `expressions` stand for the columns that are not taken as they are."""
    return f"json_object({', '.join(f'{field!r}, {expressions.get(field, field)}' for field in fields)})"


_METADATA = {"metadata": "json(coalesce(metadata, '{}'))"}
_MESSAGE = _object((field for field in Message.model_fields if field != "thinking"), _GROWING | _METADATA)
_THINKING = _object(MessageThinking.model_fields, _METADATA)


class Found(NamedTuple):
    """A message's id, and its `Message` as JSON."""

    id: int
    json: bytes


def read_message(connection: sqlite3.Connection, message_id: int, *, include_thinking: bool) -> bytes | None:
    """One message; `None` if it is not there."""
    rows = connection.execute(
        f"SELECT id, CAST({_MESSAGE} AS BLOB) FROM messages WHERE id = ?", (message_id,)
    ).fetchall()
    steps = _read_thinking(connection, "?", (message_id,)) if include_thinking else {}
    return next((found.json for found in _put_together(rows, steps)), None)


def read_conversation(
    connection: sqlite3.Connection,
    conversation_id: int,
    *,
    after: int,
    before: int,
    limit: int,
    newest_first: bool,
    include_thinking: bool,
) -> list[Found]:
    """Messages between two ids, neither included; two queries, whatever their number."""
    sql = f"""
        SELECT id, CAST({_MESSAGE} AS BLOB) FROM messages WHERE conversation_id = ? AND id > ? AND id < ?
        ORDER BY id {"DESC" if newest_first else "ASC"} LIMIT ?
    """
    rows = connection.execute(sql, (conversation_id, after, before, limit)).fetchall()
    steps: Mapping[int, bytes] = {}
    if rows and include_thinking:
        first, last = sorted((rows[0][0], rows[-1][0]))
        theirs = "SELECT id FROM messages WHERE conversation_id = ? AND id BETWEEN ? AND ?"
        steps = _read_thinking(connection, theirs, (conversation_id, first, last))
    return _put_together(rows, steps)


def _read_thinking(connection: sqlite3.Connection, ids: str, values: Sequence[Any]) -> Mapping[int, bytes]:
    """The steps of each message whose id is among `ids`, put together by SQLite: a row for each message.

    They come in the order of the index, which is theirs; sorting them once more would cost a fifth.
    """
    sql = f"""
        SELECT message_id, CAST(group_concat({_THINKING}) AS BLOB)
        FROM message_thinking INDEXED BY idx_message_thinking_message_id
        WHERE message_id IN ({ids}) GROUP BY message_id
    """
    return dict(connection.execute(sql, values).fetchall())


def _put_together(rows: Iterable[sqlite3.Row], steps: Mapping[int, bytes]) -> list[Found]:
    return [Found(row_id, b'%b,"thinking":[%b]}' % (json[:-1], steps.get(row_id, b""))) for row_id, json in rows]
