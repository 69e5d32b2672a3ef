"""Long work of operations, which runs as a job: `Prefer: respond-async` (RFC 7240) is answered with the job, at once.

    @router.post("/verify", operation_id="backups.verify", responses=ACCEPTED)
    async def verify(storage: Storage, name: Name, work: LongWork) -> Backup:
        def verify(run: Run) -> Awaitable[Backup]:
            return storage.verify_backup(name, progress=run.progress)

        return await work.run("backups.verify", verify, {"name": name})

Without the header, the operation answers with the result of the work, as any other does.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from sidecar.api.context import Context, WriteKey
from sidecar.api.reading import JSON
from sidecar.errors import StorageBusy, StorageClosed, StorageError
from sidecar.jobs import Running
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.jobs import Job
from sidecar.progress import Progress

log = logging.getLogger(__name__)

T = TypeVar("T")

RESPOND_ASYNC = "respond-async"

ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": Job,
        "description": "Answer to a request with `Prefer: respond-async`: the job, whose result is that of the work.",
        "headers": {
            "Location": {"description": "Where the job is found.", "schema": {"type": "string"}},
            "Preference-Applied": {"schema": {"type": "string", "const": RESPOND_ASYNC}},
        },
    }
}
"""For `responses` of an operation that takes `LongWork`."""


class Accepted(Exception):
    """Work has begun as a job, and the request is answered with that."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job


async def answer_accepted(_: Request, accepted: Exception) -> Response:
    """Return the answer to a request whose work has begun."""
    assert isinstance(accepted, Accepted)
    headers = {"Location": f"/jobs/{accepted.job.id}", "Preference-Applied": RESPOND_ASYNC, "Vary": "Prefer"}
    return Response(accepted.job.model_dump_json(), 202, headers, JSON)


class Run(NamedTuple):
    """One run of the work of an operation."""

    job: Running
    key: IdempotencyKey | None
    """The key of the request, under which the work stores its result if it `is_awaited`, and else its job is stored."""
    is_awaited: bool
    """True if the request is answered with the result."""

    @property
    def progress(self) -> Progress:
        """The function to which the work reports its progress. It raises `StorageBusy` once the work is to end."""
        return self._report

    def _report(self, done: int, total: int | None, activity: str) -> None:
        if self.job.is_cancelled:
            raise StorageBusy("The work was cancelled; nothing was changed.")
        self.job.progress(done, total, activity)

    @property
    def own_key(self) -> IdempotencyKey | None:
        """The key under which the work stores its result."""
        return self.key if self.is_awaited else None


class WorkOfRequest:
    """Runs the work of one request, and answers as the caller prefers."""

    def __init__(self, context: Context, key: IdempotencyKey | None, prefers_job: bool) -> None:
        self._jobs = context.jobs
        self.key = key
        self.prefers_job = prefers_job

    async def run(
        self, name: str, work: Callable[[Run], Awaitable[T]], arguments: Mapping[str, Any] | None = None
    ) -> T:
        """Run the work as a job and return its result, for a caller that waits for it.

        For one that prefers the job, begin the work and raise `Accepted`. A preference is no demand: a store that takes
        no writes has no job to answer with, and is then waited for, since it may need this very work.
        """
        if self.prefers_job:
            job = await self._begin(name, work, arguments, self.key)
            if job is not None:
                raise Accepted(job)
        return await self._jobs.run_now(name, lambda job: work(Run(job, self.key, is_awaited=True)), arguments)

    async def leave(self, name: str, work: Callable[[Run], Awaitable[Any]]) -> None:
        """Begin what goes on after the answer as a job, if the store takes writes."""
        await self._begin(name, work, None, None)

    async def _begin(
        self,
        name: str,
        work: Callable[[Run], Awaitable[Any]],
        arguments: Mapping[str, Any] | None,
        key: IdempotencyKey | None,
    ) -> Job | None:
        """Begin the work in the background, and return its job; `None` if the store takes no writes."""

        def begin(job: Running) -> Awaitable[Any]:
            return work(Run(job, key, is_awaited=False))

        try:
            return await self._jobs.run_in_background(name, begin, arguments, key)
        except StorageClosed:
            raise
        except StorageError as error:
            log.warning("%s is not begun in the background: %s", name, error.message)
            return None


Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer", max_length=1_000, description="With `respond-async`, the answer is the job that does the work."
    ),
]


async def _work(request: Request, key: WriteKey, prefer: Prefer = None) -> WorkOfRequest:
    return WorkOfRequest(request.app.state.context, key, _prefers_job(prefer))


async def _work_without_key(request: Request, prefer: Prefer = None) -> WorkOfRequest:
    return WorkOfRequest(request.app.state.context, None, _prefers_job(prefer))


LongWork = Annotated[WorkOfRequest, Depends(_work)]
"""The parameter of an operation that changes something and takes long, in place of `WriteKey`."""

LongRead = Annotated[WorkOfRequest, Depends(_work_without_key)]
"""The parameter of an operation that takes long, and that takes no key or reads it by itself."""


def _prefers_job(prefer: str | None) -> bool:
    """Return whether the header names `respond-async`; other preferences beside it are ignored."""
    preferences = (prefer or "").split(",")
    return RESPOND_ASYNC in {preference.partition(";")[0].strip().lower() for preference in preferences}
