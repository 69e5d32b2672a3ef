"""Histories over HTTP: a chat app moves in with one request."""

from typing import Any

import httpx

BEGUN = "2023-11-14T22:13:20.000Z"


def chat(number: int, messages: int) -> dict[str, Any]:
    """A conversation whose messages form a tree: each third one has a sibling."""
    texts = [
        {
            "role": "user" if place % 2 == 0 else "assistant",
            "content": f"message {place}",
            "external_id": f"m{place}",
            "created_at": BEGUN,
            **({"parent_index": place - 1 - (place > 1 and place % 3 == 0)} if place else {}),
            **({"model": "large", "prompt_tokens": 2, "cost": 0.25} if place % 2 else {}),
            **({"thinking": [{"content": "hm"}]} if place % 10 == 1 else {}),
        }
        for place in range(messages)
    ]
    return {"page_name": "chat", "source": "elsewhere", "external_id": f"c{number}", "messages": texts}


async def test_chats_with_their_branches_move_in_with_one_request(client: httpx.AsyncClient) -> None:
    chats = {"conversations": [chat(number, 20) for number in range(8)]}
    first = await client.post("/conversations/import", json=chats)
    assert first.status_code == 201
    assert sum(item["messages_added"] for item in first.json()["items"]) == 160
    again = (await client.post("/conversations/import", json=chats)).json()["items"]
    assert sum(item["messages_unchanged"] for item in again) == 160
    found = await client.get("/conversations", params={"source": "elsewhere", "external_id": "c7"})
    (conversation,) = found.json()["items"]
    assert conversation["created_at"] == BEGUN
    path = f"/conversations/{conversation['id']}/messages"
    messages = (await client.get(path)).json()["items"]
    places = {message["id"]: place for place, message in enumerate(messages)}
    parents = [places.get(message["parent_message_id"]) for message in messages]
    assert parents[:7] == [None, 0, 1, 1, 3, 4, 4]
    assert [step["content"] for step in messages[1]["thinking"]] == ["hm"]
    (by_name,) = (await client.get(path, params={"external_id": "m5"})).json()["items"]
    assert by_name["content"] == "message 5"


async def test_usage_of_imported_messages_is_summed(client: httpx.AsyncClient) -> None:
    await client.post("/conversations/import", json={"conversations": [chat(1, 10), chat(2, 4)]})
    report = (await client.get("/messages/usage", params={"group_by": "day,conversation,model"})).json()
    assert [(item["day"], item["model"], item["messages"], item["cost"]) for item in report["items"]] == [
        ("2023-11-14", "large", 5, 1.25),
        ("2023-11-14", "large", 2, 0.5),
    ]
    assert report["totals"] == {"messages": 7, "prompt_tokens": 14, "completion_tokens": 0, "cost": 1.75}
    refused = await client.get("/messages/usage", params={"group_by": "week"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "query.group_by")


async def test_a_refused_parent_is_named_with_its_place(client: httpx.AsyncClient) -> None:
    wrong = {**chat(1, 1), "messages": [{"role": "user", "content": "x", "parent_external_id": "nobody"}]}
    response = await client.post("/conversations/import", json={"conversations": [chat(0, 1), wrong]})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "conversations.1.messages.0.parent_external_id"
    assert (await client.get("/conversations")).json()["items"] == []


async def test_a_message_is_created_as_its_parts(client: httpx.AsyncClient) -> None:
    conversation = (await client.post("/conversations", json={"page_name": "chat"})).json()["id"]
    parts = [{"type": "text", "text": "look"}, {"type": "image", "reference": "file-1", "name": None}]
    path = f"/conversations/{conversation}/messages"
    message = await client.post(path, json={"role": "user", "parts": parts})
    assert (message.status_code, message.json()["content"], message.json()["parts"]) == (201, "look", parts)
    wrong = await client.post(path, json={"role": "user", "parts": [{"type": "image", "data": "bytes"}]})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"].startswith("body.parts.0.image")
