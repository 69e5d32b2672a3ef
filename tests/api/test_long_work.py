"""Long work of operations as jobs: with and without `Prefer: respond-async`, over both lanes."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from sidecar.api.events import EventHub
from sidecar.api.exports import Exports, KeptFile
from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings
from sidecar.errors import DiskFull, NotFound
from sidecar.storage.interfaces import Work
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.conftest import URL
from tests.contexts import context_over
from tests.lanes import served

ASYNC = {"Prefer": "respond-async"}
PATIENCE_S = 20.0


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    async with UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)]) as storage:
        yield storage


@pytest.fixture(params=["fast", "fastapi"])
async def client(storage: UnifiedStorage, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    context = context_over(storage, EventHub("test-instance", SYSTEM_CLOCK))
    context.jobs.start()
    transport = httpx.ASGITransport(served(context, request.param))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield client
    await context.jobs.close()
    context.exports.close()


async def finished(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    """Return the job when it is finished."""
    async with asyncio.timeout(PATIENCE_S):
        while job["finished_at"] is None:
            await asyncio.sleep(0.01)
            job = (await client.get(f"/jobs/{job['id']}")).json()
    return job


async def jobs(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    """Return the name and the status of each job, the oldest first."""
    return [(job["name"], job["status"]) for job in reversed((await client.get("/jobs")).json()["items"])]


async def accepted(answering: Awaitable[httpx.Response]) -> dict[str, Any]:
    """Return the job with which a request is answered."""
    answer = await answering
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/jobs/{job['id']}"
    assert answer.headers["Preference-Applied"] == "respond-async"
    return job


async def test_an_operation_answers_as_ever_and_leaves_a_job(client: httpx.AsyncClient) -> None:
    made = await client.post("/backups", json={"reason": "by-hand"})
    assert (made.status_code, made.json()["reason"]) == (201, "by-hand")
    assert "Preference-Applied" not in made.headers
    (job,) = (await client.get("/jobs")).json()["items"]
    assert (job["name"], job["status"], job["arguments"]) == ("backups.create", "done", {"reason": "by-hand"})
    assert job["result"] == made.json()
    assert job["done"] == job["total"] == 3 * made.json()["bytes"]


@pytest.mark.parametrize("prefer", ["respond-async", "wait=5, Respond-Async;x=1", "return=minimal,respond-async"])
async def test_a_caller_may_prefer_the_job(client: httpx.AsyncClient, prefer: str) -> None:
    job = await accepted(client.post("/backups", json={}, headers={"Prefer": prefer}))
    assert (job["name"], job["result"]) == ("backups.create", None)
    done = await finished(client, job)
    assert done["status"] == "done"
    assert [done["result"]] == (await client.get("/backups")).json()["items"]


@pytest.mark.parametrize("prefer", ["", "respond-asynchronously", "wait=5", "x=respond-async"])
async def test_other_preferences_are_ignored(client: httpx.AsyncClient, prefer: str) -> None:
    assert (await client.post("/backups", json={}, headers={"Prefer": prefer})).status_code == 201


async def test_an_operation_without_long_work_ignores_the_preference(client: httpx.AsyncClient) -> None:
    assert (await client.post("/tips", json={"content": "one"}, headers=ASYNC)).status_code == 201
    assert await jobs(client) == []


async def test_wrong_input_is_refused_before_a_job_is_made(client: httpx.AsyncClient) -> None:
    assert (await client.post("/backups", json={"reason": "No!"}, headers=ASYNC)).status_code == 422
    assert await jobs(client) == []


async def test_a_request_that_is_sent_again_gets_the_same_job(client: httpx.AsyncClient) -> None:
    headers = ASYNC | {"Idempotency-Key": "once"}
    first = await accepted(client.post("/backups", json={}, headers=headers))
    await finished(client, first)
    again = await accepted(client.post("/backups", json={}, headers=headers))
    assert (again["id"], again["status"]) == (first["id"], "done")
    assert len((await client.get("/backups")).json()["items"]) == 1
    assert (await client.post("/backups", json={"reason": "other"}, headers=headers)).status_code == 409


async def test_failed_work_is_a_failed_job(client: httpx.AsyncClient) -> None:
    assert (await client.post("/backups/none.db/verify")).status_code == 404
    job = await finished(client, await accepted(client.post("/backups/none.db/verify", headers=ASYNC)))
    assert (job["status"], job["error_code"]) == ("failed", "not_found")
    assert await jobs(client) == [("backups.verify", "failed")] * 2


async def test_a_backup_can_be_cancelled(client: httpx.AsyncClient) -> None:
    await client.post("/tips", json={"content": "x" * 900_000})
    for _ in range(20):
        await client.post("/tips", json={"content": "x" * 900_000})
    job = await accepted(client.post("/backups", json={}, headers=ASYNC))
    await client.post(f"/jobs/{job['id']}/cancel")
    assert (await finished(client, job))["status"] == "cancelled"
    assert (await client.get("/backups")).json()["items"] == []


class TestRestores:
    async def test_the_job_of_a_restore_is_done_in_the_restored_store(self, client: httpx.AsyncClient) -> None:
        backup = (await client.post("/backups", json={})).json()
        await client.post("/tips", json={"content": "later"})
        headers = ASYNC | {"Idempotency-Key": "once"}
        restore = f"/backups/{backup['name']}/restore"
        job = await finished(client, await accepted(client.post(restore, headers=headers)))
        assert (job["status"], job["result"]["restored"]["name"]) == ("done", backup["name"])
        assert job["result"]["kept"]["reason"] == "before-restore"
        # The backup holds its own job, as it was then.
        assert await jobs(client) == [("backups.create", "interrupted"), ("backups.restore", "done")]
        await client.post("/tips", json={"content": "after"})
        assert (await accepted(client.post(restore, headers=headers)))["id"] == job["id"]
        assert [tip["content"] for tip in (await client.get("/tips")).json()["items"]] == ["after"]

    async def test_a_restore_that_is_waited_for_leaves_its_job_too(self, client: httpx.AsyncClient) -> None:
        backup = (await client.post("/backups", json={})).json()
        restore, headers = f"/backups/{backup['name']}/restore", {"Idempotency-Key": "once"}
        first = (await client.post(restore, headers=headers)).json()
        assert first["restored"]["name"] == backup["name"]
        assert (await client.post(restore, headers=headers)).json() == first
        assert [status for name, status in await jobs(client) if name == "backups.restore"] == ["done", "done"]

    async def test_a_job_keeps_its_id_beside_those_of_the_backup(
        self, client: httpx.AsyncClient, storage: UnifiedStorage
    ) -> None:
        for _ in range(5):
            await client.post("/backups/none.db/verify")
        backup = (await client.post("/backups", json={})).json()

        def forget(work: Work) -> None:
            work.connection.execute("DELETE FROM jobs")
            work.connection.execute("DELETE FROM sqlite_sequence WHERE name = 'jobs'")

        await storage.write(forget)
        job = await accepted(client.post(f"/backups/{backup['name']}/restore", headers=ASYNC))
        assert job["id"] == 1
        assert (await finished(client, job))["status"] == "done"
        items = (await client.get("/jobs")).json()["items"]
        assert len(items) == len({item["id"] for item in items}) == 7
        assert (await client.get("/jobs/1")).json()["name"] == "backups.restore"


class TestExports:
    async def test_an_export_is_a_job_with_its_rows(self, client: httpx.AsyncClient) -> None:
        await client.post("/tips", json={"content": "one"})
        archive = await client.get("/transfer/export")
        with ZipFile(io.BytesIO(archive.content)) as members:
            assert "tips.jsonl" in members.namelist()
        (job,) = (await client.get("/jobs")).json()["items"]
        assert (job["name"], job["status"]) == ("transfer.export", "done")
        assert job["result"]["rows"]["tips"] == 1
        assert job["result"]["bytes"] == len(archive.content)
        assert job["done"] == job["total"] == sum(job["result"]["rows"].values())

    async def test_the_archive_of_a_job_is_fetched_as_often_as_wanted(self, client: httpx.AsyncClient) -> None:
        await client.post("/tips", json={"content": "one"})
        job = await finished(client, await accepted(client.get("/transfer/export", headers=ASYNC)))
        fetched = await asyncio.gather(*(client.get(f"/transfer/exports/{job['id']}") for _ in range(3)))
        assert {answer.headers["Content-Length"] for answer in fetched} == {str(job["result"]["bytes"])}
        assert len({answer.content for answer in fetched}) == 1
        await client.delete("/tips/1")
        imported = await client.post(
            "/transfer/import", content=fetched[0].content, headers={"Content-Type": "application/zip"}
        )
        assert imported.json()["kinds"]["tips"]["added"] == 1

    async def test_there_is_no_archive_of_another_job(self, client: httpx.AsyncClient) -> None:
        job = await finished(client, await accepted(client.post("/backups", json={}, headers=ASYNC)))
        answer = await client.get(f"/transfer/exports/{job['id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    async def test_few_archives_are_kept(self) -> None:
        exports = Exports(most_kept=2)
        files = [io.BytesIO(b"x") for _ in range(3)]
        for number, file in enumerate(files, 1):
            exports.keep(number, KeptFile(file))
        held = exports.take(2)
        with pytest.raises(NotFound):
            exports.take(1)
        exports.close()
        assert [file.closed for file in files] == [True, False, True]
        assert [block async for block in held.blocks()] == [b"x"]
        assert files[1].closed

    async def test_an_archive_expires(self) -> None:
        exports, file = Exports(kept_s=0.01), io.BytesIO(b"x")
        exports.keep(1, KeptFile(file))
        async with asyncio.timeout(PATIENCE_S):
            while not file.closed:  # noqa: ASYNC110 - a timer closes it
                await asyncio.sleep(0.005)
        with pytest.raises(NotFound):
            exports.take(1)


class TestImports:
    async def archive(self, client: httpx.AsyncClient) -> bytes:
        await client.post("/tips", json={"content": "one"})
        archive = (await client.get("/transfer/export")).content
        await client.delete("/tips/1")
        return archive

    async def test_an_import_takes_the_archive_and_goes_on(self, client: httpx.AsyncClient) -> None:
        content = await self.archive(client)
        headers = ASYNC | {"Content-Type": "application/zip", "Idempotency-Key": "once"}
        job = await accepted(client.post("/transfer/import", content=content, headers=headers))
        done = await finished(client, job)
        assert (done["status"], done["result"]["kinds"]["tips"]["added"]) == ("done", 1)
        assert done["done"] == done["total"]
        again = await accepted(client.post("/transfer/import", content=content, headers=headers))
        assert again["id"] == job["id"]
        other = await client.post("/transfer/import", content=content[:-1], headers=headers)
        assert other.status_code == 409

    async def test_a_damaged_archive_is_a_failed_job(self, client: httpx.AsyncClient) -> None:
        headers = {"Content-Type": "application/zip"}
        assert (await client.post("/transfer/import", content=b"no", headers=headers)).status_code == 422
        job = await accepted(client.post("/transfer/import", content=b"no", headers=headers | ASYNC))
        assert (await finished(client, job))["error_code"] == "archive_refused"


class TestStoresThatTakeNoWrites:
    """A rescue needs no job."""

    @pytest.fixture
    def full(self, storage: UnifiedStorage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        """Have the writes of jobs fail from then on."""

        async def fail(*_: Any, **__: Any) -> None:
            raise DiskFull("The disk is full; free some space.")

        def fill() -> None:
            for name in ("create_job", "finish_job", "save_job_progress"):
                monkeypatch.setattr(storage, name, fail)

        return fill

    @pytest.mark.parametrize("headers", [{}, ASYNC])
    async def test_backup_export_and_restore_work(
        self, client: httpx.AsyncClient, full: Callable[[], None], headers: dict[str, str]
    ) -> None:
        full()
        backup = await client.post("/backups", json={}, headers=headers)
        assert backup.status_code == 201
        assert (await client.get("/transfer/export", headers=headers)).status_code == 200
        restore = f"/backups/{backup.json()['name']}/restore"
        assert (await client.post(restore, headers=headers)).status_code == 200

    async def test_an_answer_does_not_wait_for_its_job_to_be_stored(
        self, client: httpx.AsyncClient, storage: UnifiedStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        finish, refusals = storage.finish_job, 0

        async def fail(*arguments: Any, **named: Any) -> Any:
            nonlocal refusals
            refusals += 1
            if refusals == 1:
                raise DiskFull("The disk is full; free some space.")
            return await finish(*arguments, **named)

        monkeypatch.setattr(storage, "finish_job", fail)
        assert (await client.post("/backups", json={})).status_code == 201
        (job,) = (await client.get("/jobs")).json()["items"]
        assert job["status"] == "running"
        assert (await finished(client, job))["status"] == "done"
        assert refusals == 2


class TestTheSearchIndex:
    async def test_a_rebuild_answers_at_once_and_goes_on_as_a_job(self, client: httpx.AsyncClient) -> None:
        await client.post("/tips", json={"content": "walrus"})
        answer = await client.post("/search/rebuild")
        assert (answer.status_code, answer.content) == (204, b"")
        (job,) = (await client.get("/jobs")).json()["items"]
        done = await finished(client, job)
        assert (done["name"], done["status"], done["result"]) == ("search.rebuild", "done", None)
        assert done["done"] == done["total"] > 0
        found = (await client.get("/search", params={"q": "walrus"})).json()
        assert (len(found["items"]), found["complete"]) == (1, True)

    async def test_a_rebuild_that_prefers_the_job(self, client: httpx.AsyncClient) -> None:
        await client.post("/tips", json={"content": "walrus"})
        job = await finished(client, await accepted(client.post("/search/rebuild", headers=ASYNC)))
        assert job["status"] == "done"
        assert len((await client.get("/search", params={"q": "walrus"})).json()["items"]) == 1


def test_the_document_says_what_the_header_does(tmp_path: Path) -> None:
    from sidecar.api.app import openapi_document

    document = openapi_document()
    with_job = {
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if "202" in operation["responses"]
    }
    assert with_job == {
        "backups.create",
        "backups.restore",
        "backups.verify",
        "search.rebuild",
        "transfer.export",
        "transfer.import",
    }
    for item in document["paths"].values():
        for operation in item.values():
            names = [parameter["name"] for parameter in operation.get("parameters", [])]
            assert ("Prefer" in names) == (operation["operationId"] in with_job)
