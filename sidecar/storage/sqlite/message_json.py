"""Messages as they are read: with their chunks and their thinking, as JSON in UTF-8 that SQLite itself makes.

A conversation of 500 messages with 3 steps of thinking each is one query and 5 ms this way; as 2,000 records that are
then written as JSON it was 24 ms. Who wants records parses the text.

That only works for rows as this project writes them. Two indexes hold the others, which are read column by column: to
look at each row would take a third longer.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sidecar.models.messages import Message, MessageStatus, MessageThinking
from sidecar.storage.sqlite import chunks
from sidecar.storage.sqlite.columns import read_row
from sidecar.storage.sqlite.encoding import any_text
from sidecar.storage.sqlite.odd_messages import ODD_MESSAGE, ODD_STEP
from sidecar.storage.sqlite.stored_columns import STORED

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

_NO_NAMES = "json_array()"

# Most have none, and what is the same for every row is parsed only once: 7 % of a long conversation's query.
_METADATA = {
    "metadata": "CASE coalesce(metadata, '{}') WHEN '{}' THEN json('{}') ELSE json(metadata) END",
    "invalid": _NO_NAMES,
}


def _object(fields: Iterable[str], expressions: Mapping[str, str]) -> str:
    """SQL for a row's JSON object; `expressions` stand for the columns that are not taken as they are."""
    return f"json_object({', '.join(f'{field!r}, {expressions.get(field, field)}' for field in fields)})"


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
    """Up to `limit` messages of a conversation between two ids, neither included; `None` is no bound."""

    conversation_id: int
    after: int | None
    before: int | None
    limit: int
    newest_first: bool


def read_message(connection: sqlite3.Connection, message_id: int, *, include_thinking: bool) -> bytes | None:
    """Return one message; `None` if it is not there."""
    found = _read(connection, "id = ?", (message_id,), include_thinking)
    return b"".join(_pieces(found[0])) if found else None


def read_messages(connection: sqlite3.Connection, span: Span, *, include_thinking: bool) -> list[Found]:
    """Return the messages of the span, in its order."""
    bounds = {"conversation_id = ?": span.conversation_id, "id > ?": span.after, "id < ?": span.before}
    given = {clause: value for clause, value in bounds.items() if value is not None}
    direction = "DESC" if span.newest_first else "ASC"
    which = f"{' AND '.join(given)} ORDER BY id {direction} LIMIT ?"
    return _read(connection, which, (*given.values(), span.limit), include_thinking)


def page(messages: Sequence[Found], *, has_before: bool, has_after: bool) -> bytes:
    """Return the `MessagePage` of these messages. Its pieces are joined only once: each copy of a long one costs as
    much as sending it."""
    pieces: list[bytes | memoryview] = [b'{"items":[']
    for message in messages:
        pieces += _pieces(message)
        pieces.append(b",")
    if messages:
        pieces.pop()
    pieces.append(b'],"has_before":%b,"has_after":%b}' % (_boolean(has_before), _boolean(has_after)))
    return b"".join(pieces)


def _read(connection: sqlite3.Connection, which: str, values: tuple[int, ...], include_thinking: bool) -> list[Found]:
    steps = f"CAST(({_STEPS}) AS BLOB)" if include_thinking else "NULL"
    sql = f"SELECT id, CAST({_MESSAGE} AS BLOB), {steps} FROM messages WHERE {which}"
    try:
        rows = connection.execute(sql, values).fetchall()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR:
            raise
        # A value of some row is not JSON, or cannot be in it.
        ids = connection.execute(f"SELECT id FROM messages WHERE {which}", values).fetchall()
        return [_read_by_column(connection, message_id, include_thinking) for (message_id,) in ids]
    odd = _odd(connection, which, values)
    return [
        Found(message_id, message, thinking)
        if message_id not in odd and _is_utf8(message) and (thinking is None or _is_utf8(thinking))
        else _read_by_column(connection, message_id, include_thinking)
        for message_id, message, thinking in rows
    ]


def _odd(connection: sqlite3.Connection, which: str, values: tuple[int, ...]) -> set[int]:
    """Return the ids of those messages that have, or whose steps have, a value to look at closely."""
    # The plus sign keeps SQLite from listing the messages first: there are hardly ever any rows in the indexes.
    wanted = f"(SELECT id FROM messages WHERE {which})"
    sql = f"""
        SELECT id FROM messages INDEXED BY idx_messages_odd WHERE {ODD_MESSAGE} AND +id IN {wanted}
        UNION ALL
        SELECT message_id FROM message_thinking INDEXED BY idx_message_thinking_odd
        WHERE {ODD_STEP} AND +message_id IN {wanted}
    """
    return {message_id for (message_id,) in connection.execute(sql, (*values, *values))}


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read_by_column(connection: sqlite3.Connection, message_id: int, include_thinking: bool) -> Found:
    """Return a message that SQLite cannot make JSON of, or that has values that are not usual."""
    with any_text(connection):
        fields = STORED["messages"].keys()
        row = connection.execute(f"SELECT id, {', '.join(fields)} FROM messages WHERE id = ?", (message_id,)).fetchone()
        values, invalid = read_row(STORED["messages"], dict(row))
        next_sequence = 0
        if values["status"] == MessageStatus.STREAMING or "status" in invalid:
            appended = chunks.read(connection, message_id)
            values["content"] += appended.text
            values["token_count"] += appended.token_count
            next_sequence = appended.next_sequence
            invalid = tuple(sorted({*invalid, *appended.invalid}))
        steps = b",".join(_steps_by_column(connection, message_id)) if include_thinking else b""
    message = Message(**values, invalid=invalid, next_sequence=next_sequence)
    return Found(message_id, message.model_dump_json(exclude={"thinking"}).encode(), steps)


def _steps_by_column(connection: sqlite3.Connection, message_id: int) -> Iterator[bytes]:
    fields = STORED["message_thinking"].keys()
    sql = f"SELECT id, {', '.join(fields)} FROM message_thinking WHERE message_id = ? ORDER BY sequence, id"
    for row in connection.execute(sql, (message_id,)).fetchall():
        values, invalid = read_row(STORED["message_thinking"], dict(row))
        yield MessageThinking(**values, invalid=invalid).model_dump_json().encode()


def _pieces(message: Found) -> tuple[bytes | memoryview, ...]:
    return memoryview(message.json)[:-1], b',"thinking":[', message.steps or b"", b"]}"


def _boolean(value: bool) -> bytes:
    return b"true" if value else b"false"
