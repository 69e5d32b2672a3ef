"""`conversations.export` and the import of what it gives, over HTTP."""

import json
from typing import Any

import httpx
import pytest

from sidecar.models.transcripts import MAX_TRANSCRIPTS
from sidecar.storage.unified import UnifiedStorage

PATH = "/conversations/export"


async def talk(client: httpx.AsyncClient, title: str = "A <talk>: one/two") -> int:
    """A conversation with a question, and two answers to it."""
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "why?", "external_id": "q"},
        {"role": "assistant", "content": "because", "parent_external_id": "q", "thinking": [{"content": "hm"}]},
        {"role": "assistant", "content": "<script>", "parent_external_id": "q"},
    ]
    body = {"conversations": [{"page_name": "home", "title": title, "messages": messages}]}
    response = await client.post("/conversations/import", json=body)
    assert response.status_code == 201, response.text
    conversation_id: int = response.json()["items"][0]["conversation_id"]
    return conversation_id


async def document(client: httpx.AsyncClient, *ids: int, **query: str) -> dict[str, Any]:
    response = await client.get(PATH, params={"ids": ",".join(map(str, ids)), **query})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_a_document_has_a_format_a_type_a_name_and_a_content(client: httpx.AsyncClient) -> None:
    found = await document(client, await talk(client))
    assert (found["format"], found["media_type"], found["file_name"]) == (
        "markdown",
        "text/markdown",
        "A _talk__ one_two.md",
    )
    assert "*Branch: it follows message 1, instead of message 3.*" in found["content"]


async def test_html_holds_what_people_wrote_as_text(client: httpx.AsyncClient) -> None:
    found = await document(client, await talk(client), format="html")
    assert found["media_type"] == "text/html"
    assert "&lt;script&gt;" in found["content"]
    assert "<script" not in found["content"]


async def test_json_is_a_request_of_the_import(client: httpx.AsyncClient) -> None:
    first = await document(client, await talk(client), await talk(client), format="json")
    assert first["file_name"] == "Conversations.json"
    headers = {"Content-Type": "application/json"}
    imported = await client.post("/conversations/import", content=first["content"], headers=headers)
    ids = [item["conversation_id"] for item in imported.json()["items"]]
    assert [item["created"] for item in imported.json()["items"]] == [True, True]
    assert (await document(client, *ids, format="json"))["content"] == first["content"]


async def test_a_trial_of_an_import_changes_nothing(client: httpx.AsyncClient, storage: UnifiedStorage) -> None:
    body = {"conversations": [{"page_name": "home", "messages": [{"role": "user", "content": "word"}]}]}
    before = (await storage.get_conversation_list()).total
    headers = {"Idempotency-Key": "trial"}
    tried = await client.post("/conversations/import", json={**body, "dry_run": True}, headers=headers)
    assert (tried.status_code, tried.json()["items"][0]["messages_added"]) == (201, 1)
    assert (await storage.get_conversation_list()).total == before
    await client.post("/conversations/import", json=body, headers={"Idempotency-Key": "done"})
    assert (await storage.get_conversation_list()).total == (before or 0) + 1


async def test_conversations_come_in_the_order_of_the_request_and_once(client: httpx.AsyncClient) -> None:
    one, two = await talk(client, "one"), await talk(client, "two")
    content = (await document(client, two, one, two, format="json"))["content"]
    assert [each["title"] for each in json.loads(content)["conversations"]] == ["two", "one"]


async def test_a_missing_conversation_is_a_problem(client: httpx.AsyncClient) -> None:
    response = await client.get(PATH, params={"ids": "123"})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "query.ids"),
        ({"ids": ""}, "query.ids"),
        ({"ids": "1,"}, "query.ids"),
        ({"ids": "1 or 1"}, "query.ids"),
        ({"ids": "9" * 19}, "query.ids"),
        ({"ids": ",".join(["1"] * (MAX_TRANSCRIPTS + 1))}, "query.ids"),
        ({"ids": "1", "format": "pdf"}, "query.format"),
        ({"ids": "1", "title": "x"}, "query.title"),
    ],
)
async def test_a_wrong_request_names_its_field(client: httpx.AsyncClient, query: dict[str, str], field: str) -> None:
    response = await client.get(PATH, params=query)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]
