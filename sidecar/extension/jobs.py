"""`Jobs`: the parameter by which a route of an extension queues jobs."""

from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, Protocol

from fastapi import Depends

from sidecar.api.context import InContext
from sidecar.extension.writing import Write
from sidecar.jobs import JobKind
from sidecar.jobs.runner import JobRunner
from sidecar.models.jobs import Job
from sidecar.storage.interfaces import Work

P = ParamSpec("P")


class Writing(Protocol):
    """Runs a unit of work, as `Write` and `storage.write` do."""

    async def __call__(self, unit: Callable[[Work], Job], *, returns: type[Job]) -> Job: ...


class JobQueue:
    """Queues jobs for one request, or for a function that no request calls."""

    def __init__(self, runner: JobRunner, write: Writing) -> None:
        self._runner = runner
        self._write = write

    def add(self, work: Work, kind: JobKind[P, Any], /, *arguments: P.args, **named: P.kwargs) -> Job:
        """Queue a job in the caller's unit of work: it runs once that is committed, and not at all if it fails.

        Raises `InvalidInput` for arguments that the function does not take, or that are not JSON.
        """
        return kind.queue(work, *arguments, **named)

    async def start(self, kind: JobKind[P, Any], /, *arguments: P.args, **named: P.kwargs) -> Job:
        """Queue a job in a unit of work of its own, exactly once for a request with a key.

        It is then the request's one write; see `Write`. Raises what `add` raises.
        """
        return await self._write(lambda work: self.add(work, kind, *arguments, **named), returns=Job)

    async def cancel(self, job_id: int) -> Job:
        """Cancel a job. Raises `NotFound`, and `Conflict` for one that is finished."""
        return await self._runner.cancel(job_id)


async def _jobs(context: InContext, write: Write) -> JobQueue:
    return JobQueue(context.jobs, write)


Jobs = Annotated[JobQueue, Depends(_jobs)]
