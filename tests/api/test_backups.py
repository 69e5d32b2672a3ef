"""Backups over HTTP: what a name may be, what is refused, and what a listener hears."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from sidecar.api.events import EventHub
from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings
from sidecar.storage.unified import UnifiedStorage, document_backend


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    """An open storage on disk: in memory there are no backups."""
    opened = UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)])
    await opened.initialize()
    yield opened
    await opened.close()


async def made(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/backups", json=body)
    assert answer.status_code == 201, answer.text
    backup: dict[str, Any] = answer.json()
    return backup


async def test_backups_are_made_listed_verified_restored_and_removed(client: httpx.AsyncClient) -> None:
    await client.post("/tips", json={"content": "one"})
    backup = await made(client, reason="before-the-talk")
    assert (backup["reason"], backup["rows"]["tips"]) == ("before-the-talk", 1)
    assert (await client.get("/backups")).json()["items"] == [backup]
    proved = (await client.post(f"/backups/{backup['name']}/verify")).json()
    assert proved["proved_at"] is not None
    await client.post("/tips", json={"content": "two"})
    restored = (await client.post(f"/backups/{backup['name']}/restore")).json()
    assert restored["kept"]["rows"]["tips"] == 2
    assert [tip["content"] for tip in (await client.get("/tips")).json()["items"]] == ["one"]
    assert (await client.delete(f"/backups/{backup['name']}")).status_code == 204
    assert [item["name"] for item in (await client.get("/backups")).json()["items"]] == [restored["kept"]["name"]]
    health = (await client.get("/health/ready")).json()["components"]["backups"]
    assert health["ok"]
    assert health["measures"]["verified"] == 1


@pytest.mark.parametrize(
    "reason", ["", "Upper", "../up", "a/b", "a\\b", "with space", "x" * 41, "a\n", "-a", "ä", "a.db"]
)
async def test_a_reason_is_plain_words(client: httpx.AsyncClient, reason: str) -> None:
    answer = await client.post("/backups", json={"reason": reason})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.reason"


@pytest.mark.parametrize(
    "name", ["../sidecar.db", "..%2fsidecar.db", "/etc/passwd", "%2e%2e", "nothing.db", "a\0b", "con", "x" * 201]
)
async def test_a_path_is_not_a_name(client: httpx.AsyncClient, name: str) -> None:
    for verb in ("verify", "restore"):
        answer = await client.post(f"/backups/{quote(name, safe='')}/{verb}")
        assert answer.status_code in (404, 422), answer.text
    assert (await client.delete(f"/backups/{quote(name, safe='')}")).status_code in (404, 422)


async def test_an_event_stream_is_reset_by_a_restore(storage: UnifiedStorage, client: httpx.AsyncClient) -> None:
    hub = EventHub("a", SYSTEM_CLOCK)
    storage.subscribe(hub.on_changes)
    backup = await made(client)
    async with aclosing(hub.stream()) as stream:
        await anext(stream)
        await client.post(f"/backups/{backup['name']}/restore")
        async with asyncio.timeout(5):
            assert b"event: reset\n" in await anext(stream)
