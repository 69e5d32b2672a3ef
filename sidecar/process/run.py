"""The run: the event loop with the storage and the server, from opening to closing both."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from sidecar import API_VERSION, __version__, platform
from sidecar.api.app import create_app
from sidecar.api.context import Context
from sidecar.api.events import MAX_STREAMS, EventHub
from sidecar.api.fast_lane import FastLane
from sidecar.api.routes.transfer import IMPORT_PATH
from sidecar.api.security import SecurityGate
from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import Settings
from sidecar.errors import DataDirectoryNotWritable, DiskFull, NoRoomToStart, StorageReadOnly
from sidecar.jobs.runner import JobRunner
from sidecar.maintenance.folders import PlaceCheck
from sidecar.maintenance.scheduler import MaintenanceScheduler
from sidecar.models.doctor import Finding
from sidecar.process.capacity import MAX_CONNECTIONS
from sidecar.process.data_directory import DataDirectory, RunningSidecar, holding_databases, unusable
from sidecar.process.descriptors import connections_within
from sidecar.process.hosts import Host
from sidecar.process.server import Server
from sidecar.storage.factory import BackendConfig
from sidecar.storage.unified import UnifiedStorage, configured_backends

if TYPE_CHECKING:
    from sidecar.extension.declaration import Extension
    from sidecar.extension.running import RunningExtensions

log = logging.getLogger(__name__)

STAGE_REPEAT_S = 4.0
"""A host takes a silent sidecar for stuck, so a long stage is reported again."""

PUBLISH_AGAIN_S = 30.0


class Run:
    """One run of a sidecar, over a data directory that it owns and a socket that listens."""

    def __init__(
        self,
        host: Host,
        directory: DataDirectory,
        settings: Settings,
        token: str,
        instance: str,
        listener: socket.socket,
        descriptors: int,
        extensions: Sequence["Extension"] = (),
    ) -> None:
        """`descriptors` is how many files and connections the process may open."""
        self._extensions = extensions
        self._host = host
        self._directory = directory
        self._settings = settings
        self._token = token
        self._instance = instance
        self._listener = listener
        self._max_connections = min(MAX_CONNECTIONS, connections_within(descriptors))
        self._port: int = listener.getsockname()[1]
        self._stage: tuple[str, str] | None = None

    def to_its_end(self) -> None:
        """Serve until the host or a signal asks for the end. Raises the errors of opening the storage."""
        backends = configured_backends(self._settings, self._directory.path)
        files = [path for backend in backends if (path := backend.options.get("path")) is not None]
        with (
            holding_databases(files, self._directory.path, self._host),
            asyncio.Runner(loop_factory=platform.event_loop_factory()) as runner,
        ):
            runner.run(self._serve(backends))

    async def _serve(self, backends: Sequence[BackendConfig]) -> None:
        stop_reason: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._listen_for_the_end(stop_reason)
        own_tables = [extension.tables for extension in self._extensions]
        storage = UnifiedStorage.create(backends, self._announce, SYSTEM_CLOCK, own_tables)
        await self._open(storage)
        running: RunningExtensions | None = None
        try:
            max_streams = min(MAX_STREAMS, 2 * self._max_connections // 3)
            events = EventHub(self._instance, SYSTEM_CLOCK, max_streams=max_streams)
            storage.subscribe(events.on_changes)
            settings = self._settings
            kinds = [kind for extension in self._extensions for kind in extension.jobs]
            jobs = JobRunner(storage, events.publish, kinds, settings.jobs)
            running = self._running_extensions(storage, events, jobs)
            scheduler = MaintenanceScheduler(
                storage,
                settings.upkeep,
                events.publish,
                backups=settings.backups,
                own_tasks=() if running is None else await running.tasks(),
                jobs=jobs,
            )
            file = storage.database_file()
            place = PlaceCheck(None if file is None else file.parent)
            health = dict if running is None else running.health
            app = self._app(Context(storage, events, self._instance, scheduler, jobs, place, health))
            server = Server(self._gate(app), self._max_connections)
            await server.start(self._listener, None if running is None else await self._begin(running, app))
            self._publish(storage)
            place.begin(self._warn)
            scheduler.start()
            jobs.start()
            reason = await stop_reason
            log.info("stopping: %s", reason)
            self._host.report("stopping", reason=reason)
            events.close()
            # Functions of extensions that run at the stop have the time in which requests are finished.
            closing = asyncio.gather(scheduler.close(), jobs.close())
            await server.stop()
            await closing
        finally:
            if running is not None:
                await running.end()
            await storage.close()

    async def _open(self, storage: UnifiedStorage) -> None:
        try:
            async with self._repeating_stages():
                await storage.initialize()
        except DiskFull as error:
            raise NoRoomToStart(f"The sidecar cannot start: {error.message}") from error
        except StorageReadOnly as error:
            message = f"The database in {self._directory.path} cannot be written to; check the permissions of its file."
            raise DataDirectoryNotWritable(message) from error
        except OSError as error:
            place = error.filename or self._directory.path
            raise unusable(error, str(place), Path(place)) from error

    def _running_extensions(
        self, storage: UnifiedStorage, events: EventHub, jobs: JobRunner
    ) -> "RunningExtensions | None":
        if not self._extensions:
            return None
        from sidecar.extension.running import RunningExtensions

        return RunningExtensions(self._extensions, storage, events, jobs)

    async def _begin(self, running: "RunningExtensions", app: FastAPI) -> Mapping[str, Any]:
        """Begin the lifespans of the extensions, with stages for the host if that takes long."""
        from sidecar.process.extensions import reporting_again

        with reporting_again(self._host, "Starting the extensions"):
            return await running.begin(app)

    def _app(self, context: Context) -> FastAPI:
        return create_app(context, [extension.router for extension in self._extensions])

    def _gate(self, app: FastAPI) -> SecurityGate:
        server = self._settings.server
        return SecurityGate(
            FastLane(app) if server.fast_lane else app,
            token=self._token,
            port=self._port,
            allowed_origins=server.allowed_origins,
            max_body_bytes=server.max_body_bytes,
            max_body_bytes_of={IMPORT_PATH: server.max_import_bytes},
        )

    def _publish(self, storage: UnifiedStorage) -> None:
        url = f"http://127.0.0.1:{self._port}"
        file = storage.database_file()
        database = None if file is None else str(file)
        self._publish_file(RunningSidecar(url, self._token, self._instance, os.getpid(), database))
        log.info("ready at %s, instance %s, version %s", url, self._instance, __version__)
        self._host.report(
            "ready",
            port=self._port,
            pid=os.getpid(),
            instance=self._instance,
            version=__version__,
            api_version=API_VERSION,
            schema_version=storage.schema_version,
        )

    def _publish_file(self, running: RunningSidecar) -> None:
        """Publish `run.json`, and retry until there is room on the disk: only command-line tools need it."""
        try:
            self._directory.publish(running)
        except OSError as error:
            log.warning("command-line tools will not find this sidecar yet: %s", error)
            asyncio.get_running_loop().call_later(PUBLISH_AGAIN_S, self._publish_file, running)

    def _warn(self, finding: Finding) -> None:
        """Report the finding to the host. It is called from a thread of its own."""
        log.info("%s: %s", finding.subject, finding.message)
        self._host.report("warning", code=finding.subject.replace(" ", "_"), message=finding.message)

    def _listen_for_the_end(self, stop_reason: "asyncio.Future[str]") -> None:
        """Resolve `stop_reason` with the first reason to stop: the host's, or a signal."""
        loop = asyncio.get_running_loop()

        def decide(reason: str) -> None:
            if not stop_reason.done():
                stop_reason.set_result(reason)

        def decide_from_any_thread(reason: str) -> None:
            with suppress(RuntimeError):  # the loop has ended already
                loop.call_soon_threadsafe(decide, reason)

        self._host.on_stop(decide_from_any_thread)
        for number in platform.stop_signals():
            platform.on_signal(loop, number, lambda: decide("signal"))

    def _announce(self, stage: str, detail: str) -> None:
        """Report a stage to the host. It is called from the writer's thread."""
        self._stage = (stage, detail)
        self._host.report("stage", stage=stage, detail=detail)

    @asynccontextmanager
    async def _repeating_stages(self) -> AsyncIterator[None]:
        async def repeat() -> None:
            while True:
                await asyncio.sleep(STAGE_REPEAT_S)
                if self._stage is not None:
                    self._announce(*self._stage)

        repeating = asyncio.create_task(repeat())
        try:
            yield
        finally:
            repeating.cancel()
