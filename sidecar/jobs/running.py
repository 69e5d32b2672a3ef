"""The running job, as its function sees it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.jobs import LONGEST_MESSAGE, JobProgress

if TYPE_CHECKING:
    from sidecar.storage.interfaces import Work
    from sidecar.storage.unified import UnifiedStorage

T = TypeVar("T")


class JobCancelled(BaseException):
    """Ends the function of a job that is cancelled.

    Like `asyncio.CancelledError` it is no `Exception`, so that a function which catches those still ends.
    """


class Running:
    """One execution of a job. Its methods may be called from any thread."""

    def __init__(
        self, job_id: int | None, name: str, attempt: int = 1, storage: "UnifiedStorage | None" = None
    ) -> None:
        self.id = job_id
        """The id of the job; `None` for built-in work on a store that takes no writes."""
        self.name = name
        self.attempt = attempt
        """The number of this execution, from 1 on."""
        self.latest = JobProgress()
        """The last progress that was reported."""
        self._storage = storage
        self._loop = None if storage is None else asyncio.get_running_loop()
        self._cancelled = threading.Event()
        self._listener: Callable[[], object] | None = None

    def progress(self, done: int, total: int | None = None, message: str | None = None) -> None:
        """Report that `done` of `total` units of work are done, with the present activity for a person.

        It may be called often: subscribers hear of the latest report every 20 ms. Raises `ValueError` for less than
        nothing, and for more than the total.
        """
        if done < 0 or (total is not None and done > total):
            raise ValueError(f"the progress {done} of {total} of the job {self.name} lies outside its total")
        self.latest = JobProgress.model_construct(
            done=done, total=total, message=None if message is None else message[:LONGEST_MESSAGE]
        )
        if self._listener is not None:
            self._listener()

    @property
    def is_cancelled(self) -> bool:
        """True as soon as the job should end."""
        return self._cancelled.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise `JobCancelled` if the job should end. A long function calls it between its steps."""
        if self._cancelled.is_set():
            raise JobCancelled

    def wait_for_cancellation(self, timeout_s: float) -> bool:
        """Wait at most so many seconds in a thread; return whether the job should end."""
        return self._cancelled.wait(timeout_s)

    @property
    def storage(self) -> "UnifiedStorage":
        """The open storage. Raises `RuntimeError` in a process, which has none."""
        if self._storage is None:
            raise RuntimeError(
                f"the job {self.name} runs in a process of its own, which has no storage; return what is to be stored, "
                "and store it in a unit that is declared with `then`"
            )
        return self._storage

    async def write(self, unit: "Callable[[Work], T]", returns: type[T] | None = None, *, step: str | None = None) -> T:
        """Run `unit` in a transaction, and return its result once that is on the disk.

        A unit with a `step` is done once for the job: when the job runs again, the step's first result is returned,
        read as `returns`. Raises what the unit raises, with nothing stored.
        """
        key = None if step is None else IdempotencyKey(f"job {self.id}: {step}")
        return await self.storage.write(unit, key, returns)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the event loop, and wait for its result in a thread: `job.wait(job.write(unit))`."""
        if self._loop is None:
            coroutine.close()
            _ = self.storage  # raises
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def cancel(self) -> None:
        """Have `is_cancelled` be true. For whoever executes the job."""
        self._cancelled.set()

    def on_progress(self, listener: Callable[[], object] | None) -> None:
        """Have `listener` called after each report, in the thread of the report. For whoever executes the job."""
        self._listener = listener
