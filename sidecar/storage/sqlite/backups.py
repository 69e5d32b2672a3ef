"""Backups of the open database, one piece of work at a time: making, verifying, restoring and removing them."""

import asyncio
import logging
import sqlite3
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import time
from typing import TypeVar

from sidecar.errors import Conflict, StorageBusy, StorageClosed
from sidecar.models import timestamps
from sidecar.models.backups import ON_REQUEST, Backup, BackupList, Restored
from sidecar.models.health import Component
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import Timestamp
from sidecar.storage.sqlite import files, idempotency, log_file, restoring, schema, snapshot
from sidecar.storage.sqlite.background import Job, in_background, yield_to_others
from sidecar.storage.sqlite.backup_directory import BackupDirectory, backup_name
from sidecar.storage.sqlite.table import Domain
from sidecar.storage.stores.backups import IBackupStore

log = logging.getLogger(__name__)

T = TypeVar("T")


REST = 2.0
"""How many times as long as a step of copying took is rested after it, so that commits find the disk free."""

Prepare = Callable[[sqlite3.Connection], object]


class Backups(Domain, IBackupStore):
    _prepare: Prepare
    """What is done to a connection of the writer before anything else."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = asyncio.Lock()
        self._job: Job | None = None
        self._has_ended = False

    @abstractmethod
    async def _settle_in(self) -> None:
        """What every store has done to it when it has been opened."""

    async def create_backup(self, reason: str = ON_REQUEST, *, key: IdempotencyKey | None = None) -> Backup:
        return await self._once(key, Backup, partial(self._create, reason))

    async def get_backups(self) -> BackupList:
        if self._database.location is None:
            return BackupList(items=[])
        return BackupList(items=await asyncio.to_thread(self._directory.listed))

    async def verify_backup(self, name: str) -> Backup:
        return await self._once(None, Backup, partial(self._verify, name))

    async def restore_backup(self, name: str, *, key: IdempotencyKey | None = None) -> Restored:
        return await self._once(key, Restored, partial(self._restore, name))

    async def delete_backup(self, name: str) -> None:
        async with self._turn:
            await asyncio.to_thread(self._directory.delete, name)

    async def get_last_change(self) -> Timestamp | None:
        location = self._database.location
        if location is None:
            return None
        files = (location, log_file.log_path(location))
        changes = [file.stat().st_mtime for file in files if file.exists() and file.stat().st_size > 0]
        return timestamps.render(datetime.fromtimestamp(max(changes), UTC)) if changes else None

    async def end_backups(self) -> None:
        """Have what is under way end, and let nothing new begin."""
        self._has_ended = True
        if self._job is not None:
            self._job.stop()
        async with self._turn:
            pass

    async def backups_component(self) -> Component:
        """For the health check: how many there are, and the age of the newest verified one in seconds."""
        backups = (await self.get_backups()).items
        verified = [backup for backup in backups if backup.is_verified]
        measures = {"count": float(len(backups)), "verified": float(len(verified))}
        if verified:
            age = time() - timestamps.parse(verified[0].created_at).timestamp()
            measures["newest_age_s"] = round(max(age, 0.0), 3)
        damaged = [backup.name for backup in backups if backup.damage]
        if damaged:
            return Component(ok=bool(verified), detail=f"damaged: {', '.join(damaged)}", measures=measures)
        return Component(ok=True, detail=None if verified else "there is no verified one yet", measures=measures)

    @property
    def _directory(self) -> BackupDirectory:
        return BackupDirectory.beside(self._location)

    @property
    def _location(self) -> Path:
        if self._database.location is None:
            raise Conflict("Everything is kept in memory, so there are no backups; see the setting database.enabled.")
        return self._database.location

    async def _once(self, key: IdempotencyKey | None, returns: type[T], do: Callable[[Job], Awaitable[T]]) -> T:
        """What `do` returns, or with a key that was used before, returned then."""
        async with self._working() as job:
            if key is None:
                return await _attended(do(job), job)
            remembered = await self._database.read(lambda connection: idempotency.recall(connection, key))
            if remembered is not None:
                return idempotency.decode(remembered, returns)  # type: ignore[no-any-return]
            done = await _attended(do(job), job)
            return await self._database.write(lambda _: done, key, returns)

    @asynccontextmanager
    async def _working(self) -> AsyncIterator[Job]:
        async with self._turn:
            if self._has_ended:
                raise StorageClosed("The storage is closing; nothing was changed.")
            job = self._job = Job()
            try:
                yield job
            finally:
                self._job = None
                job.stop()

    async def _create(self, reason: str, job: Job) -> Backup:
        directory = self._directory
        destination = directory.path / backup_name(schema.latest_version(), reason)
        half_made = files.partial_of(destination)
        directory.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            rows = await self._database.read_at_length(partial(self._copy, half_made, job))

            def finish() -> Backup:
                made = snapshot.finish(half_made, destination, rows, job=job)
                if made.broken_references:
                    log.warning("%d rows refer to rows that are not there; the backup has them", made.broken_references)
                return directory.record(made, job)

            return await in_background(finish)
        finally:
            half_made.unlink(missing_ok=True)

    def _copy(self, half_made: Path, job: Job, source: sqlite3.Connection) -> dict[str, int]:
        def between_steps(took_s: float) -> None:
            if self._database.is_held:
                raise StorageBusy("The store is being replaced; try again in a moment.")
            job.go_on(after_s=took_s * REST)

        yield_to_others()
        return snapshot.copy(source, half_made, between_steps)

    async def _verify(self, name: str, job: Job) -> Backup:
        return await in_background(partial(self._directory.prove, name, job))

    async def _restore(self, name: str, job: Job) -> Restored:
        directory, location = self._directory, self._location
        self._database.file.check()
        self._database.file.require()

        def get_ready() -> tuple[Backup, Path]:
            backup = directory.prove(name, job)
            return backup, restoring.ready_copy(directory.path_of(backup), location, job)

        backup, copy = await in_background(get_ready)
        kept = directory.path / backup_name(schema.latest_version(), restoring.BEFORE_RESTORE)
        try:
            await self._database.reopen(
                partial(restoring.put_in_place, copy, location, kept),
                self._prepare,
                partial(restoring.put_back, location, kept),
            )
        finally:
            restoring.discard(copy)
        log.warning("the store was replaced by the backup %s; as it was, it is kept as %s", backup.name, kept.name)
        await self._settle_in()
        return Restored(restored=backup, kept=await self._record_kept(directory, kept.name, job))

    async def _record_kept(self, directory: BackupDirectory, name: str, job: Job) -> Backup:
        try:
            return await in_background(partial(directory.prove, name, job))
        except (Conflict, StorageBusy) as error:
            # What was asked for is done; that the former store is in a bad state is for the list to say.
            log.warning("the store as it was could not be verified: %s", error.message)
            return directory.find(name)


async def _attended(work: Awaitable[T], job: Job) -> T:
    """What `work` returns. A caller that is cancelled has it end soon, and waits for that end."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        job.stop()
        await asyncio.gather(task, return_exceptions=True)
        raise
