"""The columns of a message that is made or replaced: its times, and what it may have besides its text."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sidecar.errors import InvalidInput
from sidecar.models import timestamps
from sidecar.models.message_parts import MessagePart, TextPart
from sidecar.models.messages import MessageStatus, Role
from sidecar.models.timestamps import Moment
from sidecar.storage.resources.rows.validation import json_text, optional_time

DETAILS: Mapping[str, Any] = dict.fromkeys(
    ("external_id", "parts", "model", "prompt_tokens", "completion_tokens", "cost", "error_message")
)
"""The columns that most messages lack, empty."""

TIMES = ("created_at", "updated_at", "completed_at")


def new_columns(
    now: str,
    conversation_id: int,
    role: Role,
    content: str,
    status: MessageStatus,
    token_count: int,
    metadata: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the columns of a message that is made now, without details. Raises `InvalidInput`."""
    is_finished = not status.is_open
    return {
        "conversation_id": conversation_id,
        "role": role,
        "content": content,
        "status": status,
        "token_count": token_count,
        "metadata": json_text("metadata", metadata or {}),
        "latency_ms": 0 if is_finished else None,
        "completed_at": now if is_finished else None,
        "created_at": now,
        "updated_at": now,
    }


class Given(NamedTuple):
    """A message as a caller gives it: its columns as of now, without its parent, and those times that are known."""

    columns: Mapping[str, Any]
    created_at: Moment | None = None
    updated_at: Moment | None = None
    completed_at: Moment | None = None

    @property
    def has_times(self) -> bool:
        return not (self.created_at is None and self.updated_at is None and self.completed_at is None)

    @property
    def status(self) -> MessageStatus:
        status: MessageStatus = self.columns["status"]
        return status

    def row(self, now: str) -> Mapping[str, Any]:
        """Return the columns of a new message. Raises `InvalidInput`."""
        if not self.has_times:
            return self.columns
        return {**self.columns, **times(now, self.status, self.created_at, self.updated_at, self.completed_at)}


def given(
    now: str,
    conversation_id: int,
    role: Role,
    content: str,
    status: MessageStatus,
    token_count: int,
    metadata: Mapping[str, Any] | None,
    of_details: tuple[Any, ...],
    of_times: tuple[Moment | None, Moment | None, Moment | None],
) -> Given:
    """Return a message from the arguments of a method; `of_details` are those of `details`. Raises `InvalidInput`."""
    columns = new_columns(now, conversation_id, role, content, status, token_count, metadata)
    return Given({**columns, **details(*of_details)}, *of_times)


def details(
    parts: Sequence[MessagePart] | None = None,
    external_id: str | None = None,
    model: str | None = None,
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
    cost: float | None = None,
) -> dict[str, Any]:
    """Return the columns of those details that are given. Raises `InvalidInput`."""
    if not parts and (external_id, model, prompt_tokens, completion_tokens, cost) == (None,) * 5:
        return {}  # as most messages
    given = {
        "external_id": external_id,
        "parts": parts_text(parts) if parts else None,
        "model": model,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "cost": cost,
    }
    return {name: value for name, value in given.items() if value is not None}


def parts_text(parts: Sequence[MessagePart]) -> str:
    """Return the stored form of parts. Raises `InvalidInput`."""
    return json_text("parts", [part.model_dump(exclude_unset=True) for part in parts])


def text_of(content: str | None, parts: Sequence[MessagePart] | None) -> str:
    """Return the text of a message: its content, or else the text of its parts. Raises `InvalidInput` without both."""
    if content is not None:
        return content
    if not parts:
        raise InvalidInput.field("content", "is required for a message without parts")
    return joined(parts)


def joined(parts: Sequence[MessagePart]) -> str:
    """Return the text of the parts that have one, a line each."""
    return "\n".join(part.text for part in parts if isinstance(part, TextPart))


def times(
    now: str,
    status: MessageStatus,
    created_at: Moment | None,
    updated_at: Moment | None,
    completed_at: Moment | None,
) -> dict[str, Any]:
    """Return the columns of a message's times, and its latency, which follows from them.

    A message that is finished, and of which no end is known, ended when it was made. One whose beginning is not known
    began now, or with its end. The last change is the end, unless another is given. Raises `InvalidInput`.
    """
    created = optional_time("created_at", created_at)
    completed = optional_time("completed_at", completed_at)
    updated = optional_time("updated_at", updated_at)
    if completed is not None and status.is_open:
        raise InvalidInput.field("completed_at", f"is only for a finished message, and this one is {status}")
    if created is None:
        created = now if completed is None else min(now, completed)
    if not status.is_open:
        completed = completed or created
    return {
        "latency_ms": None if completed is None else latency_ms(created, completed),
        "completed_at": completed,
        "created_at": created,
        "updated_at": updated or max(created, completed or created),
    }


def latency_ms(created_at: str, completed_at: str) -> int:
    """Return the milliseconds between two times; 0 if clocks disagree about their order."""
    if completed_at <= created_at:
        return 0
    return (timestamps.parse(completed_at) - timestamps.parse(created_at)) // timedelta(milliseconds=1)
