"""Progress: live at once but not too often, stored now and then, and always the latest."""

import asyncio
import threading

from sidecar.extension import Extension, Running
from sidecar.models.jobs import JobStatus

from .conftest import Running as Run
from .conftest import until


async def test_many_reports_become_few_events_of_which_the_last_is_the_latest(run_jobs: Run) -> None:
    notes = Extension("notes")
    reported, free = threading.Event(), threading.Event()

    @notes.job()
    def count(job: Running) -> None:
        for number in range(100_000):
            job.progress(number + 1, 100_000, "counting")
        reported.set()
        free.wait()

    async with run_jobs(*notes.jobs) as bench:
        loop = asyncio.get_running_loop()
        began = loop.time()
        job = await bench.queue(count)
        await until(reported.is_set)
        await until(lambda: bool(bench.published) and bench.published[-1]["done"] == 100_000)
        took = loop.time() - began
        shown = bench.runner.with_progress(await bench.storage.get_job(job.id))
        free.set()
        await bench.until(job.id)
    assert 1 <= len(bench.published) <= took / 0.02 + 2
    assert bench.published[-1] == {
        "id": job.id,
        "name": "notes.count",
        "status": JobStatus.RUNNING,
        "done": 100_000,
        "total": 100_000,
        "message": "counting",
        "is_cancelling": False,
    }
    assert (shown.done, shown.total, shown.message) == (100_000, 100_000, "counting")


async def test_progress_is_stored_for_a_sidecar_that_crashes(run_jobs: Run) -> None:
    notes = Extension("notes")

    @notes.job()
    async def count(job: Running) -> None:
        number = 0
        while True:
            number += 1
            job.progress(number)
            await asyncio.sleep(0.01)

    async with run_jobs(*notes.jobs) as bench:
        job = await bench.queue(count)
        await bench.until(job.id, lambda job: job.done > 0)
