"""Outcomes: how a run of a job's function ended."""

from dataclasses import dataclass
from typing import Any

from sidecar.errors import SidecarError
from sidecar.errors.jobs import JobFailed
from sidecar.models.jobs import JobStatus


@dataclass(frozen=True)
class Outcome:
    """The end of a run."""

    status: JobStatus
    result: Any = None
    error: str | None = None
    code: str | None = None


class ProcessFailed(Exception):
    """The function of a job failed in a process, which has said how."""

    def __init__(self, error: str, code: str = JobFailed.code) -> None:
        super().__init__(error)
        self.error = error
        self.code = code


def failure(name: str, error: Exception) -> Outcome:
    """Return the outcome of a job that failed: a sentence for a person, and a stable code."""
    if isinstance(error, ProcessFailed):
        return Outcome(JobStatus.FAILED, error=error.error, code=error.code)
    if isinstance(error, SidecarError):
        return Outcome(JobStatus.FAILED, error=error.message, code=error.code)
    lines = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return Outcome(JobStatus.FAILED, error=f"The job {name} failed with {reason}", code=JobFailed.code)
