"""The operations of jobs, over a store with jobs of every status."""

import httpx
import pytest

from sidecar.models.jobs import JobProgress, JobStatus
from sidecar.storage.unified import UnifiedStorage


@pytest.fixture
async def job_ids(storage: UnifiedStorage) -> dict[str, int]:
    """The ids of two queued jobs, one that is running elsewhere, and one that is done."""
    queued = await storage.create_job("notes.import", {"deck": 1})
    other = await storage.create_job("notes.index")
    running = await storage.create_job("notes.import", run="runner-1")
    done = await storage.create_job("notes.import", run="runner-2")
    await storage.finish_job(done.id, "runner-2", JobStatus.DONE, JobProgress(done=2, total=2), {"cards": 2})
    return {"queued": queued.id, "other": other.id, "running": running.id, "done": done.id}


async def listed(client: httpx.AsyncClient, **query: str | int) -> list[int]:
    answer = await client.get("/jobs", params=query)
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()["items"]]


async def test_jobs_are_listed_the_newest_first_by_status_and_name(
    client: httpx.AsyncClient, job_ids: dict[str, int]
) -> None:
    queued, other, running, done = job_ids.values()
    assert await listed(client) == [done, running, other, queued]
    assert await listed(client, status="queued") == [other, queued]
    assert await listed(client, name="notes.import") == [done, running, queued]
    assert await listed(client, name="notes.import", status="done") == [done]
    first = (await client.get("/jobs", params={"limit": 3, "with_total": "true"})).json()
    assert first["total"] == 4
    assert await listed(client, cursor=first["next_cursor"]) == [queued]
    assert (await client.get("/jobs", params={"status": "paused"})).status_code == 422


async def test_a_job_has_its_result(client: httpx.AsyncClient, job_ids: dict[str, int]) -> None:
    job = (await client.get(f"/jobs/{job_ids['done']}")).json()
    assert (job["status"], job["result"], job["done"], job["total"]) == ("done", {"cards": 2}, 2, 2)
    assert (await client.get("/jobs/99")).status_code == 404


async def test_a_cancellation_is_done_once_for_its_key(client: httpx.AsyncClient, job_ids: dict[str, int]) -> None:
    path = f"/jobs/{job_ids['queued']}/cancel"
    answers = [await client.post(path, headers={"Idempotency-Key": "same"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["status"] == "cancelled"
    refused = await client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


async def test_finished_jobs_go_with_their_upkeep(client: httpx.AsyncClient, storage: UnifiedStorage) -> None:
    old = await storage.create_job("notes.import", run="runner-1")
    await storage.finish_job(old.id, "runner-1", JobStatus.DONE, JobProgress())
    await storage.write(
        lambda work: work.connection.execute("UPDATE jobs SET finished_at = '2020-01-01T00:00:00.000Z'").rowcount
    )
    young = await storage.create_job("notes.import", run="runner-1")
    await storage.finish_job(young.id, "runner-1", JobStatus.DONE, JobProgress())
    run = (await client.post("/upkeep/run", json={"task": "jobs"})).json()
    assert (run["did"], run["error"]) == ({"removed": 1}, None)
    assert await listed(client) == [young.id]
