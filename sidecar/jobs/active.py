"""A job that is being executed."""

from typing import TYPE_CHECKING, Any

from sidecar.jobs.declaration import JobKind
from sidecar.jobs.execution import Execution
from sidecar.jobs.running import Running
from sidecar.models.jobs import Job
from sidecar.storage.resources.jobs import event_of

if TYPE_CHECKING:
    import asyncio


class ActiveJob:
    """A job that this process executes; without a kind, it is built-in work."""

    def __init__(self, job: Job, run: str, running: Running, kind: JobKind[Any, Any] | None = None) -> None:
        self.job = job
        self.run = run
        """The name of this execution, in the job's row."""
        self.running = running
        self.kind = kind
        self.execution = None if kind is None else Execution(kind, running, job.arguments, kind.grace_s)
        self.task: asyncio.Task[Any] | None = None
        """The function itself."""
        self.is_cancelling = False
        """True if somebody cancelled the job; false if it is to end because the sidecar does."""
        self.is_in_request = False
        """True if a request waits for the result; it ends with the server."""

    def cancel(self) -> None:
        """Have the function end."""
        self.running.cancel()
        if self.task is not None:
            self.task.cancel()

    def present(self, job: Job) -> Job:
        """Return the job's record with the present progress."""
        return job.model_copy(update=vars(self.running.latest))

    def event(self) -> dict[str, object]:
        """Return the data of an event about the progress."""
        return {"id": self.job.id, **event_of(self.present(self.job)), "is_cancelling": self.is_cancelling}
