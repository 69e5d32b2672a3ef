"""The end of a message: its chunks become its content."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sidecar.errors import Conflict
from sidecar.models.messages import Message, MessageStatus
from sidecar.storage.interfaces import Work
from sidecar.storage.resources import chunks, conversations
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources.message_columns import latency_ms
from sidecar.storage.resources.message_table import MESSAGES

CUT_OFF = "The sidecar ended while this message was being written."


def fail_cut_off(work: Work) -> None:
    """Finish, as failed, the messages that were streaming when the sidecar ended; for the start, before any write."""
    sql = "SELECT id FROM messages WHERE status = ?"
    for (message_id,) in work.connection.execute(sql, (MessageStatus.STREAMING,)).fetchall():
        finish(work, MESSAGES.get(work.connection, message_id), MessageStatus.FAILED, CUT_OFF)


def finish(
    work: Work,
    message: Message,
    status: MessageStatus,
    error_message: str | None,
    details: Mapping[str, Any] = MappingProxyType({}),
    completed_at: str | None = None,
) -> Message:
    """Fold the chunks of a message into it and store its end; return it.

    One that finished the same way only gets the `details`. Raises `Conflict` when it finished otherwise.
    """
    if message.status == status:
        return MESSAGES.update(work, message.id, details) if _has_others(work, message.id, details) else message
    if not message.status.is_open:
        raise Conflict(f"The message {message.id} is {message.status} and cannot become {status}.")
    appended = chunks.read(work.connection, message.id)
    unreadable = sorted({*message.invalid, *appended.invalid} & {"content", "token_count"})
    if unreadable:
        _keep_original(work, message.id, unreadable)
    chunks.remove(work.connection, message.id)
    now = work.now
    ended = completed_at or now
    conversations.touch(work, message.conversation_id, now)
    columns = {
        "content": message.content + appended.text,
        "token_count": message.token_count + appended.token_count,
        "status": status,
        "error_message": error_message,
        "completed_at": ended,
        "latency_ms": latency_ms(message.created_at, ended),
        "updated_at": now,
        **details,
    }
    return MESSAGES.update(work, message.id, columns)


def _has_others(work: Work, message_id: int, details: Mapping[str, Any]) -> bool:
    """Return whether some of these columns have another value."""
    if not details:
        return False
    sql = f"SELECT {', '.join(details)} FROM messages WHERE id = ?"
    return dict(work.connection.execute(sql, (message_id,)).fetchone()) != details


def _keep_original(work: Work, message_id: int, unreadable: Sequence[str]) -> None:
    """Set aside what is stored of the message and its chunks, before the readable part of it takes its place."""
    row = dict(work.connection.execute("SELECT * FROM messages WHERE id = ?", (message_id,)).fetchone())
    row |= {name: value for name, value in chunks.stored(work.connection, row).items() if name in unreadable}
    reason = orphans.unreadable(unreadable)
    orphans.keep(work.connection, MESSAGES.name, row, reason, work.now, is_carried=True, origin="repair")
