"""Conversation states over HTTP, thread ids of every kind included."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

JSON = {"Content-Type": "application/json"}
LARGEST_NESTING = 190


async def test_a_state_is_saved_read_updated_and_cleared(client: httpx.AsyncClient) -> None:
    body = {"messages": [{"role": "user", "content": "hello"}], "cache_info": {"a": 1}, "project_root": "/home/ada"}
    saved = await client.put("/states/thread", json=body)
    assert saved.status_code == 200
    thread = saved.json()
    assert (thread["thread_id"], thread["initial_request"], thread["project_root"]) == ("thread", "hello", "/home/ada")
    assert (await client.get("/states/thread/thread")).json() == thread
    assert (await client.get("/states")).json()["items"] == [thread]
    assert (await client.patch("/states/thread/cache", json={"cache_info": {"b": 2}})).status_code == 200
    state = (await client.get("/states/thread")).json()
    assert (state["messages"], state["cache_info"]) == (body["messages"], {"a": 1, "b": 2})
    assert (await client.delete("/states/thread")).status_code == 204
    empty: dict[str, Any] = {"thread_id": "thread", "messages": [], "cache_info": {}, "updated_at": None, "invalid": []}
    assert (await client.get("/states/thread")).json() == empty
    assert (await client.delete("/states/thread/permanent")).status_code == 204
    assert (await client.get("/states/thread/thread")).status_code == 404


async def test_cache_information_of_an_unknown_thread_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.patch("/states/thread/cache", json={"cache_info": {"a": 1}})).status_code == 404
    assert (await client.get("/states")).json()["items"] == []


async def test_null_removes_a_name_of_the_cache_information(client: httpx.AsyncClient) -> None:
    await client.put("/states/thread", json={"messages": [], "cache_info": {"a": 1, "b": 2}})
    await client.patch("/states/thread/cache", json={"cache_info": {"a": None}})
    assert (await client.get("/states/thread")).json()["cache_info"] == {"b": 2}


async def test_exchanges_are_added_listed_and_summed(client: httpx.AsyncClient) -> None:
    body = {"model": "m", "request": "hello", "cost": {"total": 0.5}}
    added = await client.post("/states/thread/exchanges", json=body)
    assert added.status_code == 201
    assert (await client.get("/states/thread/exchanges")).json()["items"] == [added.json()]
    assert (await client.get("/states/thread/cost")).json() == {
        "thread_id": "thread",
        "exchanges": 1,
        "cost": {"total": 0.5},
    }


@pytest.mark.parametrize(
    "thread_id",
    ["a/b", "/", "a/cost", "a b", "ä", "日本語 👩‍👩‍👧", "100%", "%2F", "a?b#c", "\x00", "a\\b", "exchanges", "x" * 500],
)
async def test_any_text_is_a_thread_id(client: httpx.AsyncClient, thread_id: str) -> None:
    path = f"/states/{quote(thread_id, safe='')}"
    assert (await client.put(path, json={"messages": [thread_id]})).json()["thread_id"] == thread_id
    assert (await client.get(path)).json()["messages"] == [thread_id]
    assert (await client.get(f"{path}/cost")).json()["thread_id"] == thread_id
    listed = (await client.get("/states")).json()["items"]
    assert [thread["thread_id"] for thread in listed] == [thread_id]


@pytest.mark.parametrize("segment", ["x" * 501, "%FF", "%ED%A0%80"])
async def test_a_thread_id_that_is_huge_or_not_utf8_is_refused(client: httpx.AsyncClient, segment: str) -> None:
    response = await client.put(f"/states/{segment}", json={"messages": []})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "path.thread_id"


async def test_an_empty_thread_id_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.put("/states/", json={"messages": []})).status_code == 404


@pytest.mark.parametrize(
    ("body", "culprit"),
    [
        ({}, "body.messages"),
        ({"messages": {}}, "body.messages"),
        ({"messages": [], "cache_info": []}, "body.cache_info"),
        ({"messages": [], "colour": "red"}, "body.colour"),
    ],
)
async def test_a_wrong_field_is_named(client: httpx.AsyncClient, body: Any, culprit: str) -> None:
    response = await client.put("/states/thread", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
    assert culprit in [error["field"].removesuffix(".json-or-python") for error in response.json()["errors"]]


@pytest.mark.parametrize("value", ["NaN", "1e999", r'"\ud800"', "[" * 5_000 + "]" * 5_000])
async def test_json_that_cannot_be_stored_is_refused(client: httpx.AsyncClient, value: str) -> None:
    response = await client.put("/states/thread", content=f'{{"messages": [{value}]}}', headers=JSON)
    assert response.status_code in (400, 422)
    assert (await client.get("/states")).json()["items"] == []


async def test_what_nests_deeply_comes_back_equal(client: httpx.AsyncClient) -> None:
    value = "[" * LARGEST_NESTING + "]" * LARGEST_NESTING
    headers = {**JSON, "Idempotency-Key": "key-1"}
    for _ in range(2):
        response = await client.put("/states/thread", content=f'{{"messages": {value}}}', headers=headers)
        assert response.status_code == 200, response.text
    assert f'"messages":{value}' in (await client.get("/states/thread")).text
