"""Contexts and todos by meaning over HTTP."""

import json
from typing import Any

import httpx
import pytest

EARLY = "2026-01-31T09:30:00.000Z"


def body(context_id: str, vector: list[float] | None, kind: str = "knowledge", **more: Any) -> dict[str, Any]:
    return {"id": context_id, "extracted_data": {"context_type": kind}, "vector": vector, **more}


async def post(client: httpx.AsyncClient, path: str, content: Any, status: int) -> dict[str, Any]:
    response = await client.post(path, json=content)
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_a_context_is_stored_read_found_and_removed(client: httpx.AsyncClient) -> None:
    properties = {"create_time": "2026-01-31T10:30:00+01:00", "source": "screen"}
    context = body("a/b c", [1, 0], text="bread", properties=properties, metadata={"k": [1]})
    assert await post(client, "/contexts", context, 201) == {"id": "a/b c"}
    path = "/contexts/a%2Fb%20c"
    read = (await client.get(path)).json()
    assert (read["id"], read["text"], read["vector"], read["metadata"]) == ("a/b c", "bread", None, {"k": [1]})
    assert read["properties"]["create_time"] == EARLY
    assert (await client.get(path, params={"need_vector": True, "context_type": "knowledge"})).json()["vector"] == [
        1,
        0,
    ]
    hits = (await post(client, "/contexts/search", {"query": [2, 0]}, 200))["items"]
    assert hits == [{"context": read, "score": 1.0}]
    assert (await client.delete(path, params={"context_type": "state"})).status_code == 404
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_a_batch_is_stored_and_listed_by_type(client: httpx.AsyncClient) -> None:
    batch = [body("a", [1, 0], metadata={"n": 1}), body("b", [0, 1], "state"), body("c", [1, 1])]
    assert await post(client, "/contexts/batch", {"contexts": batch}, 201) == {"ids": ["a", "b", "c"]}

    async def listed(**query: Any) -> dict[str, list[str]]:
        response = await client.get("/contexts", params=query)
        assert response.status_code == 200, response.text
        pages = response.json()["types"].items()
        return {kind: [item["id"] for item in page["items"]] for kind, page in pages if page["items"]}

    assert await listed() == {"knowledge": ["c", "a"], "state": ["b"]}
    assert await listed(context_types="state,intent") == {"state": ["b"]}
    assert await listed(filter=json.dumps({"metadata.n": 1})) == {"knowledge": ["a"]}
    first = (await client.get("/contexts", params={"context_types": "knowledge", "limit": 1})).json()
    cursor = first["types"]["knowledge"]["next_cursor"]
    assert await listed(context_types="knowledge", cursor=cursor) == {"knowledge": ["a"]}
    counts = (await client.get("/contexts/counts")).json()["counts"]
    assert (counts["knowledge"], counts["state"], counts["entity"]) == (2, 1, 0)
    assert list(counts) == (await client.get("/contexts/types")).json()["types"]


async def test_a_search_takes_types_filters_and_a_number(client: httpx.AsyncClient) -> None:
    batch = [body("a", [1, 0], metadata={"n": 1}), body("b", [0, 1], "state"), body("c", [1, 1])]
    await post(client, "/contexts/batch", {"contexts": batch}, 201)

    async def found(**more: Any) -> list[str]:
        hits = await post(client, "/contexts/search", {"query": [1, 0], **more}, 200)
        return [hit["context"]["id"] for hit in hits["items"]]

    assert await found() == ["a", "c", "b"]
    assert await found(top_k=1) == ["a"]
    assert await found(context_types=["state"]) == ["b"]
    assert await found(filters={"metadata.n": 1}) == ["a"]


async def test_similar_todos_are_found(client: httpx.AsyncClient) -> None:
    todo = await post(client, "/todos", {"content": "swim"}, 201)
    path = f"/todos/{todo['id']}/embedding"
    assert (await client.put(path, json={"embedding": [1, 0]})).status_code == 204
    query = {"query_embedding": [1, 0.1], "top_k": 3, "similarity_threshold": 0.9}
    (item,) = (await post(client, "/todos/similar", query, 200))["items"]
    assert (item["todo_id"], item["content"]) == (todo["id"], "swim")
    assert item["similarity"] == pytest.approx(1 / 1.01**0.5)
    assert (await client.delete(path)).status_code == 204
    assert (await post(client, "/todos/similar", query, 200))["items"] == []
    assert (await client.delete(path)).status_code == 404
    assert (await client.put("/todos/99/embedding", json={"embedding": [1]})).status_code == 404


@pytest.mark.parametrize(
    ("path", "content", "status", "code", "field"),
    [
        ("/contexts", body("a", []), 422, "invalid_input", "body.vector"),
        ("/contexts", body("a", [0.0]), 422, "invalid_input", "vector"),
        ("/contexts", body("a", ["x"]), 422, "invalid_input", "body.vector.0"),  # type: ignore[list-item]
        ("/contexts", body("a", [1.0] * 8_193), 422, "invalid_input", "body.vector"),
        ("/contexts", body("a", [1.0], "mood"), 422, "invalid_input", "body.extracted_data.context_type"),
        ("/contexts", body("", [1.0]), 422, "invalid_input", "body.id"),
        ("/contexts", body("a", None), 422, "invalid_input", "vector"),
        ("/contexts", body("a", None, text="bread"), 501, "not_available", None),
        ("/contexts", body("a", [1.0, 2.0], "state"), 409, "conflict", None),
        ("/contexts/batch", {"contexts": []}, 422, "invalid_input", "body.contexts"),
        ("/contexts/search", {"query": [1.0], "top_k": 0}, 422, "invalid_input", "body.top_k"),
        ("/contexts/search", {"query": [1.0], "filters": {"mood": 1}}, 422, "invalid_input", "filters.mood"),
        ("/contexts/search", {"query": "bread"}, 501, "not_available", None),
        ("/contexts/search", {"query": [1.0, 2.0]}, 409, "conflict", None),
        ("/todos/similar", {"query_embedding": [1.0], "similarity_threshold": 2}, 422, "invalid_input", None),
    ],
)
async def test_what_cannot_be_done_is_explained(
    client: httpx.AsyncClient, path: str, content: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    await post(client, "/contexts", body("there", [1.0], "state"), 201)
    problem = await post(client, path, content, status)
    assert (problem["code"], problem["retryable"]) == (code, False)
    if field is not None:
        assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize("text", ['{"vector": [NaN, 1]}', '{"vector": [1e999]}'])
async def test_numbers_that_are_none_are_refused(client: httpx.AsyncClient, text: str) -> None:
    content = text.replace("{", '{"extracted_data": {"context_type": "state"}, ', 1)
    response = await client.post("/contexts", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize("query", [{"filter": "x"}, {"filter": "[]"}, {"context_types": "mood"}, {"cursor": "x"}])
async def test_a_list_that_makes_no_sense_is_refused(client: httpx.AsyncClient, query: dict[str, str]) -> None:
    response = await client.get("/contexts", params=query)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")


async def test_the_health_check_names_the_vector_backend(client: httpx.AsyncClient) -> None:
    components = (await client.get("/health/ready")).json()["components"]
    assert components["contexts.vectors"]["ok"]
    assert "writer" in components


async def test_contexts_are_deleted_all_or_none(client: httpx.AsyncClient) -> None:
    await post(client, "/contexts/batch", {"contexts": [body("a/b", [1, 0]), body("c", [1, 0])]}, 201)
    missing = await post(client, "/contexts/delete", {"ids": ["a/b", "gone"]}, 404)
    assert missing["errors"][0]["field"] == "ids.1"
    assert await post(client, "/contexts/delete", {"ids": ["a/b", "c"]}, 200) == {"deleted": 2}
    assert (await client.get("/contexts/counts")).json()["counts"]["knowledge"] == 0


async def test_the_collections_of_vectors_are_listed(client: httpx.AsyncClient) -> None:
    types = (await client.get("/contexts/types")).json()["types"]
    assert (await client.get("/contexts/collections")).json() == {"names": [*types, "todo"]}
