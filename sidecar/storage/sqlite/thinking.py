"""The thinking behind messages: the table `message_thinking`."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.errors import InvalidInput, NotFound
from sidecar.models import timestamps
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import MessageThinking
from sidecar.storage.sqlite.table import Domain, Table
from sidecar.storage.sqlite.values import json_text
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.messages import IThinkingStore

THINKING = Table(
    "message_thinking", MessageThinking, kind="thinking", topic="thinking", json_columns={"metadata": "{}"}
)


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
        if not 0 <= progress <= 1:
            raise InvalidInput.field("progress", "must be from 0 to 1")
        columns = {
            "message_id": message_id,
            "content": content,
            "stage": stage,
            "progress": progress,
            "metadata": json_text("metadata", metadata or {}),
            "created_at": timestamps.now(),
        }

        def add(work: Work) -> MessageThinking:
            _require_message(work.connection, message_id)
            place = _next_sequence(work.connection, message_id) if sequence is None else sequence
            return THINKING.insert(work, {**columns, "sequence": place})

        return await self._database.write(add, key, MessageThinking)

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


def _next_sequence(connection: sqlite3.Connection, message_id: int) -> int:
    sql = "SELECT coalesce(max(sequence) + 1, 0) FROM message_thinking WHERE message_id = ?"
    return int(connection.execute(sql, (message_id,)).fetchone()[0])


def _require_message(connection: sqlite3.Connection, message_id: int) -> None:
    if connection.execute("SELECT 1 FROM messages WHERE id = ?", (message_id,)).fetchone() is None:
        raise NotFound.row("message", message_id)
