"""Upkeep over HTTP: what there is, running it now, and how it shows in the health check."""

from typing import Any

import httpx

from sidecar.storage.unified import UnifiedStorage
from tests.maintenance.conftest import add_old_keys


async def test_every_task_is_listed(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/upkeep")).json()
    assert answer["enabled"] is True
    assert {item["name"] for item in answer["items"]} >= {"idempotency_keys", "monitoring", "vacuum", "checkpoint"}
    assert all(item["last_run"] is None and not item["is_running"] for item in answer["items"])


async def test_a_task_that_is_run_tells_what_it_did(client: httpx.AsyncClient, storage: UnifiedStorage) -> None:
    await add_old_keys(storage, 20)
    response = await client.post("/upkeep/run", json={"task": "idempotency_keys"})
    run: dict[str, Any] = response.json()
    assert response.status_code == 200
    assert (run["task"], run["did"], run["error"], run["gave_way"]) == (
        "idempotency_keys",
        {"removed": 20},
        None,
        False,
    )
    listed = (await client.get("/upkeep")).json()["items"]
    assert [item["last_run"] for item in listed if item["name"] == "idempotency_keys"] == [run]
    component = (await client.get("/health/ready")).json()["components"]["upkeep.idempotency_keys"]
    assert (component["ok"], component["measures"]["removed"], run["started"] in component["detail"]) == (
        True,
        20,
        True,
    )


async def test_every_task_can_be_run(client: httpx.AsyncClient) -> None:
    for item in (await client.get("/upkeep")).json()["items"]:
        response = await client.post("/upkeep/run", json={"task": item["name"]})
        assert (response.status_code, response.json()["error"]) == (200, None)


async def test_a_task_that_does_not_exist_is_refused_by_name(client: httpx.AsyncClient) -> None:
    response = await client.post("/upkeep/run", json={"task": "tea"})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "body.task")
