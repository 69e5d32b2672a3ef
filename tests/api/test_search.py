"""Search and documents over HTTP."""

from typing import Any

import httpx
import pytest


async def search(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    response = await client.get("/search", params=query)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


async def test_a_hit_has_its_place_its_kind_and_its_matches(client: httpx.AsyncClient) -> None:
    tip = (await client.post("/tips", json={"content": "Look at a <walrus> now"})).json()
    page = await search(client, q="wal")
    (hit,) = page["items"]
    assert (page["total"], page["complete"]) == (1, True)
    assert (hit["id"], hit["data_type"], hit["time"]) == (f"tip:{tip['id']}", "tip", tip["created_at"])
    assert hit["snippet"] == [
        {"text": "Look at a <", "match": False},
        {"text": "walrus", "match": True},
        {"text": "> now", "match": False},
    ]


async def test_hits_are_filtered(client: httpx.AsyncClient) -> None:
    folder = (await client.post("/vaults", json={"title": "Folder", "is_folder": True})).json()
    body = {"title": "walrus", "tags": "animals", "document_type": "Report", "parent_id": folder["id"]}
    vault = (await client.post("/vaults", json=body)).json()
    await client.post("/tips", json={"content": "walrus"})
    assert len((await search(client, q="walrus"))["items"]) == 2
    filters: list[dict[str, Any]] = [
        {"kinds": "vault,todo"},
        {"tag": "animals"},
        {"document_type": "Report"},
        {"folder": folder["id"]},
        {"kinds": "vault", "from": vault["created_at"], "before": "2999-01-01T00:00:00Z"},
    ]
    for filter_ in filters:
        found = await search(client, q="walrus", **filter_)
        assert [hit["id"] for hit in found["items"]] == [f"vault:{vault['id']}"], filter_
    assert (await search(client, q="walrus", before=vault["created_at"], kinds="vault"))["items"] == []


async def test_messages_are_found_by_conversation_and_role(client: httpx.AsyncClient) -> None:
    ids = []
    for role in ("user", "assistant"):
        conversation = (await client.post("/conversations", json={"page_name": "home"})).json()
        body = {"role": role, "content": "walrus"}
        message = (await client.post(f"/conversations/{conversation['id']}/messages", json=body)).json()
        ids.append((conversation["id"], f"message:{message['id']}"))
    for (conversation_id, found), role in zip(ids, ("user", "assistant"), strict=True):
        for filter_ in ({"conversation_id": conversation_id}, {"role": role}):
            page = await search(client, q="walrus", **filter_)
            assert [hit["id"] for hit in page["items"]] == [found]
    assert (await search(client, q="walrus", conversation_id=ids[0][0], role="assistant"))["items"] == []


@pytest.mark.parametrize("query", ['"', "(", "NEAR", "zz\x00b", "*", "-", "", "col:"])
async def test_what_a_person_types_is_a_valid_search(client: httpx.AsyncClient, query: str) -> None:
    assert (await search(client, q=query))["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": "x", "kinds": "fish"},
        {"q": "x", "from": "today"},
        {"q": "x", "limit": 0},
        {"q": "x", "conversation_id": "one"},
        {"q": "x", "role": "nobody"},
    ],
)
async def test_wrong_filters_are_refused(client: httpx.AsyncClient, query: dict[str, Any]) -> None:
    assert (await client.get("/search", params=query)).status_code == 422


async def test_a_document_is_read_and_deleted_by_its_id(client: httpx.AsyncClient) -> None:
    vault = (await client.post("/vaults", json={"title": "walrus", "content": "text"})).json()
    path = f"/documents/vault:{vault['id']}"
    document = (await client.get(path)).json()
    assert (document["id"], document["content"], document["data_type"]) == (f"vault:{vault['id']}", "text", "vault")
    assert document["metadata"]["title"] == "walrus"
    for _ in range(2):
        assert (await client.delete(path, headers={"Idempotency-Key": "key-1"})).status_code == 204
    assert (await client.get(path)).status_code == 404
    assert (await client.get(f"/vaults/{vault['id']}")).json()["is_deleted"]


async def test_the_index_is_rebuilt_on_request(client: httpx.AsyncClient) -> None:
    await client.post("/tips", json={"content": "walrus"})
    assert (await client.post("/search/rebuild")).status_code == 204
    page = await search(client, q="walrus")
    assert (page["items"], page["complete"]) == ([], False)
