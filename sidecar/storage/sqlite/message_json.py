"""Messages as they are read: with their chunks and their thinking, as JSON in UTF-8 that SQLite itself makes.

A conversation of 500 messages with 3 steps of thinking each is two queries and 4 ms this way; as 2,000 records that are
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
    """A message's id, and its `Message` as JSON, without the thinking."""

    id: int
    json: bytes


class Span(NamedTuple):
    """Up to `limit` messages of a conversation between two ids, neither included."""

    conversation_id: int
    after: int
    before: int
    limit: int
    newest_first: bool

    def select(self, columns: str) -> str:
        direction = "DESC" if self.newest_first else "ASC"
        return f"""
            SELECT {columns} FROM messages WHERE conversation_id = ? AND id > ? AND id < ?
            ORDER BY id {direction} LIMIT ?
        """

    @property
    def values(self) -> tuple[int, ...]:
        return self[:4]


def read_message(connection: sqlite3.Connection, message_id: int, *, include_thinking: bool) -> bytes | None:
    """One message; `None` if it is not there."""
    sql = f"SELECT id, CAST({_MESSAGE} AS BLOB) FROM messages WHERE id = ?"
    row = connection.execute(sql, (message_id,)).fetchone()
    if row is None:
        return None
    steps = _read_steps(connection, "?", (message_id,)) if include_thinking else {}
    return b"".join(_with_steps(Found(*row), steps))


def read_messages(connection: sqlite3.Connection, span: Span) -> list[Found]:
    """The messages of the span, in its order."""
    sql = span.select(f"id, CAST({_MESSAGE} AS BLOB)")
    return [Found(*row) for row in connection.execute(sql, span.values).fetchall()]


def read_steps(connection: sqlite3.Connection, span: Span) -> Mapping[int, bytes]:
    """The thinking of the span's messages: for each that has any, its steps as JSON, separated by commas."""
    return _read_steps(connection, span.select("id"), span.values)


def page(messages: Sequence[Found], steps: Mapping[int, bytes], *, has_before: bool, has_after: bool) -> bytes:
    """The `MessagePage` of these messages. Its pieces are joined only once: each copy of a long one costs as much as
    sending it."""
    pieces: list[bytes | memoryview] = [b'{"items":[']
    for message in messages:
        pieces += _with_steps(message, steps)
        pieces.append(b",")
    if messages:
        pieces.pop()
    pieces.append(b'],"has_before":%b,"has_after":%b}' % (_boolean(has_before), _boolean(has_after)))
    return b"".join(pieces)


def _with_steps(message: Found, steps: Mapping[int, bytes]) -> tuple[bytes | memoryview, ...]:
    return memoryview(message.json)[:-1], b',"thinking":[', steps.get(message.id, b""), b"]}"


def _boolean(value: bool) -> bytes:
    return b"true" if value else b"false"


def _read_steps(connection: sqlite3.Connection, ids: str, values: Sequence[Any]) -> Mapping[int, bytes]:
    """The steps of each message whose id is among `ids`, put together by SQLite: a row for each message.

    They come in the order of the index, which is theirs; sorting them once more would cost a fifth.
    """
    sql = f"""
        SELECT message_id, CAST(group_concat({_THINKING}) AS BLOB)
        FROM message_thinking INDEXED BY idx_message_thinking_message_id
        WHERE message_id IN ({ids}) GROUP BY message_id
    """
    return dict(connection.execute(sql, values).fetchall())
