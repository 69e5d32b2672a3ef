"""The queue: its order and bounds, retries, cancellation, and what a runner finds that another one left behind."""

import asyncio
import threading
from typing import Any

import pytest

from sidecar.errors import Conflict, DiskFull, StorageReadOnly
from sidecar.extension import Extension, Running
from sidecar.models.jobs import JobProgress, JobStatus
from sidecar.storage.interfaces import STORE_REPLACED
from sidecar.storage.resources.jobs import MAX_CRASHES
from sidecar.storage.unified import UnifiedStorage

from .conftest import Running as Run
from .conftest import until

DONE, QUEUED, RUNNING = JobStatus.DONE, JobStatus.QUEUED, JobStatus.RUNNING


class Gate:
    """Jobs that run until they are let through, and how many of them run."""

    def __init__(self, extension: Extension, **options: Any) -> None:
        self.begun: list[int] = []
        self.open = asyncio.Event()
        self.most = 0
        self._inside = 0

        @extension.job(**options)
        async def pass_gate(job: Running, number: int) -> int:
            self.begun.append(number)
            self._inside += 1
            self.most = max(self.most, self._inside)
            try:
                await self.open.wait()
            finally:
                self._inside -= 1
            return number

        self.kind = pass_gate


async def test_jobs_run_in_order_and_only_so_many_at_once(run_jobs: Run) -> None:
    notes = Extension("notes")
    gate = Gate(notes)
    async with run_jobs(*notes.jobs, at_once=2) as bench:
        jobs = [await bench.queue(gate.kind, number) for number in range(5)]
        await until(lambda: len(gate.begun) == 2)
        gate.open.set()
        for job in jobs:
            assert (await bench.until(job.id)).status is DONE
    assert (gate.begun, gate.most) == ([0, 1, 2, 3, 4], 2)


async def test_a_job_that_runs_leaves_the_other_places_to_jobs_of_its_kind(run_jobs: Run) -> None:
    notes = Extension("notes")
    gate = Gate(notes)
    async with run_jobs(*notes.jobs, at_once=2) as bench:
        for number in range(2):
            await bench.queue(gate.kind, number)
            await until(lambda: len(gate.begun) == number + 1)  # noqa: B023 - awaited before the next one
        gate.open.set()


async def test_a_kind_has_a_bound_of_its_own_that_leaves_room_for_others(run_jobs: Run) -> None:
    notes = Extension("notes")
    gate = Gate(notes, at_once=1)

    @notes.job()
    async def quick(job: Running) -> None: ...

    async with run_jobs(*notes.jobs, at_once=3) as bench:
        jobs = [await bench.queue(gate.kind, number) for number in range(3)]
        other = await bench.queue(quick)
        assert (await bench.until(other.id)).status is DONE
        assert gate.begun == [0]
        gate.open.set()
        for job in jobs:
            await bench.until(job.id)
    assert (gate.begun, gate.most) == ([0, 1, 2], 1)


async def test_a_job_that_fails_is_retried_and_keeps_its_last_error(run_jobs: Run) -> None:
    notes = Extension("notes")
    attempts: list[int] = []

    @notes.job(retries=2, retry_after_s=0.01)
    def fail_twice(job: Running) -> str:
        attempts.append(job.attempt)
        if job.attempt < 3:
            raise OSError("the line is down")
        return "up again"

    @notes.job(retries=1, retry_after_s=0.01)
    def fail_always(job: Running) -> None:
        raise OSError("the line is down")

    async with run_jobs(*notes.jobs) as bench:
        first = await bench.until((await bench.queue(fail_twice)).id)
        second = await bench.until((await bench.queue(fail_always)).id)
    assert (first.status, first.result, first.error, attempts) == (DONE, "up again", None, [1, 2, 3])
    assert (second.status, second.attempts) == (JobStatus.FAILED, 2)
    assert second.error == "The job notes.fail_always failed with OSError: the line is down"


async def test_a_job_that_waits_for_its_retry_can_be_cancelled(run_jobs: Run) -> None:
    notes = Extension("notes")

    @notes.job(retries=1, retry_after_s=60)
    def fail(job: Running) -> None:
        raise OSError("the line is down")

    async with run_jobs(*notes.jobs) as bench:
        job = await bench.queue(fail)
        await bench.until(job.id, lambda job: job.error is not None)
        assert (await bench.runner.cancel(job.id)).status is JobStatus.CANCELLED


async def test_a_queued_job_is_cancelled_at_once(run_jobs: Run) -> None:
    notes = Extension("notes")
    gate = Gate(notes)
    async with run_jobs(*notes.jobs, at_once=1) as bench:
        first, second = [await bench.queue(gate.kind, number) for number in range(2)]
        await until(lambda: gate.begun == [0])
        cancelled = await bench.runner.cancel(second.id)
        assert (cancelled.status, cancelled.finished_at is None) == (JobStatus.CANCELLED, False)
        gate.open.set()
        await bench.until(first.id)
    assert gate.begun == [0]


async def test_a_cancellation_reaches_the_runner_from_wherever_it_comes(run_jobs: Run) -> None:
    notes = Extension("notes")
    gate = Gate(notes)
    async with run_jobs(*notes.jobs) as bench:
        job = await bench.queue(gate.kind, 0)
        await until(lambda: gate.begun == [0])
        await bench.storage.cancel_job(job.id)
        assert (await bench.until(job.id)).status is JobStatus.CANCELLED


async def test_what_a_crash_left_running_is_repeated_or_interrupted(storage: UnifiedStorage, run_jobs: Run) -> None:
    notes = Extension("notes")

    @notes.job(is_repeatable=True)
    async def repeat(job: Running) -> int:
        return job.attempt

    @notes.job()
    async def once(job: Running) -> None: ...

    for name in ("notes.repeat", "notes.once"):
        await storage.create_job(name, is_repeatable=name == "notes.repeat", run="gone-1")
    cancelling = await storage.create_job("notes.repeat", is_repeatable=True, run="gone-2")
    await storage.cancel_job(cancelling.id)
    async with run_jobs(*notes.jobs) as bench:
        repeated, interrupted, cancelled = [await bench.until(number) for number in (1, 2, 3)]
    assert (repeated.status, repeated.result) == (DONE, 2)
    assert (interrupted.status, interrupted.error_code) == (JobStatus.INTERRUPTED, "interrupted")
    assert cancelled.status is JobStatus.CANCELLED


async def test_a_job_that_brings_the_sidecar_down_is_not_repeated_for_ever(storage: UnifiedStorage) -> None:
    job = await storage.create_job("notes.crash", is_repeatable=True, run="runner0-1")
    for number in range(1, MAX_CRASHES):
        assert await storage.recover_jobs(f"runner{number}") == 1
        (job,) = await storage.claim_jobs({"notes.crash": 1}, 1, f"runner{number}-1")
    assert await storage.recover_jobs("last") == 1
    job = await storage.get_job(job.id)
    assert job.status is JobStatus.INTERRUPTED
    assert job.error == "The sidecar ended unexpectedly 3 times while the job ran, so it is not run again."


async def test_a_runner_leaves_its_own_jobs_alone_when_it_recovers(storage: UnifiedStorage) -> None:
    await storage.create_job("backups.create", run="me-1")
    assert await storage.recover_jobs("me") == 0
    assert await storage.recover_jobs("m") == 1


async def test_jobs_whose_module_is_not_loaded_wait_and_health_names_them(
    storage: UnifiedStorage, run_jobs: Run
) -> None:
    await storage.create_job("notes.import_deck")
    async with run_jobs() as bench:
        await until(lambda: bench.runner.health()["jobs"].detail is not None)
        health = bench.runner.health()["jobs"]
    assert health.ok
    assert health.detail == "queued until their module is loaded: notes.import_deck (1)"
    assert (await storage.get_job(1)).status is QUEUED


async def test_a_stop_queues_what_is_repeatable_and_interrupts_the_rest(run_jobs: Run) -> None:
    notes = Extension("notes")
    begun: list[str] = []

    @notes.job(is_repeatable=True)
    async def repeat(job: Running) -> None:
        begun.append("repeat")
        await asyncio.Event().wait()

    @notes.job()
    def once(job: Running) -> None:
        begun.append("once")
        job.wait_for_cancellation(60)
        job.raise_if_cancelled()

    async with run_jobs(*notes.jobs) as bench:
        jobs = [await bench.queue(kind) for kind in (repeat, once)]
        await until(lambda: len(begun) == 2)
    repeated, interrupted = [await bench.storage.get_job(job.id) for job in jobs]
    assert (repeated.status, repeated.error) == (QUEUED, None)
    assert (interrupted.status, interrupted.error) == (
        JobStatus.INTERRUPTED,
        "The sidecar was stopped while the job ran.",
    )


async def test_a_thread_that_does_not_end_keeps_no_stop(run_jobs: Run) -> None:
    notes = Extension("notes")
    begun, free = threading.Event(), threading.Event()

    @notes.job(is_repeatable=True)
    def deaf(job: Running) -> None:
        begun.set()
        free.wait()

    async with run_jobs(*notes.jobs) as bench:
        job = await bench.queue(deaf)
        await until(begun.is_set)
    assert (await bench.storage.get_job(job.id)).status is QUEUED
    free.set()


async def test_a_restore_ends_the_jobs_of_the_store_that_it_replaces(storage: UnifiedStorage, run_jobs: Run) -> None:
    notes = Extension("notes")
    gate = Gate(notes, is_repeatable=True)
    async with run_jobs(*notes.jobs, at_once=1) as bench:
        jobs = [await bench.queue(gate.kind, number) for number in range(2)]
        await until(lambda: gate.begun == [0])
        assert await storage.interrupt_jobs() == 2
        bench.runner._on_changes([STORE_REPLACED])  # noqa: SLF001 - as the engine does
        await until(lambda: not bench.runner.health()["jobs"].measures["running"])
        found = [await storage.get_job(job.id) for job in jobs]
    assert [job.status for job in found] == [JobStatus.INTERRUPTED] * 2
    assert gate.begun == [0]


async def test_a_report_of_a_run_that_is_over_changes_nothing(storage: UnifiedStorage) -> None:
    job = await storage.create_job("notes.count", is_repeatable=True, run="old-1")
    await storage.recover_jobs("new")
    await storage.claim_jobs({"notes.count": 1}, 1, "new-1")
    assert not await storage.save_job_progress(job.id, "old-1", JobProgress(done=1))
    assert await storage.finish_job(job.id, "old-1", DONE, JobProgress(done=1), "old") is None
    finished = await storage.finish_job(job.id, "new-1", DONE, JobProgress(done=2), "new")
    assert finished is not None
    assert (finished.result, finished.done) == ("new", 2)


@pytest.mark.parametrize("error", [DiskFull("The disk is full."), StorageReadOnly("Read-only.")])
async def test_built_in_work_runs_on_a_store_that_takes_no_writes(
    storage: UnifiedStorage, run_jobs: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise error

    async def rescue(job: Running) -> int | None:
        job.progress(1, 2)
        return job.id

    async with run_jobs() as bench:
        monkeypatch.setattr(storage, "create_job", refuse)
        assert await bench.runner.run_now("transfer.export", rescue) is None


async def test_an_outcome_is_stored_as_soon_as_the_store_takes_it(
    storage: UnifiedStorage, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Extension("notes")

    @notes.job()
    async def quick(job: Running) -> int:
        return 7

    refused: list[str] = []
    finish = storage.finish_job

    async def refuse_once(*arguments: Any) -> Any:
        if not refused:
            refused.append("once")
            raise DiskFull("The disk is full.")
        return await finish(*arguments)

    monkeypatch.setattr("sidecar.jobs.runner.FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(storage, "finish_job", refuse_once)
    async with run_jobs(*notes.jobs) as bench:
        job = await bench.until((await bench.queue(quick)).id)
    assert (job.status, job.result, refused) == (DONE, 7, ["once"])


async def test_a_key_names_one_job_of_built_in_work(run_jobs: Run) -> None:
    from sidecar.models.idempotency import IdempotencyKey

    begun: list[int | None] = []

    async def work(job: Running) -> None:
        begun.append(job.id)

    async with run_jobs() as bench:
        key = IdempotencyKey("same", b"")
        first = await bench.runner.run_in_background("backups.create", work, key=key)
        await bench.until(first.id)
        again = await bench.runner.run_in_background("backups.create", work, key=key)
    assert (again.id, again.status, begun) == (first.id, DONE, [first.id])


async def test_a_unit_of_a_step_is_done_once_for_a_job_that_runs_again(storage: UnifiedStorage, run_jobs: Run) -> None:
    notes = Extension("notes")

    @notes.job(retries=1, retry_after_s=0.01)
    async def store(job: Running) -> int:
        from sidecar.storage.interfaces import Work

        def insert(work: Work) -> int:
            sql = "INSERT INTO tips (content) VALUES ('one') RETURNING id"
            return int(work.connection.execute(sql).fetchone()["id"])

        row_id = await job.write(insert, int, step="first page")
        if job.attempt == 1:
            raise OSError("the line is down")
        return row_id

    async with run_jobs(*notes.jobs) as bench:
        job = await bench.until((await bench.queue(store)).id)
    assert (job.status, job.attempts, len((await storage.get_tips()).items)) == (DONE, 2, 1)


async def test_the_unit_after_a_job_is_stored_with_its_result_or_fails_it(
    storage: UnifiedStorage, run_jobs: Run
) -> None:
    notes = Extension("notes")

    @notes.job()
    async def count(job: Running) -> int:
        return 3

    @count.then
    def refuse(work: Any, result: int) -> None:
        work.connection.execute("INSERT INTO tips (content) VALUES ('half')")
        raise Conflict("The deck is locked.")

    async with run_jobs(*notes.jobs) as bench:
        job = await bench.until((await bench.queue(count)).id)
    assert (job.status, job.error, (await storage.get_tips()).items) == (JobStatus.FAILED, "The deck is locked.", [])


async def test_finished_jobs_expire(storage: UnifiedStorage) -> None:
    for number in range(3):
        job = await storage.create_job("notes.count", run=f"me-{number}")
        await storage.finish_job(job.id, f"me-{number}", DONE, JobProgress())
    waiting = await storage.create_job("notes.count")
    assert await storage.prune_jobs("2020-01-01T00:00:00.000Z", 10) == 0
    assert [await storage.prune_jobs("2099-01-01T00:00:00.000Z", 2) for _ in range(3)] == [2, 1, 0]
    assert (await storage.get_jobs()).items == [waiting]


async def test_a_cancellation_that_comes_before_the_start_is_known_ends_the_job(
    storage: UnifiedStorage, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Extension("notes")
    gate = Gate(notes)
    claim = storage.claim_jobs

    async def claim_and_cancel(*arguments: Any) -> Any:
        claimed = await claim(*arguments)
        for job in claimed:
            await storage.cancel_job(job.id)
        return claimed

    monkeypatch.setattr(storage, "claim_jobs", claim_and_cancel)
    async with run_jobs(*notes.jobs) as bench:
        job = await bench.until((await bench.queue(gate.kind, 0)).id)
    assert job.status is JobStatus.CANCELLED
