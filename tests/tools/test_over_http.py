"""The two operations over HTTP."""

import io
import zipfile

import httpx

from sidecar.storage.unified import UnifiedStorage
from tests.conftest import MAX_BODY_BYTES

from .conftest import OpenStore, archive_of, content_of, fill

ZIP = {"Content-Type": "application/zip"}


async def test_an_export_is_downloaded_and_imported(
    client: httpx.AsyncClient, storage: UnifiedStorage, open_store: OpenStore
) -> None:
    source = await open_store("source")
    await fill(source)
    archive = (await archive_of(source)).getvalue()
    tried = await client.post("/transfer/import", params={"dry_run": "true"}, content=archive, headers=ZIP)
    assert (tried.status_code, tried.json()["kinds"]["todos"]) == (200, {"added": 1, "skipped": 0, "set_aside": 0})
    await client.post("/transfer/import", content=archive, headers=ZIP)
    assert await content_of(storage) == await content_of(source)
    exported = await client.get("/transfer/export", params={"markdown": "true"})
    assert exported.headers["content-type"] == "application/zip"
    assert int(exported.headers["content-length"]) == len(exported.content)
    with zipfile.ZipFile(io.BytesIO(exported.content)) as zip_file:
        assert zip_file.testzip() is None
        assert "markdown/Quick Start.md" in zip_file.namelist()


async def test_a_damaged_archive_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.post("/transfer/import", content=b"nonsense", headers=ZIP)
    assert (answer.status_code, answer.json()["code"]) == (422, "archive_refused")


async def test_another_content_type_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/transfer/import", json={})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_the_same_key_again_answers_the_same(client: httpx.AsyncClient, open_store: OpenStore) -> None:
    source = await open_store("source")
    await fill(source)
    archive = (await archive_of(source)).getvalue()
    headers = {**ZIP, "Idempotency-Key": "once"}
    first, again = [(await client.post("/transfer/import", content=archive, headers=headers)).json() for _ in range(2)]
    assert first == again
    assert first["kinds"]["tips"] == {"added": 1, "skipped": 0, "set_aside": 0}


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/transfer/import", content=bytes(MAX_BODY_BYTES + 1), headers=ZIP)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
