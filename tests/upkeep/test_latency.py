"""No write waits for upkeep for more than 50 ms, whatever there is to do.

Measured is what steps of upkeep, with the commits that end them, take of the writer's thread between a write's coming
and its answer. It is processor time: how long a busy machine or its disk makes everybody wait is no property of steps.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from time import perf_counter, thread_time
from typing import Any, NamedTuple

import pytest

from sidecar.clock import Clock
from sidecar.config import UpkeepSettings
from sidecar.models.upkeep import UpkeepRun, UpkeepTaskName
from sidecar.storage.sqlite import database as database_module
from sidecar.storage.sqlite.database import Database
from sidecar.storage.sqlite.work import Outcome, Submission, commit_together
from sidecar.storage.unified import UnifiedStorage
from sidecar.upkeep.keeper import Upkeep

from .conftest import add_many_tips, add_old_keys, fill_and_empty

LONGEST_S = 0.050
OLD_KEYS = 5_000
TIPS = 200
WRITERS = 8


class Step(NamedTuple):
    began: float
    ended: float
    took: float


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """Every piece of upkeep that a writer's thread has run, as it is measured there."""
    measured: list[Step] = []

    def timed(work: Callable[[], Any]) -> Any:
        began, took = perf_counter(), thread_time()
        try:
            return work()
        finally:
            measured.append(Step(began, perf_counter(), thread_time() - took))

    def commit(connection: sqlite3.Connection, submissions: Sequence[Submission], clock: Clock) -> list[Outcome]:
        run = partial(commit_together, connection, submissions, clock)
        return timed(run) if any(_is_upkeep(each.unit) for each in submissions) else run()

    async def while_idle(self: Database, work: Callable[[Any], Any]) -> Any:
        return await untimed(self, lambda connection: timed(partial(work, connection)))

    untimed = Database.while_idle
    monkeypatch.setattr(database_module, "commit_together", commit)
    monkeypatch.setattr(Database, "while_idle", while_idle)
    return measured


def _is_upkeep(unit: Callable[..., Any]) -> bool:
    return unit.__qualname__.startswith(("Upkeep.", "SearchDocuments.fill", "SearchDocuments.merge"))


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
    upkeep = Upkeep(file_storage, UpkeepSettings(), lambda topic, data: None)
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
    runs: list[UpkeepRun] = [await upkeep.run(name) for name in names]
    is_over = True
    await asyncio.gather(*writers)

    assert runs[0].did == {"removed": OLD_KEYS}
    assert runs[1].did["pages"] > 1_500
    assert runs[3].did["steps"] > 3
    assert [run.error for run in runs] == [None] * len(names)
    return max(sum(step.took for step in steps if step.began < ended and step.ended > came) for came, ended in writes)


async def test_of_large_rows_a_step_removes_few(file_storage: UnifiedStorage, steps: list[Step]) -> None:
    upkeep = Upkeep(file_storage, UpkeepSettings(), lambda topic, data: None)
    await add_old_keys(file_storage, 5_000)
    await upkeep.run(UpkeepTaskName.IDEMPOTENCY_KEYS)
    for_small_rows = len(steps)
    await add_old_keys(file_storage, 40, size=1_000_000)
    assert (await upkeep.run(UpkeepTaskName.IDEMPOTENCY_KEYS)).did == {"removed": 40}
    for_large_rows = steps[for_small_rows:]
    assert len(for_large_rows) >= 5
    assert median(step.took for step in for_large_rows) < LONGEST_S
