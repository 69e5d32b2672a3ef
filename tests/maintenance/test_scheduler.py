"""Tasks run when they are due, one at a time, give way to writes, and tell what they did."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sidecar.config import BackupSettings, UpkeepSettings
from sidecar.errors import DiskFull, NotFound, StorageBusy
from sidecar.maintenance.schedule import Schedule, Timing
from sidecar.maintenance.scheduler import MaintenanceScheduler
from sidecar.maintenance.steps import ATTEMPTS, Steps
from sidecar.maintenance.tasks import SEARCH_AFTER_CHANGE_S, Task, all_tasks
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.upkeep import UpkeepTaskName
from sidecar.storage.interfaces import Change, ChangeListener
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.maintenance.store import SQLiteMaintenance
from sidecar.storage.unified import UnifiedStorage
from tests.clocks import SetClock

from ..support import backend_of
from .conftest import LONG_AGO, add_old_keys, fill_and_empty, make_old

KEYS, MONITORING = UpkeepTaskName.IDEMPOTENCY_KEYS, UpkeepTaskName.MONITORING
AT_ONCE = UpkeepSettings(first_after_s=0, checkpoint_after_s=0)


class Heard:
    """What was published."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self._more = asyncio.Event()

    def __call__(self, topic: str, data: Mapping[str, Any]) -> None:
        self.events.append((topic, data))
        self._more.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._more.clear()
                await self._more.wait()

    @property
    def tasks(self) -> list[str]:
        return [data["task"] for _, data in self.events]


def task(name: UpkeepTaskName, run: Callable[[Steps], Any], timing: Timing | None = None) -> Task:
    return Task(name, timing or Timing(), run)


async def nothing(steps: Steps) -> None:
    pass


async def something(steps: Steps) -> None:
    steps.did["things"] += 3


async def failing(steps: Steps) -> None:
    steps.did["things"] += 1
    raise DiskFull("The disk is full; free some space and try again.")


async def giving_way(steps: Steps) -> None:
    raise StorageBusy("later")


async def test_a_run_that_did_something_is_told_and_kept(storage: UnifiedStorage) -> None:
    heard = Heard()
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), heard, [task(KEYS, something)])
    run = await upkeep.run(KEYS)
    assert (run.task, run.did, run.error, run.gave_way) == (KEYS, {"things": 3}, None, False)
    assert heard.events == [("upkeep", run.model_dump(mode="json"))]
    assert upkeep.tasks().items[0].last_run == run
    component = upkeep.health()["upkeep.idempotency_keys"]
    assert (component.ok, component.measures["things"]) == (True, 3.0)


async def test_a_run_that_did_nothing_is_kept_but_not_told(storage: UnifiedStorage) -> None:
    heard = Heard()
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), heard, [task(KEYS, nothing)])
    run = await upkeep.run(KEYS)
    assert (heard.events, upkeep.tasks().items[0].last_run) == ([], run)


async def test_a_failure_is_told_counted_and_shown_until_it_works_again(storage: UnifiedStorage) -> None:
    heard = Heard()
    outcomes = [failing, failing, nothing]

    async def act(steps: Steps) -> None:
        await outcomes.pop(0)(steps)

    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), heard, [task(KEYS, act), task(MONITORING, nothing)])
    for failures in (1, 2):
        run = await upkeep.run(KEYS)
        assert (run.error, run.did) == ("The disk is full; free some space and try again.", {"things": 1})
        assert upkeep.tasks().items[0].failures == failures
        assert (upkeep.health()["upkeep"].ok, upkeep.health()["upkeep.idempotency_keys"].ok) == (False, False)
    assert [data["error"] is not None for _, data in heard.events] == [True, True]
    await upkeep.run(KEYS)
    assert all(component.ok for component in upkeep.health().values())


async def test_a_task_that_a_store_does_not_have_is_not_found(storage: UnifiedStorage) -> None:
    with pytest.raises(NotFound, match="monitoring"):
        await MaintenanceScheduler(storage, UpkeepSettings(), Heard(), [task(KEYS, nothing)]).run(MONITORING)


async def test_an_unexpected_failure_tells_no_internals(storage: UnifiedStorage) -> None:
    async def act(steps: Steps) -> None:
        raise ValueError("/home/secret")

    run = await MaintenanceScheduler(storage, UpkeepSettings(), Heard(), [task(KEYS, act)]).run(KEYS)
    assert run.error == "It failed unexpectedly (ValueError)."


async def test_giving_way_is_no_failure(storage: UnifiedStorage) -> None:
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), Heard(), [task(KEYS, giving_way)])
    run = await upkeep.run(KEYS)
    assert (run.gave_way, run.error, upkeep.health()["upkeep"].ok) == (True, None, True)


async def test_what_is_due_runs_by_itself_and_a_failing_task_holds_up_no_other(storage: UnifiedStorage) -> None:
    heard = Heard()
    tasks = [task(KEYS, failing, Timing(first_s=0)), task(MONITORING, something, Timing(first_s=0, every_s=0.01))]
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), heard, tasks)
    upkeep.start()
    await heard.until(lambda: heard.tasks.count(MONITORING) >= 3)
    await upkeep.close()
    assert heard.tasks.count(KEYS) == 1


async def test_a_change_wakes_the_tasks_that_wait_for_one(storage: UnifiedStorage) -> None:
    heard = Heard()
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), heard, [task(KEYS, something, Timing(after_change_s=0))])
    upkeep.start()
    for number in (1, 2):
        await storage.insert_tip("x")
        await heard.until(lambda: len(heard.events) == number)  # noqa: B023 - awaited at once
    await upkeep.close()


async def test_nothing_runs_by_itself_when_it_is_switched_off(storage: UnifiedStorage) -> None:
    ran = asyncio.Event()

    async def act(steps: Steps) -> None:
        ran.set()

    off = UpkeepSettings(enabled=False)
    upkeep = MaintenanceScheduler(storage, off, Heard(), [task(KEYS, act, Timing(first_s=0, every_s=0.0))])
    upkeep.start()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not ran.is_set()
    assert (upkeep.tasks().enabled, upkeep.tasks().items[0].due_in_s) == (False, None)
    assert upkeep.health()["upkeep"].detail == "switched off"
    await upkeep.run(KEYS)
    assert ran.is_set()


async def test_tasks_run_one_at_a_time(storage: UnifiedStorage) -> None:
    running = 0

    async def act(steps: Steps) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0.01)
        running -= 1

    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), Heard(), [task(KEYS, act), task(MONITORING, act)])
    runs = await asyncio.gather(upkeep.run(KEYS), upkeep.run(MONITORING), upkeep.run(KEYS))
    assert [run.error for run in runs] == [None, None, None]


async def test_closing_ends_a_long_task_at_once(storage: UnifiedStorage) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def act(steps: Steps) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), Heard(), [task(KEYS, act, Timing(first_s=0))])
    upkeep.start()
    await begun.wait()
    async with asyncio.timeout(1):
        await upkeep.close()
        await upkeep.close()
    assert ended.is_set()
    await storage.insert_tip("nobody listens any more")


async def test_steps_wait_while_something_is_written_but_not_for_ever(
    storage: UnifiedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[None] = []

    def never_idle() -> bool:
        looks.append(None)
        return False

    monkeypatch.setattr(backend_of(storage).maintenance, "writer_is_idle", never_idle)
    assert await Steps(storage, look_again_s=0.001).once(storage.count_free_pages) >= 0
    assert len(looks) == ATTEMPTS


async def test_old_keys_are_removed_and_young_ones_kept(storage: UnifiedStorage) -> None:
    await storage.insert_tip("x", key=IdempotencyKey("young"))
    await add_old_keys(storage, 500)
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(idempotency_key_days=30), Heard())
    assert (await upkeep.run(KEYS)).did == {"removed": 500}
    assert (await upkeep.run(KEYS)).did == {}
    await make_old(storage, "young")
    assert (await upkeep.run(KEYS)).did == {"removed": 1}


async def test_old_measurements_are_removed(storage: UnifiedStorage) -> None:
    await storage.save_monitoring_token_usage("model", 1, 1, 2)
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), Heard())
    assert (await upkeep.run(MONITORING)).did == {}

    def grow_old(work: SQLiteWork) -> None:
        work.connection.execute("UPDATE monitoring_token_usage SET time_bucket = ?", (LONG_AGO,))

    await backend_of(storage).database.write(grow_old)
    assert (await upkeep.run(MONITORING)).did == {"removed": 1}


async def test_an_index_that_was_emptied_is_filled_soon(storage: UnifiedStorage) -> None:
    storage.clock = SetClock()
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), lambda topic, data: None)
    upkeep.start()
    try:
        await storage.rebuild_search_index()
        (task,) = [task for task in upkeep.tasks().items if task.name is UpkeepTaskName.SEARCH_INDEX]
        assert task.due_in_s == SEARCH_AFTER_CHANGE_S
    finally:
        await upkeep.close()


async def test_it_ends_although_it_is_woken_at_that_moment(
    storage: UnifiedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    listeners: list[ChangeListener] = []
    subscribe = storage.subscribe

    def noted(listener: ChangeListener) -> Callable[[], None]:
        listeners.append(listener)
        return subscribe(listener)

    monkeypatch.setattr(storage, "subscribe", noted)
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), lambda topic, data: None)
    upkeep.start()
    await asyncio.sleep(0)
    (wake,) = listeners
    wake([Change("tips", 1)])
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await upkeep.close()


async def test_parts_of_the_search_index_are_merged_until_there_is_nothing_to_merge(storage: UnifiedStorage) -> None:
    for number in range(400):
        await storage.insert_todo(f"{number} words")
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), lambda topic, data: None)
    assert await parts_of_the_index(storage) >= 400, "writes merge nothing by themselves"
    run = await upkeep.run(UpkeepTaskName.SEARCH_INDEX)
    assert run.error is None
    assert await parts_of_the_index(storage) < 10
    assert (await upkeep.run(UpkeepTaskName.SEARCH_INDEX)).did == {}
    assert (await storage.search_documents("399 words")).total == 1


async def test_parts_of_the_search_index_are_merged_although_writes_leave_no_gap(
    storage: UnifiedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        await storage.insert_todo(f"{number} words")
    looks: list[None] = []
    monkeypatch.setattr(SQLiteMaintenance, "writer_is_idle", lambda _: looks.append(None))
    steps = Steps(storage, look_again_s=0.001)
    tasks = {task.name: task for task in all_tasks(storage, UpkeepSettings(), BackupSettings())}
    await tasks[UpkeepTaskName.SEARCH_INDEX].run(steps)
    assert await parts_of_the_index(storage) < 10
    steps_of_filling = 1
    assert len(looks) == steps_of_filling * ATTEMPTS + steps.did["merges"] + 1


async def parts_of_the_index(storage: UnifiedStorage) -> int:
    sql = "SELECT count(DISTINCT segid) FROM search_index_idx"
    return int(await backend_of(storage).database.read(lambda connection: connection.execute(sql).fetchone()[0]))


async def test_what_the_search_index_lacks_is_filled_in(storage: UnifiedStorage) -> None:
    for number in range(120):
        await storage.insert_tip(f"banana {number}")
    await storage.rebuild_search_index()
    assert (await storage.query("banana")).total_count == 0
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), Heard())
    assert (await upkeep.run(UpkeepTaskName.SEARCH_INDEX)).did["steps"] >= 1
    assert (await storage.query("banana")).total_count == 120
    assert (await upkeep.run(UpkeepTaskName.SEARCH_INDEX)).did == {}


async def test_pages_are_given_back_when_there_are_many(file_storage: UnifiedStorage) -> None:
    upkeep = MaintenanceScheduler(file_storage, UpkeepSettings(), Heard())
    assert (await upkeep.run(UpkeepTaskName.VACUUM)).did == {}
    await fill_and_empty(file_storage, megabytes=8)
    did = (await upkeep.run(UpkeepTaskName.VACUUM)).did
    assert did["pages"] > 1_000
    assert await file_storage.count_free_pages() <= 256


async def test_every_task_runs_on_a_real_store_by_itself(file_storage: UnifiedStorage) -> None:
    heard = Heard()
    await add_old_keys(file_storage, 10)
    upkeep = MaintenanceScheduler(file_storage, AT_ONCE, heard)
    upkeep.start()
    await heard.until(lambda: {KEYS, UpkeepTaskName.CHECKPOINT} <= set(heard.tasks))
    await upkeep.close()
    assert all(data["error"] is None for _, data in heard.events)


async def test_an_idle_upkeep_sleeps(storage: UnifiedStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), Heard())
    due = Schedule.due

    def counted(schedule: Schedule, now: float) -> str | None:
        nonlocal looks
        looks += 1
        return due(schedule, now)

    monkeypatch.setattr(Schedule, "due", counted)
    upkeep.start()
    await asyncio.sleep(0.3)
    assert looks == 1
    for _ in range(50):
        await storage.insert_tip("x")
    assert looks <= 2
    await upkeep.close()
