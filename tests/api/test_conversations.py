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
