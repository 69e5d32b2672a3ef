"""Preferences over HTTP."""

from urllib.parse import quote

import httpx
import pytest


async def test_a_preference_is_set_read_listed_and_deleted(client: httpx.AsyncClient) -> None:
    made = await client.put("/preferences/app/theme", json={"value": {"dark": True}})
    assert made.status_code == 200
    preference = made.json()
    assert {**preference, "updated_at": None} == {
        "invalid": [],
        "id": "app/theme",
        "namespace": "app",
        "name": "theme",
        "value": {"dark": True},
        "updated_at": None,
    }
    assert (await client.get("/preferences/app/theme")).json() == preference
    assert (await client.get("/preferences/app")).json() == {"items": [preference]}
    assert (await client.delete("/preferences/app/theme")).status_code == 204
    missing = await client.get("/preferences/app/theme")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


async def test_a_request_that_is_sent_again_with_its_key_is_done_once(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "once"}
    first = await client.put("/preferences/app/theme", json={"value": 1}, headers=headers)
    await client.put("/preferences/app/theme", json={"value": 2})
    again = await client.put("/preferences/app/theme", json={"value": 1}, headers=headers)
    assert again.content == first.content
    assert (await client.get("/preferences/app/theme")).json()["value"] == 2


@pytest.mark.parametrize("name", ["a/b", "..", " ", "日本", "100%", "?"])
async def test_any_text_is_a_name(client: httpx.AsyncClient, name: str) -> None:
    path = f"/preferences/app/{quote(name, safe='').replace('.', '%2E')}"
    assert (await client.put(path, json={"value": name})).json()["name"] == name
    assert (await client.get(path)).json()["value"] == name


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/preferences/Nobody/a", {"value": 1}, "path.namespace"),
        ("/preferences/nobody/a", {"value": 1}, "namespace"),
        (f"/preferences/app/{'x' * 201}", {"value": 1}, "path.name"),
        ("/preferences/app/a", {}, "body.value"),
        ("/preferences/app/a", {"value": 1, "more": 2}, "body.more"),
    ],
)
async def test_a_wrong_request_names_its_field(
    client: httpx.AsyncClient, path: str, body: dict[str, object], field: str
) -> None:
    refused = await client.put(path, json=body)
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, [field])
