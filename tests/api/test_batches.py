"""Batches over HTTP: what they take, what they answer, and what a wrong row does."""

from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from sidecar.models.base import MAX_BATCH
from sidecar.models.tips import TipBatch

EARLY, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T17:00:00.000Z"

BATCHES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "todos": ("/todos/batch", "/todos", {"content": "x"}),
    "activities": (
        "/activities/batch",
        "/activities",
        {"title": "x", "content": "", "start_time": EARLY, "end_time": LATE},
    ),
    "tips": ("/tips/batch", "/tips", {"content": "x"}),
    "vaults": ("/vaults/batch", "/vaults", {"title": "x"}),
    "conversations": ("/conversations/batch", "/conversations", {"page_name": "x"}),
    "messages": (
        "/conversations/1/messages/batch",
        "/conversations/1/messages",
        {"role": "user", "content": "x"},
    ),
    "thinking": ("/messages/1/thinking/batch", "/messages/1/thinking", {"content": "x"}),
}
"""Where each kind is sent and listed, and a row of it."""


@pytest.fixture
async def client(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a store with a conversation and a message in it."""
    await client.post("/conversations", json={"page_name": "home"})
    await client.post("/conversations/1/messages", json={"role": "user", "content": "question"})
    return client


async def listed(client: httpx.AsyncClient, path: str) -> list[int]:
    return sorted(item["id"] for item in (await client.get(path)).json()["items"])


@pytest.mark.parametrize(("name", "path", "list_path", "row"), [(name, *each) for name, each in BATCHES.items()])
async def test_a_batch_answers_the_ids_and_its_rows_are_there(
    client: httpx.AsyncClient, name: str, path: str, list_path: str, row: dict[str, Any]
) -> None:
    before = await listed(client, list_path)
    response = await client.post(path, json={name: [row, row, row]})
    assert response.status_code == 201
    (ids,) = response.json().values()
    assert len(ids) == 3
    assert await listed(client, list_path) == [*before, *ids]


@pytest.mark.parametrize(("name", "path", "list_path", "row"), [(name, *each) for name, each in BATCHES.items()])
async def test_a_batch_that_is_sent_again_with_its_key_is_done_once(
    client: httpx.AsyncClient, name: str, path: str, list_path: str, row: dict[str, Any]
) -> None:
    headers = {"Idempotency-Key": "key-1"}
    first, second = [await client.post(path, json={name: [row, row]}, headers=headers) for _ in range(2)]
    assert (first.status_code, first.content) == (second.status_code, second.content)
    rows = await listed(client, list_path)
    other = await client.post(path, json={name: [row]}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert await listed(client, list_path) == rows


@pytest.mark.parametrize(
    ("name", "wrong", "status", "culprit"),
    [
        ("todos", {"content": ""}, 422, "body.todos.2.content"),
        ("todos", {"content": "x", "start_time": LATE, "end_time": EARLY}, 422, "todos.2.end_time"),
        ("vaults", {"title": "x", "parent_id": 999}, 404, "vaults.2"),
        ("messages", {"role": "user", "content": "x", "parent_message_id": 999}, 404, "messages.2"),
        ("thinking", {"content": "x", "progress": 2}, 422, "body.thinking.2.progress"),
    ],
)
async def test_a_wrong_row_is_named_and_no_row_is_kept(
    client: httpx.AsyncClient, name: str, wrong: dict[str, Any], status: int, culprit: str
) -> None:
    path, list_path, row = BATCHES[name]
    before = await listed(client, list_path)
    response = await client.post(path, json={name: [row, row, wrong, row]})
    problem = response.json()
    assert (response.status_code, [error["field"] for error in problem["errors"]]) == (status, [culprit])
    assert culprit in problem["detail"]
    assert await listed(client, list_path) == before


async def test_only_the_first_wrong_row_is_named(client: httpx.AsyncClient) -> None:
    response = await client.post("/tips/batch", json={"tips": [{"content": "x"}, {"text": "y"}, {}, {}]})
    assert {error["field"] for error in response.json()["errors"]} == {"body.tips.1.content", "body.tips.1.text"}


def test_too_many_rows_are_refused_before_any_is_stored() -> None:
    rows = [{"content": "x"}] * MAX_BATCH
    assert len(TipBatch.model_validate({"tips": rows}).tips) == MAX_BATCH
    with pytest.raises(ValidationError, match="at most 10000 items"):
        TipBatch.model_validate({"tips": [*rows, rows[0]]})
