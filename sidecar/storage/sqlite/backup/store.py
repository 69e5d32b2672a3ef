"""Backups of the open database, one piece of work at a time: making, verifying, restoring and removing them."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from sidecar.errors import Conflict, NotFound, StorageBusy, StorageClosed
from sidecar.models import timestamps
from sidecar.models.backups import ON_REQUEST, Backup, BackupList, Restored
from sidecar.models.health import Component
from sidecar.models.idempotency import IdempotencyKey
from sidecar.progress import Progress, ProgressCounter, ignore_progress
from sidecar.storage.capabilities import IBackups, RestoreJob
from sidecar.storage.interfaces import bookkeeping
from sidecar.storage.sqlite.backup import jobs, restore, snapshot
from sidecar.storage.sqlite.backup.cancellation import CancellationToken, in_background, yield_to_others
from sidecar.storage.sqlite.backup.directory import BEFORE_RESTORE, BackupDirectory
from sidecar.storage.sqlite.engine import idempotency
from sidecar.storage.sqlite.engine.connections import Prepare
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.errors import translate_errors
from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.files import atomic, wal
from sidecar.storage.sqlite.schema import upgrade

log = logging.getLogger(__name__)

T = TypeVar("T")


REST = 2.0
"""How many times as long as a step of copying took is rested after it, so that commits find the disk free."""


class Backups(IBackups):
    """The backups of one database."""

    def __init__(
        self,
        database: Database,
        prepare: Prepare,
        upgrade_copy: Prepare,
        after_open: Callable[[], Awaitable[None]],
    ) -> None:
        """`prepare` is done to the database whenever it is opened, and `after_open` when another one was put in place.

        `upgrade_copy` brings the copy of a backup up to date.
        """
        self._database = database
        self._prepare = prepare
        self._upgrade_copy = upgrade_copy
        self._after_open = after_open
        self._turn = asyncio.Lock()
        self._job: CancellationToken | None = None
        self._unchanged: tuple[str, int] | None = None
        """A backup that holds all but bookkeeping, as long as the database has had no more than so many changes."""
        self._has_ended = False

    async def create_backup(
        self, reason: str = ON_REQUEST, *, key: IdempotencyKey | None = None, progress: Progress = ignore_progress
    ) -> Backup:
        return await self._once(key, Backup, partial(self._create, reason, key), progress)

    async def get_backups(self) -> BackupList:
        if self._database.location is None:
            return BackupList(items=[])
        return BackupList(items=await asyncio.to_thread(self._directory.listed))

    async def verify_backup(self, name: str, *, progress: Progress = ignore_progress) -> Backup:
        async with self._working(progress) as job:
            return await _attended(self._verify(name, job), job)

    async def restore_backup(
        self,
        name: str,
        *,
        key: IdempotencyKey | None = None,
        progress: Progress = ignore_progress,
        job: RestoreJob | None = None,
    ) -> Restored:
        restored = await self._once(key, Restored, partial(self._restore, name, key, job), progress)
        if restored.kept is None:
            return restored
        # What was stored before the store was replaced could not say whether the former one is sound.
        return restored.model_copy(update={"kept": await asyncio.to_thread(self._found, restored.kept)})

    async def delete_backup(self, name: str) -> None:
        async with self._turn:
            await asyncio.to_thread(self._directory.delete, name)

    async def has_changed_since_backup(self) -> bool:
        if self._database.location is None:
            return False
        return await asyncio.to_thread(self._has_changed_since_backup)

    def _has_changed_since_backup(self) -> bool:
        newest = next((backup for backup in self._directory.listed() if backup.is_verified), None)
        if newest is None:
            return True
        changes = self._database.changes
        if self._unchanged == (newest.name, changes):
            return False
        before = self._directory.source_of(newest)
        # That a file is gone is no change: a write-ahead log is removed when all of it is in the database.
        if before is None or any(before.get(name) != state for name, state in wal.states(self._location).items()):
            return True
        self._unchanged = newest.name, changes
        return False

    def note_unchanged(self) -> None:
        """For the stop, when the file is closed: if only bookkeeping was written since the newest backup, remember how
        the file is now, so that the next run finds it unchanged.
        """
        if self._unchanged is None or self._unchanged[1] != self._database.changes:
            return
        try:
            self._directory.note_source(self._unchanged[0], wal.states(self._location))
        except OSError as error:
            log.warning("the next run may make a backup without need: %s", error)

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
            age = self._database.clock.now().timestamp() - timestamps.parse(verified[0].created_at).timestamp()
            measures["newest_age_s"] = round(max(age, 0.0), 3)
        damaged = [backup.name for backup in backups if backup.damage]
        if damaged:
            return Component(ok=bool(verified), detail=f"damaged: {', '.join(damaged)}", measures=measures)
        return Component(ok=True, detail=None if verified else "there is no verified one yet", measures=measures)

    @property
    def _directory(self) -> BackupDirectory:
        return BackupDirectory.beside(self._location, self._database.clock)

    @property
    def _location(self) -> Path:
        if self._database.location is None:
            raise Conflict("Everything is kept in memory, so there are no backups; see the setting database.enabled.")
        return self._database.location

    async def _once(
        self,
        key: IdempotencyKey | None,
        returns: type[T],
        do: Callable[[CancellationToken], Awaitable[T]],
        progress: Progress,
    ) -> T:
        """Return the result of `do`, or of the first time for a key that was used. `do` must store the key itself."""
        async with self._working(progress) as job:
            if key is not None:
                remembered = await self._database.read(lambda connection: idempotency.recall(connection, key))
                if remembered is not None:
                    return idempotency.decode(remembered, returns)  # type: ignore[no-any-return]
            return await _attended(do(job), job)

    @asynccontextmanager
    async def _working(self, progress: Progress) -> AsyncIterator[CancellationToken]:
        async with self._turn:
            if self._has_ended:
                raise StorageClosed("The storage is closing; nothing was changed.")
            job = self._job = CancellationToken(progress)
            try:
                yield job
            finally:
                self._job = None
                job.stop()

    async def _create(self, reason: str, key: IdempotencyKey | None, job: CancellationToken) -> Backup:
        if key is None:
            return await self._make(self._directory.next_path(upgrade.latest_version(), reason).name, job)
        # Its name is stored under the key first, so that a repeated request finds what is there already.
        planned = await self._database.read(lambda connection: idempotency.planned(connection, key))
        backup = None if planned is None else await self._made_before(planned, job)
        if backup is None:
            name = self._directory.next_path(upgrade.latest_version(), reason).name
            await self._database.write(bookkeeping(lambda work: idempotency.plan(work.connection, key, name, work.now)))
            backup = await self._make(name, job)
        done = backup
        await self._database.write(
            bookkeeping(lambda work: idempotency.remember_across_restores(work.connection, key, done, work.now))
        )
        return backup

    async def _made_before(self, name: str, job: CancellationToken) -> Backup | None:
        """The backup of this name, if it was made before the process ended."""
        try:
            return await self._verify(name, job)
        except (NotFound, Conflict):
            return None

    async def _make(self, name: str, job: CancellationToken) -> Backup:
        directory = self._directory
        destination = directory.path / name
        changes, source = self._database.changes, wal.states(self._location)
        half_made = atomic.partial_of(destination)
        atomic.make_directory(directory.path)
        try:
            rows = await self._database.read_isolated(partial(self._copy, half_made, job))

            def finish() -> Backup:
                with translate_errors():
                    made = snapshot.finish(half_made, destination, rows, job=job)
                if made.broken_references:
                    log.warning("%d rows refer to missing rows; the backup has them", made.broken_references)
                return directory.record(made, job, source)

            made = await in_background(finish)
            self._unchanged = made.name, changes
            return made
        finally:
            half_made.unlink(missing_ok=True)

    def _copy(self, half_made: Path, job: CancellationToken, source: sqlite3.Connection) -> dict[str, int]:
        began: float | None = None
        monotonic = self._database.clock.monotonic

        def between_steps() -> None:
            nonlocal began
            if self._database.is_held:
                raise StorageBusy("The store is being replaced; try again in a moment.")
            job.raise_if_cancelled(after_s=0.0 if began is None else (monotonic() - began) * REST)
            began = monotonic()

        yield_to_others()
        job.progress.expect(snapshot.PASSES * snapshot.size_of(source))
        return snapshot.copy(source, half_made, between_steps, job.progress)

    async def _verify(self, name: str, job: CancellationToken) -> Backup:
        def verify() -> Backup:
            job.progress.expect(self._directory.bytes_to_prove(name))
            return self._directory.prove(name, job)

        return await in_background(verify)

    async def _restore(
        self, name: str, key: IdempotencyKey | None, own: RestoreJob | None, job: CancellationToken
    ) -> Restored:
        directory, location = self._directory, self._location
        self._database.file.check()
        self._database.file.require()
        kept = directory.next_path(upgrade.latest_version(), BEFORE_RESTORE)
        outliving = await self._database.read(idempotency.outliving)
        own_job = await self._database.read(partial(jobs.read_own, job=own))

        def get_ready() -> tuple[Restored, Path]:
            to_be_kept = _to_be_kept(location, kept.name, timestamps.now(self._database.clock))
            job.progress.expect(directory.bytes_to_restore(name))
            restored = Restored(restored=directory.prove(name, job), kept=to_be_kept)

            def prepare_copy(connection: sqlite3.Connection) -> None:
                self._upgrade_copy(connection)
                # A repeated request must find its key as soon as there is a new store.
                with transaction(connection):
                    idempotency.carry_over(connection, outliving)
                    jobs.settle(connection, self._database.clock, own_job, restored)
                    if key is not None:
                        now = timestamps.now(self._database.clock)
                        idempotency.remember_across_restores(connection, key, restored, now)

            backup = directory.path_of(restored.restored)
            directory.prove_unknown(job)
            return restored, restore.ready_copy(backup, location, job, prepare_copy, directory.usable_file)

        restored, copy = await in_background(get_ready)
        with ExitStack() as stack:
            stack.callback(restore.discard, copy)

            def put_in_place() -> None:
                job.progress.begin("replacing the database")
                stack.enter_context(directory.noting_restore(name, copy))
                restore.put_in_place(copy, location, kept)

            await self._database.reopen(put_in_place, self._prepare, partial(restore.put_back, location, kept))
        log.warning(
            "the store was replaced by the backup %s; as it was, it is kept as %s", restored.restored.name, kept.name
        )
        job.progress = ProgressCounter()  # the new store says that it is done
        self._unchanged = None
        await self._after_open()
        return restored.model_copy(update={"kept": await self._record_kept(directory, kept.name, job)})

    def _found(self, backup: Backup) -> Backup:
        """The backup as it is listed now, or as it was."""
        try:
            return self._directory.find(backup.name)
        except NotFound:
            return backup

    async def _record_kept(self, directory: BackupDirectory, name: str, job: CancellationToken) -> Backup:
        try:
            return await in_background(partial(directory.prove, name, job))
        except (Conflict, StorageBusy) as error:
            # What was asked for is done; that the former store is in a bad state is for the list to say.
            log.warning("the store as it was could not be verified: %s", error.message)
            return directory.find(name)


def _to_be_kept(location: Path, name: str, now: str) -> Backup:
    """Describe the store as the backup that it is going to be."""
    return Backup(
        name=name,
        created_at=now,
        reason=BEFORE_RESTORE,
        bytes=location.stat().st_size,
        schema_version=upgrade.latest_version(),
    )


async def _attended(work: Awaitable[T], job: CancellationToken) -> T:
    """Return the result of `work`. A caller that is cancelled has it end soon, and waits for that end."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        job.stop()
        await asyncio.gather(task, return_exceptions=True)
        raise
