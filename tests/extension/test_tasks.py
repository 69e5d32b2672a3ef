"""Functions of extensions that run by themselves: when they are due, what they are given, and that they end nothing."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from sidecar.api.events import EventHub
from sidecar.clock import SYSTEM_CLOCK, Clock
from sidecar.config import Settings, UpkeepSettings
from sidecar.extension import Changes, Events, Extension, Jobs, Storage, Work
from sidecar.extension.changes import MOST_CHANGES
from sidecar.extension.tasks import upkeep_tasks
from sidecar.jobs import Running as RunningJob
from sidecar.maintenance.scheduler import MaintenanceScheduler
from sidecar.models.upkeep import UpkeepTask
from sidecar.storage.unified import UnifiedStorage, configured_backends
from tests.clocks import SetClock
from tests.contexts import surroundings_over

Running = Callable[..., AbstractAsyncContextManager[tuple[UnifiedStorage, MaintenanceScheduler]]]


@pytest.fixture
def run(tmp_path: Path) -> Running:
    """Runs the tasks of some extensions, and no other, over the store of this test."""

    @asynccontextmanager
    async def running(
        *extensions: Extension, clock: Clock = SYSTEM_CLOCK, starts: bool = True
    ) -> AsyncIterator[tuple[UnifiedStorage, MaintenanceScheduler]]:
        async with UnifiedStorage.create(configured_backends(Settings(), tmp_path), clock=clock) as storage:
            events = EventHub("test-instance", clock)
            declared = [task for extension in extensions for task in extension.tasks]
            own = upkeep_tasks(declared, surroundings_over(storage, events), await storage.get_task_runs())
            upkeep = MaintenanceScheduler(storage, UpkeepSettings(), events.publish, [], own_tasks=own)
            if starts:
                upkeep.start()
            yield storage, upkeep
            await upkeep.close()

    return running


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - tasks signal nothing
            await asyncio.sleep(0.01)


def state(upkeep: MaintenanceScheduler, name: str) -> UpkeepTask:
    return next(item for item in upkeep.tasks().items if item.name == name)


async def test_a_function_runs_at_the_start_and_is_shown(run: Running) -> None:
    notes = Extension("notes")
    given: list[object] = []

    @notes.on_start
    async def begin(storage: Storage, events: Events) -> dict[str, int]:
        given.extend((storage, events))
        return {"read": 3, "much": 10**400}

    async with run(notes) as (storage, upkeep):
        await until(lambda: state(upkeep, "notes.begin").last_run is not None)
        last = state(upkeep, "notes.begin").last_run
        component = upkeep.health()["upkeep.notes.begin"]
    assert given[0] is storage
    assert isinstance(given[1], EventHub)
    assert last is not None
    assert (last.did, last.error) == ({"read": 3}, None)
    assert (component.ok, component.measures["read"]) == (True, 3.0)


async def test_a_function_queues_jobs(run: Running) -> None:
    notes = Extension("notes")

    @notes.job()
    def read_deck(job: RunningJob, path: str) -> None: ...

    @notes.on_start
    async def begin(jobs: Jobs) -> None:
        await jobs.start(read_deck, path="a.csv")
        await jobs.start(read_deck, path="b.csv")

    async with run(notes) as (storage, upkeep):
        await until(lambda: state(upkeep, "notes.begin").last_run is not None)
        queued = (await storage.get_jobs()).items
    assert [(job.name, job.arguments["path"]) for job in reversed(queued)] == [
        ("notes.read_deck", "a.csv"),
        ("notes.read_deck", "b.csv"),
    ]


async def test_a_plain_function_runs_in_a_thread(run: Running) -> None:
    notes = Extension("notes")
    threads: list[threading.Thread] = []

    @notes.on_start
    def begin() -> None:
        threads.append(threading.current_thread())

    async with run(notes):
        await until(lambda: bool(threads))
    assert threads[0] is not threading.current_thread()
    assert threads[0].daemon


@pytest.mark.parametrize("error", [ValueError("secret"), SystemExit(3), StopIteration()], ids=repr)
@pytest.mark.parametrize("is_plain", [False, True])
async def test_an_error_is_logged_and_retried_and_ends_nothing(
    run: Running, caplog: pytest.LogCaptureFixture, error: BaseException, is_plain: bool
) -> None:
    notes = Extension("notes")

    async def sync() -> None:
        raise error

    def sync_plainly() -> None:
        raise error

    name = notes.every(hours=1)(sync_plainly if is_plain else sync).__name__
    async with run(notes, starts=False) as (_, upkeep):
        done = await upkeep.run(f"notes.{name}")
        shown = state(upkeep, f"notes.{name}")
        health = upkeep.health()["upkeep"]
    assert done.error is not None
    assert "secret" not in done.error
    assert (shown.failures, health.ok, health.detail) == (1, False, f"failing: notes.{name}")
    assert shown.due_in_s is not None
    assert shown.due_in_s <= 60
    assert f"in {name}" in caplog.text


async def test_a_function_that_takes_long_does_not_hold_up_others(run: Running) -> None:
    notes = Extension("notes")
    released, ran = asyncio.Event(), asyncio.Event()

    @notes.on_start
    async def wait() -> None:
        await released.wait()

    @notes.on_start
    async def quick() -> None:
        ran.set()

    async with run(notes) as (_, upkeep), asyncio.timeout(10):
        await ran.wait()
        await until(lambda: state(upkeep, "notes.wait").is_running)
        released.set()
        await until(lambda: not state(upkeep, "notes.wait").is_running)


async def test_an_interval_counts_on_while_the_app_is_closed(run: Running) -> None:
    notes, clock = Extension("notes"), SetClock()

    @notes.every(hours=6)
    async def sync() -> None:
        """Do nothing."""

    async def due_in() -> float | None:
        async with run(notes, clock=clock, starts=False) as (_, upkeep):
            return state(upkeep, "notes.sync").due_in_s

    assert await due_in() == 5
    async with run(notes, clock=clock, starts=False) as (_, upkeep):
        await upkeep.run("notes.sync")
        assert state(upkeep, "notes.sync").due_in_s == 6 * 3600
    for hours, expected in ((1, 5 * 3600), (4, 3600), (2, 5)):
        clock.wait(timedelta(hours=hours))
        assert await due_in() == expected


@pytest.mark.parametrize("by", [timedelta(days=-1), timedelta(days=400)], ids=["back", "ahead"])
async def test_a_wrong_clock_does_not_stop_an_interval(run: Running, by: timedelta) -> None:
    notes, clock = Extension("notes"), SetClock()

    @notes.every(hours=6)
    async def sync() -> None:
        """Do nothing."""

    async with run(notes, clock=clock, starts=False) as (_, upkeep):
        await upkeep.run("notes.sync")
    clock.jump(by)
    async with run(notes, clock=clock, starts=False) as (_, upkeep):
        assert state(upkeep, "notes.sync").due_in_s == 5


async def test_a_time_that_another_program_wrote_counts_for_nothing(run: Running) -> None:
    notes = Extension("notes")

    @notes.every(hours=6)
    async def sync() -> None:
        """Do nothing."""

    def write(work: Work) -> None:
        work.connection.execute("INSERT INTO task_runs (name, ran_at) VALUES ('notes.sync', 'never')")

    async with run(starts=False) as (storage, _):
        await storage.write(write)
    async with run(notes, starts=False) as (_, upkeep):
        assert state(upkeep, "notes.sync").due_in_s == 5


async def test_short_intervals_repeat_and_store_nothing(run: Running) -> None:
    notes = Extension("notes")
    runs: list[float] = []

    @notes.every(seconds=1)
    async def tick() -> None:
        runs.append(SYSTEM_CLOCK.monotonic())

    async with run(notes) as (storage, _):
        await until(lambda: len(runs) == 2)
        assert await storage.get_task_runs() == {}
    assert runs[1] - runs[0] >= 0.9


async def test_a_change_runs_the_function_once_with_its_rows(run: Running) -> None:
    notes = Extension("notes")
    heard: list[Changes] = []

    @notes.on_change("todos", "notes.cards")
    async def index(changes: Changes) -> None:
        heard.append(changes)

    async with run(notes) as (storage, _):
        for number in range(3):
            await storage.insert_todo(f"todo {number}")
        await storage.update_todo(2, content="again")
        await storage.insert_tip("not a todo")
        await until(lambda: len(heard) == 1)
        await storage.delete_todo(3)
        await until(lambda: len(heard) == 2)
    assert [(changes.ids, changes.is_complete) for changes in heard] == [([1, 2, 3], True), ([3], True)]


async def test_own_changes_do_not_run_the_function_again(run: Running) -> None:
    notes = Extension("notes")
    own: list[list[int | str]] = []
    others: list[list[int | str]] = []

    @notes.on_change("todos")
    async def answer(storage: Storage, changes: Changes) -> None:
        own.append(changes.ids)
        await asyncio.create_task(_insert(storage))

    @notes.on_change("todos")
    async def listen(changes: Changes) -> None:
        others.extend([changes.ids])

    async with run(notes) as (storage, _):
        await storage.insert_todo("a page's")
        await until(lambda: sum(map(len, others)) == 2)
        await storage.insert_tip("a commit more, after which a run would have been due")
        await storage.insert_todo("a page's")
        await until(lambda: sum(map(len, others)) == 4)
    assert own == [[1], [3]]


async def _insert(storage: UnifiedStorage) -> None:
    await storage.insert_todo("the function's own")


async def test_changes_of_a_run_that_failed_are_given_to_the_next_one(run: Running) -> None:
    notes = Extension("notes")
    heard: list[Changes] = []

    @notes.on_change("todos")
    async def index(changes: Changes) -> None:
        heard.append(changes)
        if len(heard) == 1:
            raise ConnectionError

    async with run(notes) as (storage, upkeep):
        await storage.insert_todo("one")
        await until(lambda: state(upkeep, "notes.index").failures == 1)
        await storage.insert_todo("two")
        assert (state(upkeep, "notes.index").due_in_s or 0) > 30
        await upkeep.run("notes.index")
    assert [(changes.ids, changes.is_complete) for changes in heard] == [([1], True), ([1, 2], True)]


async def test_too_many_changes_and_a_restore_mean_everything(run: Running) -> None:
    notes = Extension("notes")
    heard: list[Changes] = []

    @notes.on_change("tips")
    async def index(changes: Changes) -> None:
        heard.append(changes)

    def many(work: Work) -> None:
        for number in range(MOST_CHANGES + 1):
            work.changed("tips", number)

    async with run(notes) as (storage, upkeep):
        await storage.write(many)
        await until(lambda: len(heard) == 1)
        await storage.restore_backup((await storage.create_backup()).name)
        await until(lambda: len(heard) == 2)
        await upkeep.run("notes.index")
    assert heard == [Changes((), False)] * 3


async def test_the_stop_runs_what_is_to_run_last_and_waits_for_a_bounded_time(
    run: Running, caplog: pytest.LogCaptureFixture
) -> None:
    notes = Extension("notes")
    ended: list[str] = []

    @notes.on_stop
    async def say_goodbye(storage: Storage) -> None:
        await storage.insert_tip("goodbye")
        ended.append("said")

    @notes.on_stop
    def never_ends() -> None:
        threading.Event().wait(30)

    @notes.on_start
    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async with run(notes) as (storage, upkeep):
        await until(lambda: state(upkeep, "notes.endless").is_running)
        started = SYSTEM_CLOCK.monotonic()
        with caplog.at_level(logging.WARNING):
            await upkeep.close()
        took = SYSTEM_CLOCK.monotonic() - started
        await upkeep.close()
        assert [tip.content for tip in (await storage.get_tips()).items] == ["goodbye"]
    assert ended == ["cancelled", "said"]
    assert 2 <= took < 4
    assert "notes.never_ends did not end within 2 s of the stop" in caplog.text


@pytest.mark.parametrize(
    "interval", [{}, {"seconds": 0.5}, {"hours": -1}, {"days": 4_000}, {"hours": float("nan")}], ids=str
)
def test_a_wrong_interval_is_refused(interval: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"from 1 s to 10 years|cannot convert"):
        Extension("notes").every(**interval)


@pytest.mark.parametrize(
    ("topics", "said"),
    [((), "at least one topic"), (("todoz",), "did you mean 'todos'"), (("app.theme",), "no rows have the topic")],
)
def test_an_unknown_topic_is_refused(topics: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Extension("notes").on_change(*topics)


def test_two_tasks_of_one_name_and_unknown_parameters_are_refused() -> None:
    notes = Extension("notes")

    @notes.on_start
    async def sync(card: int) -> None:
        """Do nothing."""

    with pytest.raises(ValueError, match=r"two tasks with the name notes\.sync"):
        notes.every(hours=1)(sync)
    with pytest.raises(ValueError, match=r"parameter 'card' of sync \(.*, line \d+\) must be Storage, Events or Jobs"):
        _ = notes.tasks


def test_a_function_without_a_plain_name_is_refused() -> None:
    with pytest.raises(ValueError, match="must be an ASCII identifier, which '<lambda>' is not"):
        Extension("notes").on_start(lambda: None)


async def test_a_function_of_the_stop_that_fails_by_hand_is_not_tried_again(run: Running) -> None:
    notes = Extension("notes")

    @notes.on_stop
    async def finish() -> None:
        raise ConnectionError

    async with run(notes, starts=False) as (_, upkeep):
        await upkeep.run("notes.finish")
        assert (state(upkeep, "notes.finish").failures, state(upkeep, "notes.finish").due_in_s) == (1, None)


def test_parameters_that_do_not_fit_the_kind_of_function_are_refused() -> None:
    notes, other = Extension("notes"), Extension("other")

    @notes.on_start
    def plain(storage: Storage) -> None:
        """Do nothing."""

    @other.on_start
    async def eager(changes: Changes) -> None:
        """Do nothing."""

    with pytest.raises(ValueError, match="make it `async def`"):
        _ = notes.tasks
    with pytest.raises(ValueError, match="which only `on_change` has"):
        _ = other.tasks
