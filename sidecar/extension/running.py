"""The extensions of one run: their lifespans, their tasks, and the watch over the event loop."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI

from sidecar.api.events import EventHub
from sidecar.extension.declaration import Extension
from sidecar.extension.jobs import JobQueue
from sidecar.extension.lifespans import Lifespans
from sidecar.extension.parameters import Surroundings
from sidecar.extension.places import OwnFiles
from sidecar.extension.tasks import upkeep_tasks
from sidecar.extension.watch import LoopWatch
from sidecar.jobs.runner import JobRunner
from sidecar.maintenance.tasks import Task
from sidecar.models.health import Component
from sidecar.storage.unified import UnifiedStorage


class RunningExtensions:
    """All that extensions do besides answering requests, from `begin` to `end`."""

    def __init__(
        self, extensions: Sequence[Extension], storage: UnifiedStorage, events: EventHub, jobs: JobRunner
    ) -> None:
        self._extensions = extensions
        self._surroundings = Surroundings(storage, events, JobQueue(jobs, storage.write))
        files = OwnFiles(extension.module for extension in extensions if extension.module is not None)
        self._lifespans = Lifespans(extensions, files)
        self._watch = LoopWatch(files, storage.clock)

    async def tasks(self) -> list[Task]:
        """Return the declared functions as tasks of the upkeep."""
        declared = [task for extension in self._extensions for task in extension.tasks]
        last_runs = await self._surroundings.storage.get_task_runs() if declared else {}
        return upkeep_tasks(declared, self._surroundings, last_runs)

    async def begin(self, app: FastAPI) -> dict[str, Any]:
        """Begin the lifespans, then the watch; return the state for requests. Raises `ExtensionRefused`."""
        state = await self._lifespans.begin(app, self._surroundings)
        self._watch.start()
        return state

    def health(self) -> Mapping[str, Component]:
        """Return the component `extensions`."""
        return self._watch.health()

    async def end(self) -> None:
        """End both; in the task that began them."""
        self._watch.stop()
        await self._lifespans.end()
