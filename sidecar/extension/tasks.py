"""Functions of an extension that run by themselves: in intervals, at the start, at the stop, and after changes.

They are tasks of the upkeep: `GET /upkeep` shows them as `<namespace>.<function>`, one that fails is retried with
growing pauses, and nothing that it raises ends the sidecar.
"""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar

from sidecar.extension.changes import Changes, Collector, require_topic
from sidecar.extension.parameters import Surroundings, arguments_for, parameters_of, place_of
from sidecar.maintenance.schedule import Timing
from sidecar.maintenance.steps import Steps
from sidecar.maintenance.tasks import Task
from sidecar.models import timestamps
from sidecar.models.base import MAX_INTEGER
from sidecar.storage.interfaces import CHANGED_BY
from sidecar.storage.unified import UnifiedStorage

F = TypeVar("F", bound=Callable[..., Any])

LEAST_INTERVAL_S = 1.0
LARGEST_INTERVAL_S = timedelta(days=3_650).total_seconds()

MAX_NAME = 200
"""Characters of a task's name; see `OwnTaskName`."""

MOST_NUMBERS = 20
"""Numbers that one run reports; each becomes a measure of the health check."""

FIRST_S = 5.0
"""Seconds after the start before a function runs that is overdue: pages load first."""

NOTED_FROM_S = 300.0
"""Functions with shorter intervals run soon after each start anyway, so their runs need no write."""


@dataclass
class OwnTask:
    """One function, and when it runs."""

    name: str
    function: Callable[..., Any]
    every_s: float | None = None
    is_first: bool = False
    is_last: bool = False
    topics: frozenset[str] = frozenset()

    def require_callable(self) -> None:
        """Raise `ValueError` for a parameter that the function cannot have."""
        for name, kind in parameters_of(self.function, Changes).items():
            place = f"the parameter '{name}' of {place_of(self.function)}"
            if kind is Changes and not self.topics:
                raise ValueError(f"{place} is Changes, which only `on_change` has")
            if kind is not Changes and not inspect.iscoroutinefunction(self.function):
                raise ValueError(f"{place} cannot be used in a thread, where plain functions run; make it `async def`")


class Tasks:
    """The part of an extension that declares such functions."""

    namespace: str

    def __init__(self) -> None:
        self._own_tasks: dict[str, OwnTask] = {}

    def every(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> Callable[[F], F]:
        """Return a decorator for a function that runs in this interval, from 1 s to 10 years.

        The time since its last run counts on while the app is closed: one that is overdue runs 5 s after the start.
        Raises `ValueError` for another interval.
        """
        every_s = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
        if not LEAST_INTERVAL_S <= every_s <= LARGEST_INTERVAL_S:
            raise ValueError(f"an interval of {every_s:g} s is not from 1 s to 10 years")
        return lambda function: self._add(function, every_s=every_s)

    def on_start(self, function: F) -> F:
        """Run the function once the sidecar serves. A decorator."""
        return self._add(function, is_first=True)

    def on_stop(self, function: F) -> F:
        """Run the function when the sidecar stops, for 2 s at most. A decorator.

        It does not run when the process is killed or its host is gone.
        """
        return self._add(function, is_last=True)

    def on_change(self, *topics: str) -> Callable[[F], F]:
        """Return a decorator for a function that runs after commits that changed rows of these topics.

        Changes of a quarter of a second are one run; a parameter `changes: Changes` has them. Changes that the function
        itself makes are left out. Raises `ValueError` for a topic that no rows have.
        """
        if not topics:
            raise ValueError("name at least one topic, such as on_change('todos')")
        for topic in topics:
            require_topic(topic)
        return lambda function: self._add(function, topics=frozenset(topics))

    def _add(self, function: F, **options: Any) -> F:
        name = f"{self.namespace}.{function.__name__}"
        if not (function.__name__.isidentifier() and name.isascii() and len(name) <= MAX_NAME):
            raise ValueError(f"the name of a task must be an ASCII identifier, which '{function.__name__}' is not")
        if name in self._own_tasks:
            raise ValueError(f"there are two tasks with the name {name}; rename one of the functions")
        self._own_tasks[name] = OwnTask(name, function, **options)
        return function

    @property
    def tasks(self) -> tuple[OwnTask, ...]:
        """The functions in the order of their declaration. Raises `ValueError` for a parameter that none can have."""
        for task in self._own_tasks.values():
            task.require_callable()
        return tuple(self._own_tasks.values())


def upkeep_tasks(declared: Sequence[OwnTask], surroundings: Surroundings, last_runs: Mapping[str, str]) -> list[Task]:
    """Return the functions as tasks of the upkeep; `last_runs` are the stored times of their last runs."""
    return [_upkeep_task(task, surroundings, last_runs.get(task.name)) for task in declared]


def _upkeep_task(task: OwnTask, surroundings: Surroundings, last_run: str | None) -> Task:
    collector = Collector(task.name, task.topics)

    async def run(steps: Steps) -> None:
        if not task.is_last:
            await steps.until_idle()
        changes = collector.take()
        arguments = arguments_for(task.function, surroundings, changes=changes)
        token = CHANGED_BY.set(task.name)
        try:
            result = await _call(task.function, arguments)
        except BaseException as error:
            collector.put_back(changes)
            if isinstance(error, SystemExit):
                raise RuntimeError(f"{place_of(task.function)} ends the program") from error
            raise
        finally:
            CHANGED_BY.reset(token)
        steps.did.update(_numbers_in(result))
        if task.every_s is not None and task.every_s >= NOTED_FROM_S:
            await surroundings.storage.note_task_run(task.name)

    return Task(
        task.name,
        _timing(task, surroundings.storage, last_run),
        run,
        has_own_turn=True,
        is_last=task.is_last,
        heed=collector.heed if task.topics else None,
    )


def _numbers_in(result: Any) -> dict[str, int]:
    """Return the whole numbers by name that a function returned as what it did; anything else is none of them."""
    if not isinstance(result, Mapping):
        return {}
    numbers = {f"{name}"[:MAX_NAME]: number for name, number in result.items() if type(number) is int}
    return {name: number for name, number in islice(numbers.items(), MOST_NUMBERS) if abs(number) <= MAX_INTEGER}


def _timing(task: OwnTask, storage: UnifiedStorage, last_run: str | None) -> Timing:
    if task.is_first:
        return Timing(first_s=0)
    if task.every_s is None:
        return Timing()
    return Timing(_first_after(task.every_s, storage, last_run), task.every_s)


def _first_after(every_s: float, storage: UnifiedStorage, last_run: str | None) -> float:
    """Return the seconds from the start to the first run.

    A last run that lies in the future was noted by a clock that was wrong, then or now: the function is due.
    """
    left = 0.0
    if last_run is not None:
        try:
            since = (storage.clock.now() - timestamps.parse(last_run)).total_seconds()
        except ValueError:  # another program wrote it
            since = every_s
        left = every_s - since if since >= 0 else 0
    return max(left, min(every_s, FIRST_S))


async def _call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call the function; one that is not `async` in a thread of its own."""
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    result = await _in_thread(lambda: function(**arguments))
    return await result if inspect.isawaitable(result) else result


def _in_thread(call: Callable[[], Any]) -> Awaitable[Any]:
    """Call it in a thread that a stop need not wait for: the pool of the event loop has none of these."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()

    def report(result: Any, error: BaseException | None) -> None:
        if answer.done():
            return
        if isinstance(error, StopIteration):  # which no future takes
            wrapped = RuntimeError(f"it ended with {error!r}")
            wrapped.__cause__ = error
            answer.set_exception(wrapped)
        elif error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)

    def work() -> None:
        result, failure = None, None
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(report, result, failure)

    threading.Thread(target=copy_context().run, args=(work,), name="extension task", daemon=True).start()
    return answer
