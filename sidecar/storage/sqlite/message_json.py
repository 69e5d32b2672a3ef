"""Messages as they are read: with their chunks and their thinking, as JSON in UTF-8 that SQLite itself makes.

A conversation of 500 messages with 3 steps of thinking each is one query and 5 ms this way; as 2,000 records that are
then written as JSON it was 24 ms. Who wants records parses the text.

That only works for rows as this project writes them. Two indexes hold the others, which are read column by column: to
look at each row would take a third longer.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from sidecar.models.messages import Message, MessageStatus, MessageThinking
from sidecar.storage.interfaces import MessageAsJson, MessageSpan
from sidecar.storage.resources import chunks
from sidecar.storage.resources.message_table import MESSAGES
from sidecar.storage.resources.rows.columns import read_row
from sidecar.storage.resources.thinking import THINKING
from sidecar.storage.sqlite.engine.encoding import any_text
from sidecar.storage.sqlite.schema.growing import CONTENT_OF_CHUNKS, NEXT_SEQUENCE, TOKENS_OF_CHUNKS
from sidecar.storage.sqlite.schema.odd_messages import ODD_MESSAGE, ODD_STEP

_GROWING = {
    "parent_message_id": "CAST(parent_message_id AS INTEGER)",
    "content": f"content || CASE status WHEN 'streaming' THEN {CONTENT_OF_CHUNKS} ELSE '' END",
    "token_count": f"token_count + CASE status WHEN 'streaming' THEN {TOKENS_OF_CHUNKS} ELSE 0 END",
    "next_sequence": f"CASE status WHEN 'streaming' THEN {NEXT_SEQUENCE} ELSE 0 END",
}
"""SQL for the columns of a message that are not taken as they are."""

_DETAILS = {
    "external_id": "external_id",
    "parts": "CASE WHEN parts IS NULL THEN json('[]') ELSE json(parts) END",
    "model": "model",
    "prompt_tokens": "prompt_tokens",
    "completion_tokens": "completion_tokens",
    # Seventeen digits tell every number from all others; SQLite's own form has fifteen.
    "cost": "CASE WHEN cost IS NULL THEN NULL ELSE json(printf('%!.17g', cost)) END",
}
"""SQL for the columns that most messages lack: in a conversation of these, they would be a sixth of the time."""

_NO_NAMES = "json_array()"

# Most have none, and what is the same for every row is parsed only once: 7 % of a long conversation's query.
_METADATA = {
    "metadata": "CASE coalesce(metadata, '{}') WHEN '{}' THEN json('{}') ELSE json(metadata) END",
    "invalid": _NO_NAMES,
}


def _object(fields: Iterable[str], expressions: Mapping[str, str]) -> str:
    """SQL for a row's JSON object; `expressions` stand for the columns that are not taken as they are."""
    return f"json_object({', '.join(f'{field!r}, {expressions.get(field, field)}' for field in fields)})"


_MESSAGE = _object(
    (field for field in Message.model_fields if field != "thinking" and field not in _DETAILS), _GROWING | _METADATA
)
_MESSAGE_DETAILS = f"CASE WHEN coalesce({', '.join(_DETAILS)}) IS NOT NULL THEN {_object(_DETAILS, _DETAILS)} END"
_NO_DETAILS = b',"external_id":null,"parts":[],"model":null,"prompt_tokens":null,"completion_tokens":null,"cost":null'
_THINKING = _object(MessageThinking.model_fields, _METADATA)

# The steps come in the order of the index, which is theirs.
_STEPS = f"""
    SELECT group_concat({_THINKING}) FROM message_thinking INDEXED BY idx_message_thinking_message_id
    WHERE message_id = messages.id
"""


def read_message(connection: sqlite3.Connection, message_id: int, *, include_thinking: bool) -> MessageAsJson | None:
    """Return one message; `None` if it is not there."""
    return next(iter(_read(connection, "id = ?", (message_id,), include_thinking)), None)


def read_messages(connection: sqlite3.Connection, span: MessageSpan, *, include_thinking: bool) -> list[MessageAsJson]:
    """Return the messages of the span, in its order."""
    bounds: dict[str, int | str | None] = {
        "conversation_id = ?": span.conversation_id,
        "id > ?": span.after,
        "id < ?": span.before,
        "external_id = ?": span.external_id,
    }
    given = {clause: value for clause, value in bounds.items() if value is not None}
    direction = "DESC" if span.newest_first else "ASC"
    which = f"{' AND '.join(given)} ORDER BY id {direction} LIMIT ?"
    return _read(connection, which, (*given.values(), span.limit), include_thinking)


def _read(
    connection: sqlite3.Connection, which: str, values: tuple[int | str, ...], include_thinking: bool
) -> list[MessageAsJson]:
    steps = f"CAST(({_STEPS}) AS BLOB)" if include_thinking else "NULL"
    sql = f"SELECT id, CAST({_MESSAGE} AS BLOB), CAST({_MESSAGE_DETAILS} AS BLOB), {steps} FROM messages WHERE {which}"
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
        MessageAsJson(message_id, message, _NO_DETAILS if details is None else b"," + details[1:-1], thinking)
        if message_id not in odd
        and _is_utf8(message)
        and (details is None or _is_utf8(details))
        and (thinking is None or _is_utf8(thinking))
        else _read_by_column(connection, message_id, include_thinking)
        for message_id, message, details, thinking in rows
    ]


def _odd(connection: sqlite3.Connection, which: str, values: tuple[int | str, ...]) -> set[int]:
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


def _read_by_column(connection: sqlite3.Connection, message_id: int, include_thinking: bool) -> MessageAsJson:
    """Return a message that SQLite cannot make JSON of, or that has values that are not usual."""
    with any_text(connection):
        fields = MESSAGES.columns.keys()
        row = connection.execute(f"SELECT id, {', '.join(fields)} FROM messages WHERE id = ?", (message_id,)).fetchone()
        values, invalid = read_row(MESSAGES.columns, dict(row))
        next_sequence = 0
        if values["status"] == MessageStatus.STREAMING or "status" in invalid:
            appended = chunks.read(connection, message_id)
            values["content"] += appended.text
            values["token_count"] += appended.token_count
            next_sequence = appended.next_sequence
            invalid = tuple(sorted({*invalid, *appended.invalid}))
        steps = b",".join(_steps_by_column(connection, message_id)) if include_thinking else b""
    message = Message(**values, invalid=invalid, next_sequence=next_sequence)
    return MessageAsJson(message_id, message.model_dump_json(exclude={"thinking"}).encode(), b"", steps)


def _steps_by_column(connection: sqlite3.Connection, message_id: int) -> Iterator[bytes]:
    fields = THINKING.columns.keys()
    sql = f"SELECT id, {', '.join(fields)} FROM message_thinking WHERE message_id = ? ORDER BY sequence, id"
    for row in connection.execute(sql, (message_id,)).fetchall():
        values, invalid = read_row(THINKING.columns, dict(row))
        yield MessageThinking(**values, invalid=invalid).model_dump_json().encode()
