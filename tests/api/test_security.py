"""Who may speak to the sidecar."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.conftest import MAX_BODY_BYTES, PORT, TOKEN


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        f"bearer {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN} ",
    ],
)
async def test_without_the_token_nothing_is_answered(client: httpx.AsyncClient, authorization: str | None) -> None:
    del client.headers["Authorization"]
    headers = {} if authorization is None else {"Authorization": authorization}
    response = await client.get("/todos", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in response.text


async def test_a_token_in_the_url_is_none(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    assert (await client.get("/todos", params={"token": TOKEN, "access_token": TOKEN})).status_code == 401


async def test_an_unknown_path_is_not_told_without_the_token(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    assert (await client.get("/nothing")).status_code == 401
    assert (await client.get("/openapi.json")).status_code == 401


async def test_liveness_alone_needs_no_token(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.post("/health/live")).status_code == 401
    assert (await client.get("/health/ready")).status_code == 401


@pytest.mark.parametrize(
    "host",
    [f"localhost:{PORT}", "127.0.0.1", f"evil.example:{PORT}", f"127.0.0.1:{PORT + 1}", "", f"127.0.0.1:{PORT}."],
)
async def test_another_host_is_refused_also_where_no_token_is_needed(client: httpx.AsyncClient, host: str) -> None:
    for path in ("/todos", "/health/live"):
        response = await client.get(path, headers={"Host": host})
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "file://", f"http://127.0.0.1:{PORT}", ""])
async def test_a_request_of_a_page_is_refused(client: httpx.AsyncClient, origin: str) -> None:
    for path in ("/todos", "/health/live"):
        response = await client.get(path, headers={"Origin": origin})
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers


async def test_a_preflight_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert (await client.options("/todos", headers=headers)).status_code == 403


async def test_a_header_that_decides_may_not_be_given_twice(client: httpx.AsyncClient) -> None:
    headers = httpx.Headers([("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer other")])
    response = await client.get("/todos", headers=headers)
    assert response.status_code in (401, 403)


async def test_a_body_above_the_limit_is_refused_by_its_length(client: httpx.AsyncClient) -> None:
    response = await client.post("/tips", json={"content": "x" * MAX_BODY_BYTES})
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


async def test_a_body_above_the_limit_is_refused_while_it_comes(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'{"content": "'
        for _ in range(MAX_BODY_BYTES // 1024 + 1):
            yield b"x" * 1024

    response = await client.post("/tips", content=endless(), headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


async def test_a_body_at_the_limit_passes(client: httpx.AsyncClient) -> None:
    body = b'{"content":"' + b"x" * (MAX_BODY_BYTES - 14) + b'"}'
    assert len(body) == MAX_BODY_BYTES
    response = await client.post("/tips", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 201


@pytest.mark.parametrize("length", ["-1", "1e3", "abc"])
async def test_a_length_that_is_none_is_refused(client: httpx.AsyncClient, length: str) -> None:
    response = await client.get("/todos", headers={"Content-Length": length})
    assert response.status_code == 413
