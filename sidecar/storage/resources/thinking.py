"""The thinking behind messages: the table `message_thinking`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.errors import NotFound
from sidecar.models.base import MAX_BATCH, Identifier, ShortText, Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import (
    Count,
    MessageThinking,
    Progress,
    ThinkingCreate,
)
from sidecar.models.timestamps import TimestampInput
from sidecar.storage.arguments import JsonObject
from sidecar.storage.interfaces import Connection, Work
from sidecar.storage.resources.rows.columns import integer, json_object, real, safe_value, text, time
from sidecar.storage.resources.rows.declaration import Exported, Reference
from sidecar.storage.resources.rows.pagination import require_range
from sidecar.storage.resources.rows.positions import PositionAllocator
from sidecar.storage.resources.rows.table import Resource, Table
from sidecar.storage.resources.rows.validation import json_text, optional_time

THINKING = Table(
    "message_thinking",
    MessageThinking,
    {
        "message_id": integer(),
        "content": text(),
        "stage": text(optional=True),
        "progress": real(0, 1),
        "sequence": integer(0),
        "metadata": json_object(optional=True),
        "created_at": time(),
    },
    kind="thinking",
    topic="thinking",
    exported=Exported(
        "thinking",
        birth=("content", "sequence", "created_at"),
        evidence=("content", "created_at"),
        references=(Reference("message_id", "messages"),),
        # The steps of a message that another import has brought, too.
        same=("message_id", "sequence", "content"),
        is_same_unique=False,
        is_required=True,
    ),
)


class Thinking(Resource, tables=(THINKING,)):
    """The thinking behind messages."""

    async def add_message_thinking(
        self,
        message_id: Identifier,
        content: Text,
        stage: ShortText | None = None,
        progress: Progress = 0.0,
        sequence: Count | None = None,
        metadata: JsonObject | None = None,
        created_at: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> MessageThinking:
        """Add a step, behind the last unless `sequence` says where. Raises `NotFound`, `InvalidInput`."""

        def add(work: Work) -> MessageThinking:
            place = _places_of(work.connection, message_id).next(sequence)
            columns = _new_columns(work.now, message_id, content, stage, progress, place, metadata, created_at)
            return THINKING.insert(work, columns)

        return await self._database.write(add, key, MessageThinking)

    async def batch_add_message_thinking(
        self, message_id: Identifier, thinking: Sequence[ThinkingCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Add all of these steps or none, as `add_message_thinking` does one after the other; returns their ids.

        Raises `NotFound`, `InvalidInput`.
        """
        require_range("thinking", len(thinking), 1, MAX_BATCH)

        def add(work: Work) -> list[int]:
            places = _places_of(work.connection, message_id)
            rows = (
                _new_columns(work.now, message_id, **{**vars(step), "sequence": places.next(step.sequence)})
                for step in thinking
            )
            return THINKING.insert_many(work, rows)

        return await self._database.write(add, key, list[int])

    async def get_message_thinking(self, message_id: Identifier) -> Sequence[MessageThinking]:
        """The steps of a message, in order. Raises `NotFound`."""

        def query(connection: Connection) -> list[MessageThinking]:
            _require_message(connection, message_id)
            sql = f"SELECT {THINKING.selected} FROM message_thinking WHERE message_id = ? ORDER BY sequence, id"
            return [THINKING.record(row) for row in connection.execute(sql, (message_id,))]

        return await self._database.read(query)

    async def clear_message_thinking(self, message_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Remove the steps of a message. Raises `NotFound`."""

        def clear(work: Work) -> None:
            _require_message(work.connection, message_id)
            sql = "DELETE FROM message_thinking WHERE message_id = ? RETURNING id"
            for (row_id,) in work.connection.execute(sql, (message_id,)).fetchall():
                work.changed(THINKING.topic, row_id)

        await self._database.write(clear, key, type(None))


def _new_columns(
    now: str,
    message_id: int,
    content: str,
    stage: str | None,
    progress: float,
    sequence: int,
    metadata: Mapping[str, Any] | None,
    created_at: TimestampInput | None = None,
) -> dict[str, Any]:
    """Return the columns of a new step. Raises `InvalidInput`."""
    return {
        "message_id": message_id,
        "content": content,
        "stage": stage,
        "progress": progress,
        "sequence": sequence,
        "metadata": json_text("metadata", metadata or {}),
        "created_at": optional_time("created_at", created_at) or now,
    }


def _places_of(connection: Connection, message_id: int) -> PositionAllocator:
    """The places of steps that come to a message's others. Raises `NotFound`."""
    _require_message(connection, message_id)
    sql = "SELECT max(sequence) FROM message_thinking WHERE message_id = ?"
    (last,) = connection.execute(sql, (message_id,)).fetchone()
    return PositionAllocator(None if last is None else safe_value(THINKING.columns["sequence"], last), first=0, gap=1)


def _require_message(connection: Connection, message_id: int) -> None:
    if connection.execute("SELECT 1 FROM messages WHERE id = ?", (message_id,)).fetchone() is None:
        raise NotFound.row("message", message_id)
