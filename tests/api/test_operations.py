"""The operations over HTTP: what they take, what they answer."""

from typing import Any

import httpx
import pytest

from sidecar.storage.unified import UnifiedStorage
from tests.clocks import SlowMachineClock

EARLY, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T17:00:00.000Z"


async def create(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    response = await client.post(path, json=body)
    assert response.status_code == 201, response.text
    record: dict[str, Any] = response.json()
    return record


async def test_live_names_the_instance(client: httpx.AsyncClient) -> None:
    live = (await client.get("/health/live")).json()
    assert (live["status"], live["instance"]) == ("live", "test-instance")


async def test_ready_measures_each_part(client: httpx.AsyncClient) -> None:
    response = await client.get("/health/ready")
    components = response.json()["components"]
    assert response.status_code == 200
    assert {"writer", "readers", "schema", "event_loop", "process"} <= components.keys()
    assert components["process"]["measures"]["memory_bytes"] > 0


async def test_ready_answers_503_when_a_part_does_not_work(client: httpx.AsyncClient, storage: UnifiedStorage) -> None:
    storage.clock = SlowMachineClock()
    response = await client.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (503, "degraded")
    assert not response.json()["components"]["event_loop"]["ok"]


async def test_a_vault_is_created_read_changed_moved_deleted_and_restored(client: httpx.AsyncClient) -> None:
    folder = await create(client, "/vaults", title="Folder", is_folder=True)
    document = await create(client, "/vaults", title="Document", parent_id=folder["id"])
    path = f"/vaults/{document['id']}"
    assert (await client.get(path)).json() == document
    changed = (await client.patch(path, json={"content": "Text"})).json()
    assert (changed["content"], changed["title"]) == ("Text", "Document")
    moved = (await client.post(f"{path}/move", json={"parent_id": None})).json()
    assert moved["parent_id"] is None
    await client.post(f"{path}/move", json={"parent_id": folder["id"]})
    affected = {"ids": [folder["id"], document["id"]]}
    assert (await client.delete(f"/vaults/{folder['id']}")).json() == affected
    assert (await client.post(f"/vaults/{folder['id']}/restore")).json() == affected
    assert (await client.delete(f"/vaults/{folder['id']}/permanent")).json() == affected
    assert (await client.get(path)).status_code == 404


async def test_vaults_are_listed_in_every_way(client: httpx.AsyncClient) -> None:
    folder = await create(client, "/vaults", title="Folder", is_folder=True)
    await create(client, "/vaults", title="Report", document_type="Daily", parent_id=folder["id"])

    async def titles(path: str, **query: Any) -> list[str]:
        response = await client.get(path, params=query)
        assert response.status_code == 200, response.text
        return [vault["title"] for vault in response.json()["items"]]

    assert await titles("/vaults", limit=2) == ["Report", "Folder"]
    assert await titles("/vaults", document_type="Daily") == ["Report"]
    assert await titles("/vaults", title="Folder") == ["Folder"]
    assert await titles("/vaults", is_deleted=True) == []
    assert await titles("/vaults", updated_after=folder["created_at"], limit=1) == ["Report"]
    assert await titles("/vaults/children", parent_id=folder["id"]) == ["Report"]
    assert "Folder" in await titles("/vaults/children")
    assert await titles("/vaults/folders") == ["Folder"]
    assert await titles("/vaults/reports") == ["Report"]


async def test_a_todo_is_created_changed_completed_and_deleted(client: httpx.AsyncClient) -> None:
    todo = await create(client, "/todos", content="water", start_time="2026-01-31T10:30:00+01:00")
    assert todo["start_time"] == EARLY
    path = f"/todos/{todo['id']}"
    assert (await client.patch(path, json={"urgency": 2})).json() == todo | {"urgency": 2}
    done = (await client.post(f"{path}/status", json={"status": 1, "end_time": LATE})).json()
    assert (done["status"], done["end_time"]) == (1, LATE)
    assert (await client.post(f"{path}/toggle")).json()["status"] == 0
    assert (await client.get("/todos", params={"status": 0})).json()["items"][0]["id"] == todo["id"]
    deleted = await client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await client.get(path)).status_code == 404


async def test_an_activity_is_created_listed_and_counted(client: httpx.AsyncClient) -> None:
    assert (await client.get("/activities/latest")).json() == {"activity": None}
    body = {"title": "t", "content": "c", "resources": [1, "two"], "metadata": {"k": None}}
    activity = await create(client, "/activities", **body, start_time=EARLY, end_time=LATE)
    assert (activity["resources"], activity["metadata"]) == ([1, "two"], {"k": None})
    assert (await client.get(f"/activities/{activity['id']}")).json() == activity
    assert (await client.get("/activities")).json()["items"] == [activity]
    assert (await client.get("/activities/latest")).json() == {"activity": activity}
    days = {"start_date": "2026-01-31", "end_date": "2026-02-01", "time_zone": "Asia/Tokyo"}
    counts = (await client.get("/activities/counts", params=days)).json()["days"]
    assert counts == [{"day": "2026-01-31", "count": 1}, {"day": "2026-02-01", "count": 0}]


async def test_a_tip_is_created_and_listed_with_a_total(client: httpx.AsyncClient) -> None:
    tip = await create(client, "/tips", content="stretch")
    page = (await client.get("/tips", params={"with_total": "true"})).json()
    assert page == {"items": [tip], "next_cursor": None, "total": 1}


async def test_the_same_idempotency_key_creates_once(client: httpx.AsyncClient) -> None:
    answers = [
        await client.post("/todos", json={"content": "once"}, headers={"Idempotency-Key": "key-1"}) for _ in range(3)
    ]
    assert len({answer.text for answer in answers}) == 1
    assert len((await client.get("/todos")).json()["items"]) == 1


async def test_a_key_used_for_another_request_is_a_conflict(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "key-1"}
    await client.post("/todos", json={"content": "one"}, headers=headers)
    for path, body in (("/todos", {"content": "two"}), ("/tips", {"content": "one"})):
        response = await client.post(path, json=body, headers=headers)
        assert (response.status_code, response.json()["code"]) == (409, "conflict")


async def test_a_repeated_deletion_with_its_key_succeeds_again(client: httpx.AsyncClient) -> None:
    todo = await create(client, "/todos", content="x")
    for _ in range(2):
        response = await client.delete(f"/todos/{todo['id']}", headers={"Idempotency-Key": "key-1"})
        assert response.status_code == 204


async def test_text_is_kept_to_the_character(client: httpx.AsyncClient) -> None:
    text = "'; DROP TABLE todo; -- \x00 \u202e 日本語 👩‍👩‍👧 \r\n\t"
    assert (await create(client, "/todos", content=text))["content"] == text


async def test_an_update_deletes_a_vault_and_restores_it(client: httpx.AsyncClient) -> None:
    folder = (await client.post("/vaults", json={"title": "Folder", "is_folder": True})).json()
    vault = (await client.post("/vaults", json={"title": "x", "parent_id": folder["id"]})).json()
    for is_deleted in (True, False):
        response = await client.patch(f"/vaults/{folder['id']}", json={"is_deleted": is_deleted})
        assert response.json()["is_deleted"] == is_deleted
        assert (await client.get(f"/vaults/{vault['id']}")).json()["is_deleted"] == is_deleted


@pytest.mark.parametrize("body", [{"parent_id": True}, {"sort_order": "5"}, {"parent_id": 1.0}])
async def test_a_number_is_a_number(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert (await client.post("/vaults", json={"title": "x", **body})).status_code == 422


@pytest.mark.parametrize("document_id", ["%ff", "%ED%A0%80", "todo_1%ff"])
async def test_an_id_that_is_not_text_names_nothing(client: httpx.AsyncClient, document_id: str) -> None:
    response = await client.get(f"/documents/{document_id}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
