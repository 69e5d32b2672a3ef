"""Runners of jobs over an open storage, and what they publish."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from sidecar.config import JobSettings
from sidecar.jobs import JobKind
from sidecar.jobs.runner import JobRunner
from sidecar.models.jobs import Job
from sidecar.storage.unified import UnifiedStorage

PATIENCE_S = 20.0


class Bench:
    """A runner over a storage, with helpers to queue jobs and to wait for them."""

    def __init__(self, storage: UnifiedStorage, kinds: tuple[JobKind[Any, Any], ...], settings: JobSettings) -> None:
        self.storage = storage
        self.published: list[Mapping[str, Any]] = []
        self.runner = JobRunner(storage, lambda _, data: self.published.append(data), kinds, settings)

    async def queue(self, kind: JobKind[Any, Any], *arguments: Any, **named: Any) -> Job:
        """Queue a job as an extension does."""
        return await self.storage.write(lambda work: kind.queue(work, *arguments, **named), returns=Job)

    async def until(self, job_id: int, condition: Callable[[Job], bool] = lambda job: job.status.is_finished) -> Job:
        """Return the stored job as soon as the condition holds; by default, as soon as it is finished."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                job = await self.storage.get_job(job_id)
                if condition(job):
                    return job
                await asyncio.sleep(0.005)


Running = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture
def run_jobs(storage: UnifiedStorage) -> Running:
    """Starts a runner of some kinds of jobs over the storage of this test."""

    @asynccontextmanager
    async def running(*kinds: JobKind[Any, Any], **settings: int) -> AsyncIterator[Bench]:
        bench = Bench(storage, kinds, JobSettings(**settings))
        bench.runner.start()
        try:
            yield bench
        finally:
            await bench.runner.close()

    return running


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)
