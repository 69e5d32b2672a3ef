"""Stores to read, and clients of their whole HTTP side."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from sidecar.api.events import EventHub
from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings, Settings
from sidecar.storage.unified import UnifiedStorage, configured_backends
from tests.contexts import context_over
from tests.lanes import served

from .everything import Answers, read_everything


@asynccontextmanager
async def opened(
    directory: Path | None, prepare: Callable[[UnifiedStorage], Awaitable[None]] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the store in this directory, or of one in memory; it is closed afterwards.

    `prepare` adds rows that no operation adds.
    """
    async with opened_with_storage(directory) as (client, storage):
        if prepare is not None:
            await prepare(storage)
        yield client


@asynccontextmanager
async def opened_with_storage(directory: Path | None) -> AsyncIterator[tuple[httpx.AsyncClient, UnifiedStorage]]:
    """The same, with the storage behind the client."""
    settings = Settings(database=DatabaseSettings(enabled=directory is not None))
    storage = UnifiedStorage.create(configured_backends(settings, directory or Path()))
    await storage.initialize()
    try:
        events = EventHub("test-instance", SYSTEM_CLOCK)
        app = served(context_over(storage, events))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://sidecar") as client:
            yield client, storage
    finally:
        await storage.close()


async def read(directory: Path) -> Answers:
    """Everything that the store in this directory answers."""
    async with opened(directory) as client:
        return await read_everything(client)


async def export(client: httpx.AsyncClient) -> bytes:
    """An archive of the store."""
    return (await client.get("/transfer/export")).raise_for_status().content


async def import_archive(client: httpx.AsyncClient, archive: bytes) -> dict[str, dict[str, int]]:
    """What the import reports, by kind."""
    headers = {"Content-Type": "application/zip"}
    answer = await client.post("/transfer/import", content=archive, headers=headers)
    assert answer.status_code == 200, answer.text
    kinds: dict[str, dict[str, int]] = answer.json()["kinds"]
    return kinds


def database(directory: Path) -> Path:
    """The file of the store in this directory."""
    return directory / "sidecar.db"
