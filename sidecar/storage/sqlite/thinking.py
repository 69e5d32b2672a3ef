"""The thinking behind messages: the table `message_thinking`."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.errors import NotFound
from sidecar.models.base import MAX_BATCH
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import MessageThinking, ThinkingCreate
from sidecar.storage.sqlite.columns import safe_value
from sidecar.storage.sqlite.listing import require_range
from sidecar.storage.sqlite.places import Places
from sidecar.storage.sqlite.stored_columns import STORED
from sidecar.storage.sqlite.table import Domain, Table
from sidecar.storage.sqlite.values import json_text
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.messages import IThinkingStore

THINKING = Table("message_thinking", MessageThinking, kind="thinking", topic="thinking")


class Thinking(Domain, IThinkingStore):
    async def add_message_thinking(
        self,
        message_id: int,
        content: str,
        stage: str | None = None,
        progress: float = 0.0,
        sequence: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> MessageThinking:
        def add(work: Work) -> MessageThinking:
            place = _places_of(work.connection, message_id).take(sequence)
            columns = _new_columns(work.now, message_id, content, stage, progress, place, metadata)
            return THINKING.insert(work, columns)

        return await self._database.write(add, key, MessageThinking)

    async def batch_add_message_thinking(
        self, message_id: int, thinking: Sequence[ThinkingCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        require_range("thinking", len(thinking), 1, MAX_BATCH)

        def add(work: Work) -> list[int]:
            places = _places_of(work.connection, message_id)
            rows = (
                _new_columns(work.now, message_id, **{**vars(step), "sequence": places.take(step.sequence)})
                for step in thinking
            )
            return THINKING.insert_many(work, rows)

        return await self._database.write(add, key, list[int])

    async def get_message_thinking(self, message_id: int) -> Sequence[MessageThinking]:
        def query(connection: sqlite3.Connection) -> list[MessageThinking]:
            _require_message(connection, message_id)
            sql = f"SELECT {THINKING.columns} FROM message_thinking WHERE message_id = ? ORDER BY sequence, id"
            return [THINKING.record(row) for row in connection.execute(sql, (message_id,))]

        return await self._database.read(query)

    async def clear_message_thinking(self, message_id: int, *, key: IdempotencyKey | None = None) -> None:
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
) -> dict[str, Any]:
    """What is stored of a new step. Raises `InvalidInput`."""
    return {
        "message_id": message_id,
        "content": content,
        "stage": stage,
        "progress": progress,
        "sequence": sequence,
        "metadata": json_text("metadata", metadata or {}),
        "created_at": now,
    }


def _places_of(connection: sqlite3.Connection, message_id: int) -> Places:
    """The places of steps that come to a message's others. Raises `NotFound`."""
    _require_message(connection, message_id)
    sql = "SELECT max(sequence) FROM message_thinking WHERE message_id = ?"
    (last,) = connection.execute(sql, (message_id,)).fetchone()
    return Places(None if last is None else safe_value(STORED["message_thinking"]["sequence"], last), first=0, gap=1)


def _require_message(connection: sqlite3.Connection, message_id: int) -> None:
    if connection.execute("SELECT 1 FROM messages WHERE id = ?", (message_id,)).fetchone() is None:
        raise NotFound.row("message", message_id)
