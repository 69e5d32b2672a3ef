"""Jobs in processes of their own."""

from pathlib import Path

import psutil

from sidecar.models.jobs import JobStatus

from .conftest import Running as Run
from .conftest import until
from .in_processes import add, crunch, die, fail, hold_the_interpreter, wait


def _is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def _pids(file: Path) -> list[int]:
    await until(file.exists)
    return [int(pid) for pid in file.read_text().split()]


async def test_a_job_computes_in_a_process_and_reports_its_progress(run_jobs: Run) -> None:
    async with run_jobs(*crunch.jobs) as bench:
        job = await bench.until((await bench.queue(add, [1, 2, 3])).id)
    assert (job.status, job.result) == (JobStatus.DONE, 6)
    assert (job.done, job.total, job.message) == (3, 3, "number 3")


async def test_an_error_of_the_function_has_its_code_and_its_sentence(run_jobs: Run) -> None:
    async with run_jobs(*crunch.jobs) as bench:
        known = await bench.until((await bench.queue(fail, with_conflict=True)).id)
        other = await bench.until((await bench.queue(fail, with_conflict=False)).id)
    assert (known.status, known.error, known.error_code) == (JobStatus.FAILED, "The deck is locked.", "conflict")
    assert other.error == "The job crunch.fail failed with ZeroDivisionError: division by zero"
    assert other.error_code == "job_failed"


async def test_a_process_that_ends_unexpectedly_fails_its_job(run_jobs: Run) -> None:
    async with run_jobs(*crunch.jobs) as bench:
        job = await bench.until((await bench.queue(die)).id)
    assert job.status is JobStatus.FAILED
    assert job.error == "The process of the job crunch.die ended unexpectedly, with the exit code 7."


async def test_a_cancelled_process_ends_with_what_it_has_started(run_jobs: Run, tmp_path: Path) -> None:
    pid_file = tmp_path / "pids"
    async with run_jobs(*crunch.jobs) as bench:
        job = await bench.queue(wait, str(pid_file))
        pids = await _pids(pid_file)
        assert [_is_running(pid) for pid in pids] == [True, True]
        await bench.runner.cancel(job.id)
        assert (await bench.until(job.id)).status is JobStatus.CANCELLED
        await until(lambda: not any(map(_is_running, pids)))


async def test_a_process_that_does_not_listen_is_killed_after_its_grace(run_jobs: Run, tmp_path: Path) -> None:
    pid_file = tmp_path / "pids"
    async with run_jobs(*crunch.jobs) as bench:
        job = await bench.queue(hold_the_interpreter, str(pid_file))
        (pid,) = await _pids(pid_file)
        await bench.runner.cancel(job.id)
        assert (await bench.until(job.id)).status is JobStatus.CANCELLED
        await until(lambda: not _is_running(pid))


async def test_a_repeatable_job_is_queued_again_when_the_runner_stops(run_jobs: Run, tmp_path: Path) -> None:
    pid_file = tmp_path / "pids"
    async with run_jobs(*crunch.jobs) as bench:
        job = await bench.queue(wait, str(pid_file))
        pids = await _pids(pid_file)
    assert not any(map(_is_running, pids))
    assert (await bench.storage.get_job(job.id)).status is JobStatus.QUEUED
