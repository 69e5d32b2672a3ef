"""The chunks by which a streamed message grows: the table `message_chunks`.

Appending writes one small row, however long the message has become; the message's own row is not touched before it
finishes. All of it inside a unit of work or a query.
"""

import sqlite3
from typing import NamedTuple

from sidecar.errors import Conflict


class Chunks(NamedTuple):
    """What was appended to a message so far."""

    text: str
    token_count: int


def append(connection: sqlite3.Connection, message_id: int, text: str, token_count: int, sequence: int | None) -> int:
    """Write the chunk unless it was written before; returns the sequence that it has, or -1 if it was.

    Raises `Conflict` for a gap, and for another text under a sequence that was written.
    """
    (expected,) = connection.execute(
        "SELECT coalesce(max(sequence) + 1, 0) FROM message_chunks WHERE message_id = ?", (message_id,)
    ).fetchone()
    if sequence is not None and sequence < expected:
        _require_same(connection, message_id, text, sequence)
        return -1
    if sequence is not None and sequence > expected:
        raise Conflict(f"The chunk {sequence} of the message {message_id} leaves a gap; the next one is {expected}.")
    connection.execute(
        "INSERT INTO message_chunks (message_id, sequence, content, token_count) VALUES (?, ?, ?, ?)",
        (message_id, expected, text, token_count),
    )
    return int(expected)


def read(connection: sqlite3.Connection, message_id: int) -> Chunks:
    """The chunks of a message, put together."""
    sql = "SELECT content, token_count FROM message_chunks WHERE message_id = ? ORDER BY sequence"
    rows = connection.execute(sql, (message_id,)).fetchall()
    return Chunks("".join(row["content"] for row in rows), sum(row["token_count"] for row in rows))


def remove(connection: sqlite3.Connection, message_id: int) -> None:
    """Forget the chunks of a message, once they are folded or replaced."""
    connection.execute("DELETE FROM message_chunks WHERE message_id = ?", (message_id,))


def _require_same(connection: sqlite3.Connection, message_id: int, text: str, sequence: int) -> None:
    (written,) = connection.execute(
        "SELECT content FROM message_chunks WHERE message_id = ? AND sequence = ?", (message_id, sequence)
    ).fetchone()
    if written != text:
        raise Conflict(f"The chunk {sequence} of the message {message_id} was written with another text.")
