"""Messages as they are read: with their chunks and their thinking, as JSON in UTF-8 that SQLite itself makes.

A conversation of 500 messages with 3 steps of thinking each is one query and 5 ms this way; as 2,000 records that are
then written as JSON it was 24 ms. Who wants records parses the text.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

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


# Most have none, and what is the same for every row is parsed only once: 7 % of a long conversation's query.
_METADATA = {"metadata": "CASE coalesce(metadata, '{}') WHEN '{}' THEN json('{}') ELSE json(metadata) END"}
_MESSAGE = _object((field for field in Message.model_fields if field != "thinking"), _GROWING | _METADATA)
_THINKING = _object(MessageThinking.model_fields, _METADATA)

# The steps come in the order of the index, which is theirs.
_STEPS = f"""
    SELECT group_concat({_THINKING}) FROM message_thinking INDEXED BY idx_message_thinking_message_id
    WHERE message_id = messages.id
"""


class Found(NamedTuple):
    """A message's id, its `Message` as JSON without the thinking, and its steps as JSON, separated by commas."""

    id: int
    json: bytes
    steps: bytes | None


class Span(NamedTuple):
    """Up to `limit` messages of a conversation between two ids, neither included."""

    conversation_id: int
    after: int
    before: int
    limit: int
    newest_first: bool


def read_message(connection: sqlite3.Connection, message_id: int, *, include_thinking: bool) -> bytes | None:
    """One message; `None` if it is not there."""
    sql = f"SELECT {_columns(include_thinking)} FROM messages WHERE id = ?"
    row = connection.execute(sql, (message_id,)).fetchone()
    return None if row is None else b"".join(_pieces(Found(*row)))


def read_messages(connection: sqlite3.Connection, span: Span, *, include_thinking: bool) -> list[Found]:
    """The messages of the span, in its order."""
    sql = f"""
        SELECT {_columns(include_thinking)} FROM messages WHERE conversation_id = ? AND id > ? AND id < ?
        ORDER BY id {"DESC" if span.newest_first else "ASC"} LIMIT ?
    """
    return [Found(*row) for row in connection.execute(sql, span[:4]).fetchall()]


def page(messages: Sequence[Found], *, has_before: bool, has_after: bool) -> bytes:
    """The `MessagePage` of these messages. Its pieces are joined only once: each copy of a long one costs as much as
    sending it."""
    pieces: list[bytes | memoryview] = [b'{"items":[']
    for message in messages:
        pieces += _pieces(message)
        pieces.append(b",")
    if messages:
        pieces.pop()
    pieces.append(b'],"has_before":%b,"has_after":%b}' % (_boolean(has_before), _boolean(has_after)))
    return b"".join(pieces)


def _columns(include_thinking: bool) -> str:
    steps = f"CAST(({_STEPS}) AS BLOB)" if include_thinking else "NULL"
    return f"id, CAST({_MESSAGE} AS BLOB), {steps}"


def _pieces(message: Found) -> tuple[bytes | memoryview, ...]:
    return memoryview(message.json)[:-1], b',"thinking":[', message.steps or b"", b"]}"


def _boolean(value: bool) -> bytes:
    return b"true" if value else b"false"
