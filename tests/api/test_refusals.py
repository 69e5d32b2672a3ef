"""What bad requests get: a status, a code, and the name of the culprit."""

import gc
import json
from typing import Any

import httpx
import pytest

from sidecar.storage.sqlite.engine.unit_of_work import Submission

BIG = 2**63


async def refused(client: httpx.AsyncClient, method: str, path: str, **request: Any) -> tuple[int, dict[str, Any]]:
    response = await client.request(method, path, **request)
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == response.status_code
    assert {"type", "title", "code", "detail", "retryable", "errors"} <= problem.keys()
    return response.status_code, problem


@pytest.mark.parametrize(
    "path",
    ["/vaults/999", "/todos/999", "/activities/999", f"/todos/{BIG - 1}"],
)
async def test_an_unknown_id_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    status, problem = await refused(client, "GET", path)
    assert (status, problem["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/", "/nothing", "/todos/", "/todos/1/2/3", "//todos", "/TODOS"])
async def test_an_unknown_path_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    status, _ = await refused(client, "GET", path)
    assert status == 404


async def test_a_method_that_a_path_does_not_have_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.put("/todos")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize("todo_id", ["0", "-1", "abc", "1.5", "", "%00", str(BIG)])
async def test_an_id_that_is_none_is_refused(client: httpx.AsyncClient, todo_id: str) -> None:
    status, problem = await refused(client, "PATCH", f"/todos/{todo_id}", json={})
    assert (status, problem["code"]) in [(422, "invalid_input"), (404, "not_found")]


@pytest.mark.parametrize(
    ("path", "body", "culprit"),
    [
        ("/todos", {}, "body.content"),
        ("/todos", {"content": ""}, "body.content"),
        ("/todos", {"content": None}, "body.content"),
        ("/todos", {"content": 5}, "body.content"),
        ("/todos", {"content": "x", "colour": "red"}, "body.colour"),
        ("/todos", {"content": "x", "status": 2}, "body.status"),
        ("/todos", {"content": "x", "urgency": "high"}, "body.urgency"),
        ("/todos", {"content": "x", "urgency": BIG}, "body.urgency"),
        ("/todos", {"content": "x", "start_time": "tomorrow"}, "body.start_time"),
        ("/todos", {"content": "x", "start_time": "2026-01-31T09:30:00"}, "body.start_time"),
        ("/todos", {"content": "x", "start_time": "2026-01-02T00:00Z", "end_time": "2026-01-01T00:00Z"}, "end_time"),
        ("/activities", {"title": "t", "content": "c"}, "body.start_time"),
        (
            "/activities",
            {"title": "", "content": "", "start_time": "2026-01-02T00:00Z", "end_time": "2026-01-01T00:00Z"},
            "end_time",
        ),
        ("/vaults", {"title": "x" * 1001}, "body.title"),
        ("/vaults", {"title": "x", "is_folder": "maybe"}, "body.is_folder"),
        ("/vaults", {"title": "x", "parent_id": 2**63}, "body.parent_id"),
        ("/tips", ["content"], "body"),
        ("/todos/batch", {"todos": []}, "body.todos"),
        ("/todos/batch", {"todos": [{"content": "x"}, {"content": "y"}, {"content": 5}]}, "body.todos.2.content"),
    ],
)
async def test_a_wrong_field_is_named(client: httpx.AsyncClient, path: str, body: Any, culprit: str) -> None:
    status, problem = await refused(client, "POST", path, json=body)
    assert (status, problem["code"]) == (422, "invalid_input")
    assert culprit in [error["field"] for error in problem["errors"]]
    assert culprit in problem["detail"]


@pytest.mark.parametrize(
    ("query", "culprit"),
    [
        ("limit=0", "query.limit"),
        ("limit=-1", "query.limit"),
        ("limit=1001", "query.limit"),
        ("limit=99999999999999999999", "query.limit"),
        ("limit=ten", "query.limit"),
        ("limit=", "query.limit"),
        ("limit=1&limit=2", "query.limit"),
        ("offset=-1", "query.offset"),
        ("offset=10001", "query.offset"),
        ("cursor=nonsense", "cursor"),
        ("status=2", "query.status"),
        ("start_time=yesterday", "query.start_time"),
        ("with_total=perhaps", "query.with_total"),
        ("page=1", "query.page"),
    ],
)
async def test_a_wrong_query_is_named(client: httpx.AsyncClient, query: str, culprit: str) -> None:
    status, problem = await refused(client, "GET", f"/todos?{query}")
    assert (status, problem["code"]) == (422, "invalid_input")
    assert culprit in [error["field"] for error in problem["errors"]]


@pytest.mark.parametrize("body", [b"", b"{", b'{"content": NaN', b"\xff\xfe", b'{"content": "\xff"}', b"[" * 50_000])
async def test_a_body_that_is_not_json_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    status, problem = await refused(
        client, "POST", "/todos", content=body, headers={"Content-Type": "application/json"}
    )
    assert (status, problem["code"]) == (400, "malformed_request")


@pytest.mark.parametrize("value", ["NaN", "Infinity", r'"\ud800"'])
async def test_json_that_cannot_be_stored_is_refused(client: httpx.AsyncClient, value: str) -> None:
    times = '"start_time": "2026-01-01T00:00Z", "end_time": "2026-01-01T00:00Z"'
    body = f'{{"title": "t", "content": "c", "resources": {value}, {times}}}'
    status, _ = await refused(client, "POST", "/activities", content=body, headers={"Content-Type": "application/json"})
    assert status in (400, 422)
    assert (await client.get("/activities")).json()["items"] == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_body_of_another_type_is_refused(client: httpx.AsyncClient, content_type: str) -> None:
    body = json.dumps({"content": "x"})
    status, problem = await refused(client, "POST", "/todos", content=body, headers={"Content-Type": content_type})
    assert (status, problem["code"]) == (415, "unsupported_media_type")


async def test_a_parent_that_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    status, problem = await refused(client, "POST", "/vaults", json={"title": "x", "parent_id": 999})
    assert status == 404
    assert "999" in problem["detail"]


async def test_a_parent_that_is_a_document_is_a_conflict(client: httpx.AsyncClient) -> None:
    document = (await client.post("/vaults", json={"title": "x"})).json()
    status, problem = await refused(client, "POST", "/vaults", json={"title": "y", "parent_id": document["id"]})
    assert (status, problem["code"]) == (409, "conflict")


async def test_a_move_into_the_own_subtree_is_a_conflict(client: httpx.AsyncClient) -> None:
    outer = (await client.post("/vaults", json={"title": "outer", "is_folder": True})).json()
    inner = (await client.post("/vaults", json={"title": "i", "is_folder": True, "parent_id": outer["id"]})).json()
    status, _ = await refused(client, "POST", f"/vaults/{outer['id']}/move", json={"parent_id": inner["id"]})
    assert status == 409


async def test_a_move_must_say_where(client: httpx.AsyncClient) -> None:
    vault = (await client.post("/vaults", json={"title": "x"})).json()
    status, problem = await refused(client, "POST", f"/vaults/{vault['id']}/move", json={})
    assert (status, problem["errors"][0]["field"]) == (422, "body.parent_id")


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_of_the_wrong_length_is_refused(client: httpx.AsyncClient, key: str) -> None:
    status, problem = await refused(client, "POST", "/todos", json={"content": "x"}, headers={"Idempotency-Key": key})
    assert (status, problem["errors"][0]["field"]) == (422, "header.Idempotency-Key")


async def test_a_bug_of_ours_says_nothing_of_its_inside(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("sidecar.storage.unified.UnifiedStorage.get_todo", fail)
    status, problem = await refused(client, "GET", "/todos/1")
    assert (status, problem["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(problem)
    assert "secret inside" in caplog.text


async def test_a_closed_storage_is_told_as_retryable(client: httpx.AsyncClient, storage: Any) -> None:
    await storage.close()
    status, problem = await refused(client, "GET", "/todos")
    assert (status, problem["retryable"]) == (503, True)


async def test_what_was_refused_is_not_kept_in_memory(client: httpx.AsyncClient) -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            assert (await client.post("/vaults", json={"title": "Walrus", "parent_id": 999})).status_code == 404
        kept = [thing for thing in gc.get_objects() if isinstance(thing, Submission)]
    finally:
        gc.enable()
    assert len(kept) <= 1  # what a connection's thread did last


@pytest.mark.parametrize(
    ("path", "body"),
    [("/todos", {"content": "walrus", "urgent": 1}), ("/search/hybrid", {"query": "walrus", "limits": 1})],
)
async def test_a_misspelt_field_is_reported_in_one_way_whatever_the_body_is_made_of(
    client: httpx.AsyncClient, path: str, body: dict[str, object]
) -> None:
    _, problem = await refused(client, "POST", path, json=body)
    reported = {error["field"]: error["message"] for error in problem["errors"]}
    assert reported[f"body.{list(body)[-1]}"] == "There is no such field"
