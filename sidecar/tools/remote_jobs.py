"""Long work of a running sidecar: it is asked for as a job, and the job is watched until it is finished."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
from typing import Any

from sidecar.errors import SidecarError
from sidecar.errors.lookup import error_with
from sidecar.models.jobs import Job, JobStatus
from sidecar.progress import Progress
from sidecar.tools.remote_client import RemoteClient

FIRST_LOOK_S, LONGEST_PAUSE_S = 0.01, 0.2
"""Pauses between two requests for the state of a job: a short job is noticed soon, a long one seldom asked for."""


@contextmanager
def long_work(
    client: RemoteClient,
    method: str,
    path: str,
    progress: Progress,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Iterator[Job | HTTPResponse]:
    """Yield the finished job of the work, or the answer itself of a sidecar whose store takes no job.

    The job is cancelled when this program is interrupted. Raises the error of a job that failed.
    """
    with client.connection() as connection:
        answer = client.answer(connection, method, path, body, {**(headers or {}), "Prefer": "respond-async"})
        if answer.status != 202:
            yield answer
            return
        job = Job.model_validate_json(client.read(answer))
    try:
        job = _finished(client, job, progress)
    except KeyboardInterrupt:
        with suppress(SidecarError):
            client.ask("POST", f"/jobs/{job.id}/cancel")
        raise
    if job.status is not JobStatus.DONE:
        raise _failure(job)
    yield job


def result_of(
    client: RemoteClient,
    method: str,
    path: str,
    progress: Progress,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    """Return the result of long work as JSON."""
    with long_work(client, method, path, progress, body, headers) as done:
        return json.dumps(done.result).encode() if isinstance(done, Job) else client.read(done)


def _finished(client: RemoteClient, job: Job, progress: Progress) -> Job:
    pause_s, wait = FIRST_LOOK_S, threading.Event().wait
    while not job.status.is_finished:
        if job.message is not None:
            progress(job.done, job.total, job.message)
        wait(pause_s)
        pause_s = min(1.5 * pause_s, LONGEST_PAUSE_S)
        job = Job.model_validate_json(client.ask("GET", f"/jobs/{job.id}"))
    return job


def _failure(job: Job) -> SidecarError:
    message = job.error or f"The job {job.id} of the sidecar was {job.status}."
    return error_with(job.error_code, message)
