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


async def test_todos_are_listed_in_every_order_and_window(client: httpx.AsyncClient) -> None:
    for content, urgency, times in (
        ("low", 0, {"start_time": EARLY, "end_time": LATE}),
        ("high", 2, {"created_at": "2023-11-14T22:14:43Z"}),
    ):
        await create(client, "/todos", content=content, urgency=urgency, **times)

    async def contents(**query: Any) -> list[str]:
        response = await client.get("/todos", params=query)
        assert response.status_code == 200, response.text
        return [todo["content"] for todo in response.json()["items"]]

    assert await contents() == ["high", "low"]
    assert await contents(order="-urgency") == ["low", "high"]
    assert await contents(order="newest") == ["low", "high"]
    assert await contents(start_time=EARLY, end_time=LATE) == ["low"]
    assert await contents(created_before="2024-01-01T00:00:00Z") == ["high"]
    refused = await client.get("/todos", params={"order": "importance"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "query.order")


async def test_a_deadline_outlives_completing_and_reopening(client: httpx.AsyncClient) -> None:
    todo = await create(client, "/todos", content="x", end_time=LATE)
    path = f"/todos/{todo['id']}/status"
    done = (await client.post(path, json={"status": 1, "end_time": EARLY})).json()
    assert (done["end_time"], done["completed_at"]) == (LATE, EARLY)
    assert (await client.post(path, json={"status": 0})).json() == todo


@pytest.mark.parametrize("path", ["/todos", "/tips", "/vaults"])
async def test_a_row_from_elsewhere_keeps_the_time_when_it_was_made(client: httpx.AsyncClient, path: str) -> None:
    text = {"title": "x"} if path == "/vaults" else {"content": "x"}
    times = {"created_at": "2023-11-14T23:14:43+01:00"}
    made = await create(client, path, **text, **times)
    batch = await create(client, f"{path}/batch", **{path[1:]: [text | times]})
    for row_id in (made["id"], *batch["ids"]):
        row = (await client.get(f"{path}/{row_id}")).json()
        assert row["created_at"] == "2023-11-14T22:14:43.000Z"


async def test_vaults_are_filtered_by_several_types_and_by_folder(client: httpx.AsyncClient) -> None:
    folder = await create(client, "/vaults", title="Folder", is_folder=True)
    for document_type in ("Daily", "Weekly", "Monthly"):
        await create(client, "/vaults", title=document_type, document_type=document_type, parent_id=folder["id"])

    async def titles(path: str) -> list[str]:
        response = await client.get(path)
        assert response.status_code == 200, response.text
        return [vault["title"] for vault in response.json()["items"]]

    assert await titles("/vaults?document_type=Daily&document_type=Weekly") == ["Weekly", "Daily"]
    assert await titles(f"/vaults?document_type=Daily&parent_id={folder['id']}") == ["Daily"]
    assert await titles(f"/vaults/children?parent_id={folder['id']}&document_type=Monthly") == ["Monthly"]
    assert await titles("/vaults?is_folder=true") == ["Folder"]
    many = "&".join(f"document_type={number}" for number in range(101))
    refused = await client.get(f"/vaults?{many}")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].startswith("query.document_type")


async def test_the_contexts_of_a_vault_are_listed(client: httpx.AsyncClient) -> None:
    vault = await create(client, "/vaults", title="x")
    origin = {"raw_type": "vaults", "raw_id": str(vault["id"])}
    extracted = {"context_type": "entity"}
    await create(client, "/contexts", id="c", extracted_data=extracted, properties=origin, vector=[1.0])
    await create(client, "/contexts", id="d", extracted_data=extracted, vector=[1.0])
    page = (await client.get(f"/vaults/{vault['id']}/contexts", params={"with_total": True})).json()
    assert ([context["id"] for context in page["items"]], page["total"]) == (["c"], 1)
    assert (await client.get("/vaults/999/contexts")).status_code == 404


async def test_activities_and_tips_are_changed_and_deleted(client: httpx.AsyncClient) -> None:
    activity = await create(client, "/activities", title="t", content="c", start_time=EARLY, end_time=EARLY)
    tip = await create(client, "/tips", content="stretch")
    for path, body in (
        (f"/activities/{activity['id']}", {"title": "u", "end_time": LATE, "metadata": {"k": 1}}),
        (f"/tips/{tip['id']}", {"content": "stretch again"}),
    ):
        before = (await client.get(path)).json()
        assert (await client.patch(path, json=body)).json() == before | body
        assert (await client.patch(path, json={"id": 7})).status_code == 422
        deleted = await client.delete(path)
        assert (deleted.status_code, deleted.content) == (204, b"")
        for missing in (await client.get(path), await client.patch(path, json=body), await client.delete(path)):
            assert missing.status_code == 404


async def test_activities_of_a_window_may_lie_within_it_or_overlap_with_it(client: httpx.AsyncClient) -> None:
    await create(client, "/activities", title="t", content="c", start_time=EARLY, end_time=LATE)
    window = {"start_time": "2026-01-31T12:00:00Z", "end_time": LATE}
    found = {
        name: len(
            (await client.get("/activities", params=window | {"window": name, "order": "start_time"})).json()["items"]
        )
        for name in ("begin", "contain", "overlap")
    }
    assert found == {"begin": 0, "contain": 0, "overlap": 1}


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
