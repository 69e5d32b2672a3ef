"""The chunks by which a streamed message grows: the table `message_chunks`.

Appending writes one small row, however long the message has become; the message's own row is not touched before it
finishes. Each row holds the message's size up to its end, so that the size is known without reading the text. All of it
inside a unit of work or a query.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sidecar.errors import Conflict
from sidecar.models.base import MAX_TEXT_BYTES
from sidecar.storage.interfaces import Connection
from sidecar.storage.resources.rows import columns

_LAST = "SELECT sequence, total_bytes FROM message_chunks WHERE message_id = ? ORDER BY sequence DESC LIMIT 1"
_SEQUENCE = columns.integer(0)
_READ = {"content": columns.text(), "token_count": columns.integer(0)}


class Chunks(NamedTuple):
    """The chunks that were appended to a message so far."""

    text: str
    token_count: int
    next_sequence: int
    invalid: frozenset[str]
    """The columns of which some value cannot be read."""


def append(connection: Connection, message_id: int, text: str, token_count: int, sequence: int | None) -> int | None:
    """Write the chunk and return its sequence; return `None` if it was written before.

    Raises `Conflict` for a gap, for another text under a sequence that was written, and for a chunk with which the
    message would have more than `MAX_TEXT_BYTES`.
    """
    last = connection.execute(_LAST, (message_id,)).fetchone()
    expected = 0 if last is None else columns.safe_value(_SEQUENCE, last["sequence"]) + 1
    if sequence is not None and sequence < expected:
        _require_same(connection, message_id, text, sequence)
        return None
    if sequence is not None and sequence > expected:
        raise Conflict(f"The chunk {sequence} of the message {message_id} leaves a gap; the next one is {expected}.")
    size = None if last is None else last["total_bytes"]
    if not isinstance(size, int):  # the first chunk, or one that another program wrote
        sql = "SELECT id, content, token_count FROM messages WHERE id = ?"
        size = len(stored(connection, dict(connection.execute(sql, (message_id,)).fetchone()))["content"])
    size += len(text.encode())
    if size > MAX_TEXT_BYTES:
        raise Conflict(
            f"With this chunk, the message {message_id} would have {size} bytes, and {MAX_TEXT_BYTES} is the most; "
            f"finish it and continue in another message."
        )
    connection.execute(
        "INSERT INTO message_chunks (message_id, sequence, content, token_count, total_bytes) VALUES (?, ?, ?, ?, ?)",
        (message_id, expected, text, token_count, size),
    )
    return int(expected)


def read(connection: Connection, message_id: int) -> Chunks:
    """The chunks of a message, put together."""
    sql = "SELECT content, token_count, sequence FROM message_chunks WHERE message_id = ? ORDER BY sequence"
    rows = connection.execute(sql, (message_id,)).fetchall()
    readable = [columns.read_row(_READ, dict(row)) for row in rows]
    return Chunks(
        "".join(values["content"] for values, _ in readable),
        sum(values["token_count"] for values, _ in readable),
        columns.safe_value(_SEQUENCE, rows[-1]["sequence"]) + 1 if rows else 0,
        frozenset(name for _, invalid in readable for name in invalid),
    )


def stored(connection: Connection, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a message and its chunks as bytes, and the token counts as they are stored."""
    sql = "SELECT content, token_count FROM message_chunks WHERE message_id = ? ORDER BY sequence"
    rows = [message, *connection.execute(sql, (message["id"],)).fetchall()]
    return {
        "content": b"".join(_bytes(row["content"]) for row in rows),
        "token_count": " + ".join(f"{row['token_count']}" for row in rows),
    }


def remove(connection: Connection, message_id: int) -> None:
    """Forget the chunks of a message, once they are folded or replaced."""
    connection.execute("DELETE FROM message_chunks WHERE message_id = ?", (message_id,))


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _require_same(connection: Connection, message_id: int, text: str, sequence: int) -> None:
    (written,) = connection.execute(
        "SELECT content FROM message_chunks WHERE message_id = ? AND sequence = ?", (message_id, sequence)
    ).fetchone()
    if written != text:
        raise Conflict(f"The chunk {sequence} of the message {message_id} was written with another text.")
