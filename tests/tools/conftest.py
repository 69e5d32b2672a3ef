"""Stores to export from and import into, and what they hold."""

import io
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sidecar.config import DatabaseSettings
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources.lines import LINES
from sidecar.storage.resources.rows_set_aside import Origin
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.unified import UnifiedStorage, document_backend
from sidecar.tools.archive_limits import LIMITS, ArchiveLimits
from sidecar.tools.local import export_to

from ..support import backend_of

EARLY, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T17:00:00.000Z"

OpenStore = Callable[[str], Awaitable[UnifiedStorage]]
Content = dict[str, list[dict[str, Any]]]


@pytest.fixture
async def open_store(tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Opens the store with a name, on disk."""
    opened: list[UnifiedStorage] = []

    async def open_it(name: str) -> UnifiedStorage:
        storage = UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path / name)])
        await storage.initialize()
        opened.append(storage)
        return storage

    yield open_it
    for storage in opened:
        await storage.close()


async def fill(storage: UnifiedStorage) -> None:
    """Some rows of every kind, with every reference that there is."""
    folder = await storage.insert_vaults("Folder", is_folder=True)
    document = await storage.insert_vaults("Document", "short", "# Text\n", "Daily", "a, b", folder.id)
    # Its folder is younger than itself.
    young = await storage.insert_vaults("Young", is_folder=True)
    await storage.move_vault(document.id, young.id)
    await storage.insert_vaults("Gone", parent_id=folder.id)
    await storage.delete_vault(folder.id)
    await storage.insert_todo("water", EARLY, LATE, urgency=3, assignee="Ada", reason="dry")
    await storage.insert_activity("read", "long", ["a.pdf", {"page": 1.0}], {"nested": {"null": None}}, EARLY, LATE)
    await storage.insert_tip("drink")
    conversation = await storage.create_conversation("home", "ada", "Talk", {"project": "x"})
    question = await storage.create_message(conversation.id, "user", "why?")
    answer = await storage.create_message(
        conversation.id, "assistant", "because", token_count=2, parent_message_id=question.id
    )
    await storage.add_message_thinking(answer.id, "hm", "plan", 0.5, metadata={"a": [1]})
    await storage.save_conversation_state("thread/1", [{"role": "user", "content": "ü\u2028"}], {"hits": 1})
    await storage.add_exchange("thread/1", "model", "request", {"usd": 0.25}, EARLY, LATE)
    await storage.set_preference("app", "theme", {"dark": None})
    await adopt(storage)
    await set_aside(storage, "messages", {"id": 90, "conversation_id": 999, "content": b"\xff"}, "adoption")
    await set_aside(storage, "tips", {"id": 5, "content": None}, "recovery")


async def set_aside(storage: UnifiedStorage, table: str, row: dict[str, Any], origin: Origin = "adoption") -> None:
    """Set a row aside, as an adoption or a recovery does."""
    await write(storage, lambda work: orphans.keep(work.connection, table, row, "a reason", work.now, origin=origin))


async def adopt(storage: UnifiedStorage) -> None:
    """Note an adoption."""
    sql = "INSERT INTO adoptions (system, source, time_zone, adopted_at, report) VALUES (?, ?, ?, ?, ?)"
    values = ("minecontext", "/home/ada/app.db", "Europe/Berlin", EARLY, '{"rows": {"tips": 1}}')
    await write(storage, lambda work: work.connection.execute(sql, values).lastrowid)


async def write(storage: UnifiedStorage, unit: Callable[[SQLiteWork], Any]) -> None:
    """Run a unit of work in the store's database."""
    await backend_of(storage).database.write(unit)


async def content_of(storage: UnifiedStorage) -> Content:
    """Every row of every kind, as it would be exported."""
    return await storage.export_rows(lambda rows, _: {kind: [dict(row) for row in rows(kind)] for kind in LINES})


async def archive_of(storage: UnifiedStorage, markdown: bool = False, *, limits: ArchiveLimits = LIMITS) -> io.BytesIO:
    """An export of the store."""
    file = io.BytesIO()
    await export_to(storage, file, markdown, limits=limits)
    return file


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a plain connection reads in a database."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()
