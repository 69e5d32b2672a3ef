"""Conversations, messages and thinking over HTTP."""

from typing import Any

import httpx
import pytest


@pytest.fixture
async def conversation(client: httpx.AsyncClient) -> str:
    """The path of a new conversation."""
    response = await client.post("/conversations", json={"page_name": "home", "metadata": {"project": "x"}})
    assert response.status_code == 201
    return f"/conversations/{response.json()['id']}"


@pytest.fixture
async def streaming(client: httpx.AsyncClient, conversation: str) -> str:
    """The path of a message that streams."""
    response = await client.post(f"{conversation}/messages/stream", json={})
    assert response.status_code == 201
    return f"/messages/{response.json()['id']}"


async def test_a_conversation_is_listed_changed_deleted_and_restored(
    client: httpx.AsyncClient, conversation: str
) -> None:
    changed = (await client.patch(conversation, json={"title": "Journey"})).json()
    assert (changed["title"], changed["metadata"]) == ("Journey", {"project": "x"})
    listed = (await client.get("/conversations", params={"page_name": "home", "with_total": True})).json()
    assert (listed["items"], listed["total"]) == ([changed], 1)
    assert (await client.delete(conversation)).json()["status"] == "deleted"
    assert (await client.get("/conversations")).json()["items"] == []
    assert (await client.post(f"{conversation}/restore")).json()["status"] == "active"
    assert (await client.delete(f"{conversation}/permanent")).status_code == 204
    assert (await client.get(conversation)).status_code == 404


async def test_a_message_streams_thinks_and_finishes(client: httpx.AsyncClient, streaming: str) -> None:
    for sequence, chunk in enumerate(("Hel", "lo")):
        appended = await client.post(f"{streaming}/append", json={"content_chunk": chunk, "sequence": sequence})
        assert appended.json()["next_sequence"] == sequence + 1
    step = (await client.post(f"{streaming}/thinking", json={"content": "hm", "progress": 0.5})).json()
    assert (await client.get(f"{streaming}/thinking")).json()["items"] == [step]
    reading = (await client.get(streaming)).json()
    assert (reading["content"], reading["status"], reading["thinking"]) == ("Hello", "streaming", [step])
    finished = (await client.post(f"{streaming}/finish", json={})).json()
    assert (finished["content"], finished["status"]) == ("Hello", "completed")
    late = await client.post(f"{streaming}/append", json={"content_chunk": "!"})
    assert (late.status_code, late.json()["code"]) == (409, "conflict")


async def test_messages_of_a_conversation_are_read_in_pages(client: httpx.AsyncClient, conversation: str) -> None:
    for content in "abc":
        body = {"role": "user", "content": content}
        assert (await client.post(f"{conversation}/messages", json=body)).status_code == 201
    first = (await client.get(f"{conversation}/messages", params={"limit": 2})).json()
    assert ([item["content"] for item in first["items"]], first["has_after"]) == (["a", "b"], True)
    rest = (await client.get(f"{conversation}/messages", params={"after": first["items"][-1]["id"]})).json()
    assert ([item["content"] for item in rest["items"]], rest["has_before"], rest["has_after"]) == (["c"], True, False)


async def test_a_message_is_changed_interrupted_and_deleted(client: httpx.AsyncClient, streaming: str) -> None:
    await client.post(f"{streaming}/append", json={"content_chunk": "half"})
    assert (await client.post(f"{streaming}/interrupt")).json()["status"] == "cancelled"
    assert (await client.patch(f"{streaming}/metadata", json={"metadata": {"a": 1}})).json()["metadata"] == {"a": 1}
    assert (await client.patch(streaming, json={"new_content": "whole"})).json()["content"] == "whole"
    assert (await client.delete(f"{streaming}/thinking")).status_code == 204
    assert (await client.delete(streaming)).status_code == 204
    assert (await client.get(streaming)).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "culprit"),
    [
        ("messages", {"role": "robot", "content": "x"}, "body.role"),
        ("messages", {"role": "user"}, "body.content"),
        ("messages", {"role": "user", "content": "x", "token_count": -1}, "body.token_count"),
        ("messages", {"role": "user", "content": "x", "metadata": [1]}, "body.metadata"),
        ("messages/stream", {"role": "user", "content": "x"}, "body.content"),
    ],
)
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, conversation: str, path: str, body: dict[str, Any], culprit: str
) -> None:
    response = await client.post(f"{conversation}/{path}", json=body)
    assert response.status_code == 422
    assert culprit in [error["field"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("append", {"content_chunk": ""}, 422),
        ("append", {"content_chunk": "x", "sequence": -1}, 422),
        ("append", {"content_chunk": "x", "sequence": 1}, 409),
        ("finish", {"status": "streaming"}, 422),
        ("finish", {"status": "gone"}, 422),
        ("thinking", {"content": "x", "progress": 1.5}, 422),
    ],
)
async def test_what_a_message_cannot_take_is_refused(
    client: httpx.AsyncClient, streaming: str, path: str, body: dict[str, Any], status: int
) -> None:
    assert (await client.post(f"{streaming}/{path}", json=body)).status_code == status


async def test_an_append_with_its_key_is_done_once(client: httpx.AsyncClient, streaming: str) -> None:
    for _ in range(3):
        await client.post(f"{streaming}/append", json={"content_chunk": "a"}, headers={"Idempotency-Key": "key-1"})
    assert (await client.get(streaming)).json()["content"] == "a"


async def test_unknown_conversations_and_messages_are_not_found(client: httpx.AsyncClient) -> None:
    message = {"role": "user", "content": "x"}
    assert (await client.get("/conversations/999/messages")).status_code == 404
    assert (await client.post("/conversations/999/messages", json=message)).status_code == 404
    assert (await client.post("/messages/999/append", json={"content_chunk": "x"})).status_code == 404
    assert (await client.post("/messages/999/thinking", json={"content": "x"})).status_code == 404


async def test_a_filter_that_takes_several_values_is_repeated(client: httpx.AsyncClient) -> None:
    for body in ({"tags": ["a", "b"]}, {"tags": ["a"]}, {}):
        assert (await client.post("/conversations", json={"page_name": "home", **body})).status_code == 201
    await client.post("/conversations/organize", json={"ids": [2], "is_archived": True})
    await client.delete("/conversations/3")

    async def found(query: str) -> list[int]:
        listed = await client.get(f"/conversations?order=oldest&{query}")
        counted = await client.get(f"/conversations/count?{query}")
        assert counted.json() == {"count": len(listed.json()["items"])}
        return [item["id"] for item in listed.json()["items"]]

    assert await found("status=archived&status=deleted") == [2, 3]
    assert await found("status=deleted") == [3]
    assert await found("tag=a&tag=b") == [1]
    assert await found("tag=a") == [1, 2]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=1&limit=2", "query.limit"),
        ("status=active&page_name=a&page_name=b", "query.page_name"),
        ("status=active&status=lost", "query.status.1"),
        ("status=active&status=active&status=active&status=active", "query.status"),
        ("tag=a&tag=a,b", "query.tag.1"),
        ("created_after=yesterday", "query.created_after"),
        ("order=random", "query.order"),
        ("is_pinned=maybe", "query.is_pinned"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_named(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/conversations?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_conversations_are_organised_at_once(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await client.post("/conversations", json={"page_name": "home"})
    body = {"ids": [1, 3], "folder": "Work", "add_tags": ["a"], "is_pinned": True}
    assert (await client.post("/conversations/organize", json=body)).json() == {"changed": [1, 3], "unchanged": []}
    listed = (await client.get("/conversations?order=pinned")).json()["items"]
    assert [(item["id"], item["folder"], item["tags"]) for item in listed] == [
        (3, "Work", ["a"]),
        (1, "Work", ["a"]),
        (2, None, []),
    ]
    assert (await client.get("/conversations/folders")).json() == {
        "items": [{"folder": "Work", "count": 2}],
        "total": 1,
    }
    assert (await client.get("/conversations/tags")).json() == {"items": [{"tag": "a", "count": 2}], "total": 1}
    assert (await client.post("/conversations/organize", json={"ids": [1], "folder": None})).json()["changed"] == [1]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"ids": [1, 999], "folder": "Work"}, 404, "ids.1"),
        ({"ids": [], "folder": "Work"}, 422, "body.ids"),
        ({"ids": [1], "is_pinned": None}, 422, "body.is_pinned"),
        ({"ids": [1], "add_tags": ["a,b"]}, 422, "body.add_tags.0"),
        ({"ids": [1], "folder": ""}, 422, "body.folder"),
        ({"ids": [1], "colour": "red"}, 422, "body.colour"),
    ],
)
async def test_a_change_that_cannot_be_made_is_named_and_changes_nothing(
    client: httpx.AsyncClient, conversation: str, body: dict[str, Any], status: int, field: str
) -> None:
    before = (await client.get(conversation)).json()
    answer = await client.post("/conversations/organize", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)
    assert (await client.get(conversation)).json() == before


@pytest.mark.parametrize("path", ["/daily-counts", "/todos/counts", "/vaults/counts", "/conversations/counts"])
async def test_days_are_counted_by_the_clock_of_the_caller(client: httpx.AsyncClient, path: str) -> None:
    query = {"start_date": "2026-03-28", "end_date": "2026-03-30", "time_zone": "Europe/Berlin"}
    await client.post("/conversations", json={"page_name": "home", "created_at": "2026-03-28T23:00:00Z"})
    days = (await client.get(path, params=query)).json()["days"]
    assert [day["day"] for day in days] == ["2026-03-28", "2026-03-29", "2026-03-30"]
    expected = [0, 1, 0] if path in {"/daily-counts", "/conversations/counts"} else [0, 0, 0]
    assert [day.get("count", day.get("total")) for day in days] == expected
    refused = await client.get(path, params={**query, "time_zone": "Mars/Olympus"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "time_zone")
