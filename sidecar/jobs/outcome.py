"""The meaning of an ended run for its job."""

import asyncio
from typing import Any

from pydantic_core import to_jsonable_python

from sidecar.errors.jobs import JobInterrupted
from sidecar.jobs.active import ActiveJob
from sidecar.jobs.failure import Outcome, failure
from sidecar.jobs.running import JobCancelled
from sidecar.models.jobs import JobStatus

STOPPED = "The sidecar was stopped while the job ran."


def outcome_of(active: ActiveJob, task: "asyncio.Task[Any]", *, is_stopping: bool) -> Outcome:
    """Return the outcome of a task that has ended; `is_stopping` if it had to end because the sidecar does."""
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is None:
        result = task.result()
        return Outcome(JobStatus.DONE, to_jsonable_python(result) if active.kind is None else result)
    if active.is_cancelling:
        return Outcome(JobStatus.CANCELLED)
    if isinstance(error, Exception):
        return failure(active.job.name, error)
    if not is_stopping:
        return Outcome(JobStatus.CANCELLED)
    if active.kind is not None and active.kind.is_repeatable:
        return Outcome(JobStatus.QUEUED)
    return Outcome(JobStatus.INTERRUPTED, error=STOPPED, code=JobInterrupted.code)


def was_cancelled(task: "asyncio.Task[Any]") -> bool:
    """Return whether a task that has ended was cancelled, in whatever way it said so."""
    return task.cancelled() or isinstance(task.exception(), JobCancelled)
