"""Jobs in the event loop and in threads: their queue, outcomes, progress and cancellation."""

import asyncio
import threading

import pytest
from pydantic import BaseModel

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.extension import Extension, Running, Work
from sidecar.models.jobs import Job, JobStatus
from sidecar.storage.unified import UnifiedStorage

from .conftest import Running as Run
from .conftest import until


class Deck(BaseModel):
    name: str
    cards: int


async def test_a_job_in_the_loop_and_one_in_a_thread_store_their_results(run_jobs: Run) -> None:
    notes = Extension("notes")
    threads: list[str] = []

    @notes.job()
    async def in_loop(job: Running, name: str, cards: int = 3) -> Deck:
        threads.append(threading.current_thread().name)
        return Deck(name=name, cards=cards)

    @notes.job()
    def in_thread(job: Running, deck: Deck) -> int:
        threads.append(threading.current_thread().name)
        return deck.cards * 2

    async with run_jobs(*notes.jobs) as bench:
        first = await bench.until((await bench.queue(in_loop, "sea")).id)
        second = await bench.until((await bench.queue(in_thread, deck=Deck(name="sea", cards=4))).id)
    assert (first.status, first.result) == (JobStatus.DONE, {"name": "sea", "cards": 3})
    assert (second.status, second.result, second.arguments) == (
        JobStatus.DONE,
        8,
        {"deck": {"name": "sea", "cards": 4}},
    )
    assert threads == ["MainThread", "job notes.in_thread"]
    assert (first.attempts, first.error, first.started_at is None) == (1, None, False)


async def test_a_job_is_queued_with_the_unit_that_adds_it_or_not_at_all(run_jobs: Run) -> None:
    notes = Extension("notes")

    @notes.job()
    async def work_hard(job: Running) -> None: ...

    def fail(work: Work) -> None:
        from sidecar.storage.resources.jobs import insert

        insert(work, work_hard.name, {})
        raise Conflict("no")

    async with run_jobs(*notes.jobs) as bench:
        with pytest.raises(Conflict):
            await bench.storage.write(fail)
        assert (await bench.storage.get_jobs()).items == []


async def test_built_in_work_is_a_job_while_it_runs_and_gives_its_own_result(run_jobs: Run) -> None:
    seen: list[Job] = []

    async with run_jobs() as bench:

        async def back_up(job: Running) -> Deck:
            job.progress(1, 3, "copying")
            assert job.id is not None
            seen.append(bench.runner.with_progress(await bench.storage.get_job(job.id)))
            return Deck(name="backup", cards=1)

        result = await bench.runner.run_now("backups.create", back_up, {"reason": "manual"})
        (job,) = (await bench.storage.get_jobs()).items
    assert result == Deck(name="backup", cards=1)
    assert (seen[0].status, seen[0].done, seen[0].total, seen[0].message) == (JobStatus.RUNNING, 1, 3, "copying")
    assert (job.status, job.result, job.arguments) == (JobStatus.DONE, result.model_dump(), {"reason": "manual"})
    assert (job.done, job.total) == (1, 3)


async def test_built_in_work_that_fails_raises_its_error_and_stores_it(run_jobs: Run) -> None:
    async def fail(job: Running) -> None:
        raise NotFound("There is no backup 'x'.")

    async with run_jobs() as bench:
        with pytest.raises(NotFound):
            await bench.runner.run_now("backups.verify", fail)
        (job,) = (await bench.storage.get_jobs()).items
    assert (job.status, job.error, job.error_code) == (JobStatus.FAILED, "There is no backup 'x'.", "not_found")


async def test_built_in_work_in_the_background_answers_at_once_and_can_be_cancelled(run_jobs: Run) -> None:
    async def wait(job: Running) -> None:
        await asyncio.Event().wait()

    async with run_jobs() as bench:
        job = await bench.runner.run_in_background("search.rebuild", wait)
        assert job.status is JobStatus.RUNNING
        await bench.runner.cancel(job.id)
        assert (await bench.until(job.id)).status is JobStatus.CANCELLED
        with pytest.raises(Conflict, match="cancelled already"):
            await bench.runner.cancel(job.id)
        with pytest.raises(NotFound):
            await bench.runner.cancel(job.id + 1)


async def test_a_progress_beyond_its_total_fails_the_job_readably(run_jobs: Run) -> None:
    notes = Extension("notes")

    @notes.job()
    def count(job: Running) -> None:
        job.progress(4, 3)

    async with run_jobs(*notes.jobs) as bench:
        job = await bench.until((await bench.queue(count)).id)
    assert job.status is JobStatus.FAILED
    assert job.error == (
        "The job notes.count failed with ValueError: the progress 4 of 3 of the job notes.count lies outside its total"
    )


async def test_a_thread_is_cancelled_where_it_asks(run_jobs: Run) -> None:
    notes = Extension("notes")
    begun = threading.Event()

    @notes.job()
    def long(job: Running) -> None:
        begun.set()
        while True:
            job.wait_for_cancellation(0.01)
            job.raise_if_cancelled()

    async with run_jobs(*notes.jobs) as bench:
        job = await bench.queue(long)
        await until(begun.is_set)
        assert (await bench.runner.cancel(job.id)).is_cancelling
        assert (await bench.until(job.id)).status is JobStatus.CANCELLED


async def test_arguments_that_do_not_fit_are_refused_when_a_job_is_queued() -> None:
    notes = Extension("notes")

    @notes.job()
    def count(job: Running, up_to: int) -> None: ...

    with pytest.raises(InvalidInput, match="up_to"):
        count.to_stored(up_to="many")
    with pytest.raises(InvalidInput, match="missing a required argument"):
        count.to_stored()


async def test_a_result_that_is_not_what_the_job_declares_fails_it(run_jobs: Run) -> None:
    notes = Extension("notes")

    @notes.job()
    def wrong(job: Running) -> int:
        return "many"  # type: ignore[return-value]

    @notes.job()
    def no_json(job: Running):  # type: ignore[no-untyped-def]
        return object()

    async with run_jobs(*notes.jobs) as bench:
        first = await bench.until((await bench.queue(wrong)).id)
        second = await bench.until((await bench.queue(no_json)).id)
    assert (first.status, second.status) == (JobStatus.FAILED, JobStatus.FAILED)
    assert "returned another type than it declares" in (first.error or "")
    assert "is not JSON" in (second.error or "")


async def test_storage_is_there(storage: UnifiedStorage, run_jobs: Run) -> None:
    notes = Extension("notes")

    @notes.job()
    def store(job: Running, text: str) -> int:
        return job.wait(job.storage.insert_tip(text)).id

    @store.then
    def store_more(work: Work, result: int) -> None:
        work.connection.execute("UPDATE tips SET content = 'more' WHERE id = ?", (result,))

    async with run_jobs(*notes.jobs) as bench:
        job = await bench.until((await bench.queue(store, "a tip")).id)
        assert (await storage.get_tip(int(str(job.result)))).content == "more"
