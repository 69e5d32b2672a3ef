"""The task of the event loop that runs what is due, and what is known about its runs."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from math import inf, isinf
from typing import Any

from sidecar.config import BackupSettings, UpkeepSettings
from sidecar.errors import NotFound, SidecarError, StorageBusy
from sidecar.jobs.runner import JobRunner
from sidecar.maintenance.schedule import Outcome, Schedule
from sidecar.maintenance.steps import Steps
from sidecar.maintenance.tasks import Task, all_tasks
from sidecar.models import timestamps
from sidecar.models.events import UPKEEP_TOPIC
from sidecar.models.health import Component
from sidecar.models.upkeep import UpkeepRun, UpkeepTask, UpkeepTasks
from sidecar.storage.interfaces import Change
from sidecar.storage.unified import UnifiedStorage

log = logging.getLogger(__name__)

Publish = Callable[[str, Mapping[str, Any]], None]
"""Notifies the subscribers of a topic."""

COALESCE_S = 0.25
"""Seconds for which changes are collected before a task runs for them: a batch of writes is one run."""

LAST_S = 2.0
"""Seconds for all tasks that run when the scheduler is closed. A host ends a sidecar by force 5 s after its command."""

CANCELLED_S = 0.5
"""Seconds for tasks with turns of their own to end when they are cancelled."""


class MaintenanceScheduler:
    """Runs tasks: those that are due, once it was started, and any that it is asked for.

    They run one at a time, apart from those that have a turn of their own.
    """

    def __init__(
        self,
        storage: UnifiedStorage,
        settings: UpkeepSettings,
        publish: Publish,
        tasks: Sequence[Task] | None = None,
        backups: BackupSettings | None = None,
        own_tasks: Sequence[Task] = (),
        jobs: JobRunner | None = None,
    ) -> None:
        """`own_tasks` are those of extensions, which run besides `tasks`: by default, all of the sidecar's own."""
        self._storage = storage
        self._settings = settings
        self._publish = publish
        self._monotonic = storage.clock.monotonic
        if tasks is None:
            tasks = all_tasks(storage, settings, backups or BackupSettings(), jobs)
        self._tasks = {task.name: task for task in (*tasks, *own_tasks)}
        self._schedule = Schedule({name: task.timing for name, task in self._tasks.items()}, self._monotonic())
        self._last_runs: dict[str, UpkeepRun] = {}
        turn = asyncio.Lock()
        self._turns = {name: asyncio.Lock() if task.has_own_turn else turn for name, task in self._tasks.items()}
        self._heeding = [(name, task.heed) for name, task in self._tasks.items() if task.heed is not None]
        self._running: set[str] = set()
        self._beside: set[asyncio.Task[Any]] = set()
        self._woken = asyncio.Event()
        self._is_changed = False
        self._loop: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to run what is due, unless upkeep is switched off."""
        if self._settings.enabled and self._loop is None:
            self._unsubscribe = self._storage.subscribe(self._on_changes)
            self._loop = asyncio.create_task(self._run_what_is_due(), name="upkeep")

    async def close(self) -> None:
        """End what runs, then run what is to run last, for 2 s at most. A second call does nothing.

        A step that a connection has begun ends by itself.
        """
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._loop is None:
            return
        self._loop.cancel()
        with suppress(asyncio.CancelledError):
            await self._loop
        self._loop = None
        await _end(self._beside, CANCELLED_S)
        last = {asyncio.create_task(self.run(name)) for name, task in self._tasks.items() if task.is_last}
        if last:
            _, unfinished = await asyncio.wait(last, timeout=LAST_S)
            for name in sorted(self._running):
                log.warning("upkeep: %s did not end within %g s of the stop", name, LAST_S)
            await _end(unfinished, CANCELLED_S)

    async def run(self, name: str) -> UpkeepRun:
        """Run a task now, behind the one whose turn it is; what came of it, failures included.

        Raises `NotFound` for a task that this store has no use for.
        """
        if name not in self._tasks:
            raise NotFound(f"This store has no upkeep task '{name}'.")
        async with self._turns[name]:
            self._running.add(name)
            try:
                return await self._run(self._tasks[name])
            finally:
                self._running.discard(name)

    def tasks(self) -> UpkeepTasks:
        """Every task, when it is due and how its last run went."""
        return UpkeepTasks(enabled=self._settings.enabled, items=[self._state(name) for name in self._tasks])

    def health(self) -> Mapping[str, Component]:
        """A component for upkeep as a whole and one for each task that has run."""
        failing = [name for name in self._tasks if self._schedule.failures(name)]
        whole = Component(ok=not failing, measures={"tasks": float(len(self._tasks)), "failing": float(len(failing))})
        if failing:
            whole.detail = f"failing: {', '.join(failing)}"
        elif not self._settings.enabled:
            whole.detail = "switched off"
        return {"upkeep": whole, **{f"upkeep.{name}": _component(run) for name, run in self._last_runs.items()}}

    def _state(self, name: str) -> UpkeepTask:
        due_in = self._schedule.due_in(name, self._monotonic()) if self._settings.enabled else inf
        return UpkeepTask(
            name=name,
            is_running=name in self._running,
            due_in_s=None if isinf(due_in) else round(due_in, 3),
            failures=self._schedule.failures(name),
            last_run=self._last_runs.get(name),
        )

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for name, heed in self._heeding:
            if heed(changes):
                self._schedule.trigger(name, self._monotonic() + COALESCE_S)
                self._woken.set()
        # Called after every commit, so the rest is for the first one after a run only.
        if not self._is_changed:
            self._is_changed = True
            self._schedule.changed(self._monotonic())
            self._woken.set()

    async def _run_what_is_due(self) -> None:
        while True:
            due = self._schedule.due(self._monotonic())
            if due is not None:
                if self._tasks[due].has_own_turn:
                    self._run_beside(due)
                else:
                    await self.run(due)
                # A task that never waits must not keep everything else from running.
                await asyncio.sleep(0)
                continue
            self._woken.clear()
            wait = self._schedule.next_due() - self._monotonic()
            # Not `wait_for`, which before Python 3.12 swallows a cancellation that comes with what it waits for.
            with suppress(TimeoutError):
                async with asyncio.timeout(None if isinf(wait) else wait):
                    await self._woken.wait()

    def _run_beside(self, name: str) -> None:
        self._schedule.begins(name)
        running = asyncio.create_task(self.run(name), name=f"upkeep {name}")
        self._beside.add(running)
        running.add_done_callback(self._beside.discard)

    async def _run(self, task: Task) -> UpkeepRun:
        self._is_changed = False
        self._schedule.begins(task.name)
        steps = Steps(self._storage)
        outcome, failure = Outcome.DONE, None
        started, began = timestamps.now(self._storage.clock), self._monotonic()
        try:
            await task.run(steps)
        except StorageBusy:
            outcome = Outcome.PREEMPTED
        except Exception as error:
            log.exception("upkeep: %s failed", task.name)
            outcome, failure = Outcome.FAILED, error
        run = UpkeepRun(
            task=task.name,
            started=started,
            took_ms=round((self._monotonic() - began) * 1000, 3),
            longest_step_ms=round(steps.longest_ms, 3),
            did=dict(steps.did),
            gave_way=outcome is Outcome.PREEMPTED,
            error=None if failure is None else _sentence(failure),
        )
        self._note(run, outcome)
        return run

    def _note(self, run: UpkeepRun, outcome: Outcome) -> None:
        self._last_runs[run.task] = run
        self._schedule.ran(run.task, self._monotonic(), outcome)
        if self._tasks[run.task].is_last:
            self._schedule.begins(run.task)  # one that failed is not tried again
        self._woken.set()
        if run.did or run.error:
            log.info("upkeep: %s did %s in %.0f ms", run.task, run.did, run.took_ms)
            self._publish(UPKEEP_TOPIC, run.model_dump(mode="json"))
        if run.did:
            self._schedule.changed(self._monotonic(), by=run.task)


async def _end(tasks: Iterable[asyncio.Task[Any]], within_s: float) -> None:
    """Cancel the tasks, and give them this long to end."""
    ending = set(tasks)
    for task in ending:
        task.cancel()
    if ending:
        await asyncio.wait(ending, timeout=within_s)


def _component(run: UpkeepRun) -> Component:
    measures = {"took_ms": run.took_ms, "longest_step_ms": run.longest_step_ms}
    counts = {name: float(count) for name, count in run.did.items()}
    return Component(ok=run.error is None, detail=run.error or f"ran at {run.started}", measures=measures | counts)


def _sentence(error: Exception) -> str:
    """For the host: what is not one of this project's errors is in the log with all that belongs to it."""
    return error.message if isinstance(error, SidecarError) else f"It failed unexpectedly ({type(error).__name__})."
