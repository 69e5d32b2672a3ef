"""No write waits for upkeep for more than 50 ms, whatever there is to do.

Measured is what steps of upkeep, with the commits that end them, take of the writer's thread between a write's coming
and its answer. It is processor time: how long a busy machine or its disk makes everybody wait is no property of steps.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from statistics import median
from time import perf_counter, thread_time
from typing import Any, NamedTuple

import pytest

from sidecar.clock import Clock
from sidecar.config import UpkeepSettings
from sidecar.maintenance.scheduler import MaintenanceScheduler
from sidecar.models.upkeep import UpkeepRun, UpkeepTaskName
from sidecar.storage.sqlite.engine import writer as writer_module
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.unit_of_work import Hooks, Submission, UnitResult, commit_together
from sidecar.storage.unified import UnifiedStorage

from .conftest import add_many_tips, add_old_keys, fill_and_empty

LONGEST_S = 0.050
OLD_KEYS = 5_000
TIPS = 200
WRITERS = 8


RUNNING: ContextVar[UpkeepTaskName | None] = ContextVar("the task that is running", default=None)
"""Set around a run of a task: what is written within it is a step of that task, whatever it is called."""


class Step(NamedTuple):
    task: UpkeepTaskName
    began: float
    ended: float
    took: float


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """Every piece of upkeep that a writer's thread has run, as it is measured there."""
    measured: list[Step] = []
    tasks: dict[int, UpkeepTaskName] = {}
    """By the identity of units that wait to be committed."""

    def timed(task: UpkeepTaskName, work: Callable[[], Any]) -> Any:
        began, took = perf_counter(), thread_time()
        try:
            return work()
        finally:
            measured.append(Step(task, began, perf_counter(), thread_time() - took))

    def commit(
        connection: sqlite3.Connection, submissions: Sequence[Submission], clock: Clock, hooks: Hooks
    ) -> list[UnitResult]:
        run = partial(commit_together, connection, submissions, clock, hooks)
        found = [tasks[id(each.unit)] for each in submissions if id(each.unit) in tasks]
        return timed(found[0], run) if found else run()

    async def write(self: Database, unit: Callable[[Any], Any], *arguments: Any, **named: Any) -> Any:
        if (task := RUNNING.get()) is None:
            return await plain_write(self, unit, *arguments, **named)
        tasks[id(unit)] = task
        try:
            return await plain_write(self, unit, *arguments, **named)
        finally:
            del tasks[id(unit)]

    async def run_when_idle(self: Database, work: Callable[[Any], Any]) -> Any:
        task = RUNNING.get()
        if task is None:
            return await plain_when_idle(self, work)
        return await plain_when_idle(self, lambda connection: timed(task, partial(work, connection)))

    plain_write, plain_when_idle = Database.write, Database.run_when_idle
    monkeypatch.setattr(writer_module, "commit_together", commit)
    monkeypatch.setattr(Database, "write", write)
    monkeypatch.setattr(Database, "run_when_idle", run_when_idle)
    return measured


async def run_task(upkeep: MaintenanceScheduler, name: UpkeepTaskName) -> UpkeepRun:
    """Run a task so that its steps are known."""
    before = RUNNING.set(name)
    try:
        return await upkeep.run(name)
    finally:
        RUNNING.reset(before)


@pytest.mark.timeout(180)  # its writers leave few gaps on a machine that is busy with something else
async def test_writes_during_a_large_upkeep_wait_less_than_50_ms_for_it(
    file_storage: UnifiedStorage, steps: list[Step]
) -> None:
    longest_s = await longest_wait(file_storage, steps)
    if longest_s >= LONGEST_S:  # a busy host of virtual machines counts among what it takes from one
        longest_s = await longest_wait(file_storage, steps)
    assert longest_s < LONGEST_S


async def longest_wait(file_storage: UnifiedStorage, steps: list[Step]) -> float:
    """How much upkeep any write waited for, in seconds of the writer's thread."""
    steps.clear()
    await add_old_keys(file_storage, OLD_KEYS)
    await add_many_tips(file_storage, TIPS)
    await file_storage.rebuild_search_index()
    await fill_and_empty(file_storage, megabytes=8)
    upkeep = MaintenanceScheduler(file_storage, UpkeepSettings(), lambda topic, data: None)
    writes: list[tuple[float, float]] = []
    is_over = False

    async def write(number: int) -> None:
        while not is_over:
            came = perf_counter()
            await file_storage.insert_todo(f"todo {number}")
            writes.append((came, perf_counter()))
            await asyncio.sleep(0.002 * number)

    writers = [asyncio.create_task(write(number)) for number in range(1, WRITERS + 1)]
    names = (
        UpkeepTaskName.IDEMPOTENCY_KEYS,
        UpkeepTaskName.VACUUM,
        UpkeepTaskName.CHECKPOINT,
        UpkeepTaskName.SEARCH_INDEX,
    )
    runs: list[UpkeepRun] = [await run_task(upkeep, name) for name in names]
    is_over = True
    await asyncio.gather(*writers)

    assert runs[0].did == {"removed": OLD_KEYS}
    assert runs[1].did["pages"] > 1_500
    assert runs[3].did["steps"] > 3
    assert [run.error for run in runs] == [None] * len(names)
    assert {step.task for step in steps} == set(names), "steps of every task are observed"
    return max(sum(step.took for step in steps if step.began < ended and step.ended > came) for came, ended in writes)


async def test_of_large_rows_a_step_removes_few(file_storage: UnifiedStorage, steps: list[Step]) -> None:
    upkeep = MaintenanceScheduler(file_storage, UpkeepSettings(), lambda topic, data: None)
    await add_old_keys(file_storage, 5_000)
    await run_task(upkeep, UpkeepTaskName.IDEMPOTENCY_KEYS)
    assert len(steps) > 0
    for_small_rows = len(steps)
    await add_old_keys(file_storage, 40, size=1_000_000)
    assert (await run_task(upkeep, UpkeepTaskName.IDEMPOTENCY_KEYS)).did == {"removed": 40}
    for_large_rows = steps[for_small_rows:]
    assert len(for_large_rows) >= 5
    assert median(step.took for step in for_large_rows) < LONGEST_S
