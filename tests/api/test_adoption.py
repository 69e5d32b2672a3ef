"""Adoptions and rows set aside over HTTP."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from sidecar.config import DatabaseSettings
from sidecar.models.adoption import AdoptionReport
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.unified import UnifiedStorage, document_backend

ROW = {"id": 7, "conversation_id": 9, "role": "user", "content": "lost", "status": "done"}
ROW |= {"created_at": "2026-01-31 12:00:00", "updated_at": "2026-01-31 12:00:00"}


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    """An open storage on disk, in which a message is set aside."""
    opened = UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)])
    await opened.initialize()
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection, connection:
        orphans.keep(
            connection, "messages", ROW, "conversation_id: there is none", "2026-01-31T12:00:00.000Z", origin="import"
        )
        report = "INSERT INTO adoptions (system, source, time_zone, adopted_at, report) VALUES (?, ?, ?, ?, ?)"
        connection.execute(report, ("minecontext", "/app.db", "UTC", "2026-01-31T12:00:00.000Z", '{"rows": {}}'))
    yield opened
    await opened.close()


async def test_adoptions_and_counts_are_reported(client: httpx.AsyncClient) -> None:
    assert (await client.get("/adoption")).json() == {
        "adoptions": [
            {
                "id": 1,
                "system": "minecontext",
                "source": "/app.db",
                "time_zone": "UTC",
                "adopted_at": "2026-01-31T12:00:00.000Z",
                "report": AdoptionReport().model_dump(),
            }
        ],
        "set_aside": {"messages": 1},
        "not_acknowledged": {"messages": 1},
    }


async def test_rows_are_listed_and_filtered(client: httpx.AsyncClient) -> None:
    page = (await client.get("/adoption/rows", params={"with_total": "true", "origin": "import"})).json()
    assert (page["total"], page["items"][0]["row"]) == (1, ROW)
    assert (await client.get("/adoption/rows", params={"table": "tips"})).json()["items"] == []
    refused = await client.get("/adoption/rows", params={"origin": "elsewhere"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "query.origin")


async def test_a_value_that_does_not_fit_is_a_422_that_names_its_column(client: httpx.AsyncClient) -> None:
    refused = await client.post("/adoption/rows/1/restore", json={})
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["status"]
    assert (await client.get("/conversations")).json()["items"] == []


async def test_a_row_is_brought_back_once_for_a_key(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {"values": {"status": "completed"}}
    first, again = [await client.post("/adoption/rows/1/restore", json=body, headers=headers) for _ in range(2)]
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert first.json() == {"table": "messages", "id": 7, "needed": [{"table": "conversations", "id": 9}]}
    assert (await client.get("/messages/7")).json()["created_at"] == "2026-01-31T12:00:00.000Z"
    assert (await client.post("/adoption/rows/1/restore", json=body)).status_code == 404


async def test_health_names_rows_until_they_are_acknowledged(client: httpx.AsyncClient) -> None:
    component = (await client.get("/health/ready")).json()["components"]["adoption"]
    assert (component["ok"], component["measures"]) == (True, {"not_acknowledged": 1.0})
    assert "1 of messages" in component["detail"]
    assert (await client.post("/adoption/acknowledge")).json()["not_acknowledged"] == {}
    component = (await client.get("/health/ready")).json()["components"]["adoption"]
    assert (component["detail"], component["measures"]) == (None, {"not_acknowledged": 0.0})
