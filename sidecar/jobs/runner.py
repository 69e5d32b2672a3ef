"""The runner: it takes jobs from the queue and executes them, and makes jobs of built-in work."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from sidecar.config import JobSettings
from sidecar.errors import Conflict, SidecarError, StorageClosed, StorageError
from sidecar.jobs.active import ActiveJob
from sidecar.jobs.declaration import JobKind
from sidecar.jobs.executors import execute
from sidecar.jobs.failure import Outcome, ProcessFailed, failure
from sidecar.jobs.outcome import outcome_of, was_cancelled
from sidecar.jobs.progress import ProgressReporter
from sidecar.jobs.running import Running
from sidecar.models.events import JOBS_TOPIC
from sidecar.models.health import Component
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.jobs import Job, JobProgress, JobStatus
from sidecar.storage.interfaces import STORE_REPLACED, Change, Work
from sidecar.storage.resources.jobs import event_of
from sidecar.storage.unified import UnifiedStorage

log = logging.getLogger(__name__)

T = TypeVar("T")

Publish = Callable[[str, Mapping[str, Any]], None]
"""Notifies the subscribers of a topic."""

STOP_S = 0.2
"""Time that running jobs have to end when the sidecar stops, which may take 300 ms in all."""

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
"""Pauses between attempts to write to a store that refuses, and the longest between two attempts of a job."""


class WorkCancelled(Conflict):
    """Somebody cancelled the job of work that a caller waits for."""


class JobRunner:
    """Executes the jobs of one storage. Lives on its event loop."""

    def __init__(
        self,
        storage: UnifiedStorage,
        publish: Publish,
        kinds: Collection[JobKind[Any, Any]] = (),
        settings: JobSettings | None = None,
    ) -> None:
        """`kinds` are the jobs that can be queued. Without any, the runner does nothing but built-in work."""
        self._storage = storage
        self._publish = publish
        self._kinds = {kind.name: kind for kind in kinds}
        self._at_once = (settings or JobSettings()).at_once
        self._name = storage.clock.new_id()
        self._runs = 0
        self._active: dict[int, ActiveJob] = {}
        self._cancelled_early: set[int] = set()
        """Jobs whose cancellation is known before their start is."""
        self._background: set[asyncio.Task[Any]] = set()
        self._late: set[asyncio.Task[Any]] = set()
        """Outcomes of answered requests, which wait for a store that takes writes."""
        self._delayed: dict[int, asyncio.TimerHandle] = {}
        self._unknown: Mapping[str, int] = {}
        self._woken = asyncio.Event()
        self._queue: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._is_stopping = False

    def start(self) -> None:
        """Settle what the last run left behind, and begin to execute what is queued."""
        if self._kinds:
            self._unsubscribe = self._storage.subscribe(self._on_changes)
        self._queue = asyncio.create_task(self._serve_queue(), name="jobs")

    async def close(self) -> None:
        """Have what runs end, and settle it. A second call does nothing.

        A repeatable job is queued again, any other is interrupted. A thread that does not end in time is left alone.
        """
        self._is_stopping = True
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        for timer in self._delayed.values():
            timer.cancel()
        if self._queue is not None:
            self._woken.set()
            await asyncio.wait([self._queue], timeout=STOP_S)  # it may have claimed jobs that it must give back
            self._queue.cancel()
            self._queue = None
        for task in self._late:
            task.cancel()
        await self._end_all()

    async def run_now(
        self, name: str, function: Callable[[Running], Awaitable[T]], arguments: Mapping[str, Any] | None = None
    ) -> T:
        """Run built-in work as a job and return its result. Raises what it raises, `WorkCancelled` if it is cancelled.

        On a store that takes no writes it runs all the same, without a row.
        """
        try:
            run = self._next_run()
            job = await self._storage.create_job(name, arguments, run=run)
        except StorageError as error:
            log.warning("%s runs without a job: %s", name, error.message)
            return await function(Running(None, name, storage=self._storage))
        active = self._activate(job, run)
        active.is_in_request = True
        return await self._attend(active, function(active.running))

    async def run_in_background(
        self,
        name: str,
        function: Callable[[Running], Awaitable[Any]],
        arguments: Mapping[str, Any] | None = None,
        key: IdempotencyKey | None = None,
    ) -> Job:
        """Begin built-in work as a job and return that; with a key that was used before, the job of that time."""
        run = self._next_run()
        job = await self._storage.create_job(name, arguments, run=run, key=key)
        if key is not None and not await self._storage.save_job_progress(job.id, run, Running(None, name).latest):
            return self.with_progress(await self._storage.get_job(job.id))
        active = self._activate(job, run)
        self._spawn(self._execute(active, function(active.running)))
        return job

    async def cancel(self, job_id: int, key: IdempotencyKey | None = None) -> Job:
        """Cancel a job. Raises `NotFound`, and `Conflict` for one that is finished."""
        job = await self._storage.cancel_job(job_id, key=key)
        if job.status is JobStatus.RUNNING:
            self._cancel_active(job.id)
        if job.name in self._unknown:
            await self._look_for_unknown()
        return self.with_progress(job)

    def with_progress(self, job: Job) -> Job:
        """Return the job with its present progress, which is stored only now and then."""
        active = self._active.get(job.id)
        return job if active is None or job.status is not JobStatus.RUNNING else active.present(job)

    def health(self) -> Mapping[str, Component]:
        """The state of the jobs; jobs whose module is not loaded are named."""
        waiting = ", ".join(f"{name} ({count})" for name, count in self._unknown.items())
        detail = f"queued until their module is loaded: {waiting}" if waiting else None
        return {"jobs": Component(ok=True, detail=detail, measures={"running": float(len(self._active))})}

    def _next_run(self) -> str:
        self._runs += 1
        return f"{self._name}-{self._runs}"

    def _activate(self, job: Job, run: str, kind: JobKind[Any, Any] | None = None) -> ActiveJob:
        running = Running(job.id, job.name, job.attempts, self._storage)
        active = self._active[job.id] = ActiveJob(job, run, running, kind)
        active.is_cancelling = job.id in self._cancelled_early
        self._cancelled_early.discard(job.id)
        return active

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _execute(self, active: ActiveJob, function: Awaitable[Any]) -> None:
        """Run a job that nobody waits for."""
        try:
            await self._attend(active, function)
        except ProcessFailed as error:
            log.info("the job %d (%s) ended: %s", active.job.id, active.job.name, error.error)
        except SidecarError as error:
            log.info("the job %d (%s) ended: %s", active.job.id, active.job.name, error.message)
        except Exception:
            log.exception("the job %d (%s) failed", active.job.id, active.job.name)
        self._woken.set()

    async def _attend(self, active: ActiveJob, function: Awaitable[T]) -> T:
        """Run the function of a job and store its outcome. Returns what it returns, raises what it raises."""
        reporter = ProgressReporter(
            active.running,
            publish=lambda: self._publish(JOBS_TOPIC, active.event()),
            store=lambda: self._store_progress(active),
        )
        task: asyncio.Task[T] = asyncio.ensure_future(_result_of(function))
        active.task = task
        if active.is_cancelling or (self._is_stopping and not active.is_in_request):
            asyncio.get_running_loop().call_soon(active.cancel)  # after the first step of the function
        is_left = False
        try:
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:  # whoever waited for the result does so no longer
                is_left = True
                active.cancel()
                await asyncio.wait([task])
            await reporter.close()
            await self._settle(active, outcome_of(active, task, is_stopping=is_left or self._is_stopping))
        finally:
            reporter.stop()
            if self._active.get(active.job.id) is active:
                del self._active[active.job.id]
        if is_left:
            raise asyncio.CancelledError
        if was_cancelled(task):
            raise WorkCancelled(f"The job {active.job.id} ({active.job.name}) was cancelled.")
        return task.result()

    async def _store_progress(self, active: ActiveJob) -> None:
        try:
            await self._storage.save_job_progress(active.job.id, active.run, active.running.latest)
        except StorageError as error:
            log.debug("the progress of the job %d is not stored: %s", active.job.id, error.message)

    async def _settle(self, active: ActiveJob, outcome: Outcome) -> None:
        """Store the outcome as soon as the store takes it, and see to the next attempt of a job that failed."""
        may_retry = outcome.status is JobStatus.FAILED and active.kind is not None and active.kind.retries > 0
        if may_retry:
            self._delay(active)  # before the commit, whose events wake the queue
        try:
            job = await self._store(active, outcome)
        except Exception as error:  # of the result, or of the unit that goes with it
            if outcome.status is not JobStatus.DONE:
                raise
            log.exception("the result of the job %d (%s) cannot be stored", active.job.id, active.job.name)
            is_built_in = active.kind is None
            await self._settle(active, Outcome(JobStatus.DONE) if is_built_in else failure(active.job.name, error))
            return
        if job is None and active.kind is None:
            await self._publish_stored(active)
        if may_retry and (job is None or job.status is not JobStatus.QUEUED):
            self._delayed.pop(active.job.id).cancel()

    async def _store(self, active: ActiveJob, outcome: Outcome) -> Job | None:
        """Return the job as it is then, or `None` if it could not be stored."""
        pause_s = FIRST_RETRY_S
        while True:
            try:
                return await self._storage.finish_job(
                    active.job.id,
                    active.run,
                    outcome.status,
                    active.running.latest,
                    outcome.result,
                    outcome.error,
                    outcome.code,
                    0 if active.kind is None else active.kind.retries,
                    _also(active, outcome),
                )
            except StorageClosed:
                return None
            except StorageError as error:
                log.warning("the outcome of the job %d is not stored yet: %s", active.job.id, error.message)
                if self._is_stopping:
                    return None
                if active.is_in_request:  # which is answered meanwhile
                    active.is_in_request = False
                    late = asyncio.create_task(self._store_later(active, outcome))
                    self._late.add(late)
                    late.add_done_callback(self._late.discard)
                    return None
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_RETRY_S)

    async def _store_later(self, active: ActiveJob, outcome: Outcome) -> None:
        await asyncio.sleep(FIRST_RETRY_S)
        await self._settle(active, outcome)

    async def _publish_stored(self, active: ActiveJob) -> None:
        """Publish the outcome of a restore: the restored store has it already, and a reset preceded it."""
        with suppress(SidecarError):
            job = await self._storage.get_job(active.job.id)
            if job.status.is_finished and job.name == active.job.name:
                self._publish(JOBS_TOPIC, {"id": job.id, **event_of(job)})

    def _delay(self, active: ActiveJob) -> None:
        """Keep the job from being claimed, for longer after each attempt."""
        assert active.kind is not None
        pause_s = min(active.kind.retry_after_s * 2 ** (active.job.attempts - 1), LONGEST_RETRY_S)

        def end() -> None:
            self._delayed.pop(active.job.id, None)
            self._woken.set()

        self._delayed[active.job.id] = asyncio.get_running_loop().call_later(pause_s, end)

    async def _serve_queue(self) -> None:
        pause_s = FIRST_RETRY_S
        is_recovered = False
        while not self._is_stopping:
            self._woken.clear()
            try:
                if not is_recovered:
                    await self._recover()
                    is_recovered = True
                await self._start_queued()
                pause_s = FIRST_RETRY_S
            except StorageClosed:
                return
            except StorageError as error:
                log.warning("jobs wait: %s", error.message)
                asyncio.get_running_loop().call_later(pause_s, self._woken.set)
                pause_s = min(2 * pause_s, LONGEST_RETRY_S)
            if is_recovered and not self._kinds:
                return
            await self._woken.wait()

    async def _recover(self) -> None:
        if await self._storage.count_running_jobs():
            count = await self._storage.recover_jobs(self._name)
            log.info("jobs: %d were running when the sidecar ended", count)
        await self._look_for_unknown()

    async def _look_for_unknown(self) -> None:
        queued = await self._storage.count_queued_jobs()
        self._unknown = {name: count for name, count in queued.items() if name not in self._kinds}

    async def _start_queued(self) -> None:
        """Execute queued jobs for which there is room."""
        active = Counter(each.kind.name for each in self._active.values() if each.kind is not None)
        limit = self._at_once - active.total()
        room = {name: (kind.at_once or self._at_once) - active[name] for name, kind in self._kinds.items()}
        names = [name for name, count in room.items() if count > 0]
        if limit <= 0 or not await self._storage.find_queued_jobs(names, list(self._delayed)):
            return
        run = self._next_run()
        claimed = await self._storage.claim_jobs(room, limit, run, list(self._delayed))
        for job in claimed:
            if self._is_stopping:
                await self._storage.finish_job(job.id, run, JobStatus.QUEUED, JobProgress())
                continue
            started = self._activate(job, run, self._kinds[job.name])
            assert started.execution is not None
            self._spawn(self._execute(started, execute(started.execution)))

    async def _end_all(self) -> None:
        """Have all jobs end but those that a request waits for."""
        for active in list(self._active.values()):
            if active.execution is not None:
                active.execution.grace_s = min(active.execution.grace_s, STOP_S / 2)
            if not active.is_in_request:
                active.cancel()
        if not self._background:
            return
        _, stuck = await asyncio.wait(self._background, timeout=STOP_S)
        if not stuck:
            return
        for active in list(self._active.values()):
            if active.execution is not None:
                active.execution.is_abandoned = True
                active.cancel()
        await asyncio.wait(stuck, timeout=STOP_S)

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change is STORE_REPLACED:
                self._end_replaced()
            elif change.topic == JOBS_TOPIC and change.data is not None and isinstance(change.id, int):
                if change.data["status"] == JobStatus.QUEUED:
                    self._woken.set()
                elif change.data["is_cancelling"] and change.data["status"] == JobStatus.RUNNING:
                    self._cancel_active(change.id)

    def _end_replaced(self) -> None:
        """End the jobs of a store that another one has replaced. Built-in work, such as the restore itself, goes on."""
        for active in list(self._active.values()):
            if active.kind is not None:
                active.cancel()
        self._woken.set()

    def _cancel_active(self, job_id: int) -> None:
        active = self._active.get(job_id)
        if active is None:
            self._cancelled_early.add(job_id)
        elif not active.is_cancelling:
            active.is_cancelling = True
            active.cancel()


async def _result_of(function: Awaitable[T]) -> T:
    return await function


def _also(active: ActiveJob, outcome: Outcome) -> Callable[[Work], object] | None:
    """Return the unit that is done with the outcome, in its transaction."""
    kind = active.kind
    if kind is None or kind.on_done is None or outcome.status is not JobStatus.DONE:
        return None
    on_done, result = kind.on_done, kind.result_from_json(outcome.result)
    return lambda work: on_done(work, result)
