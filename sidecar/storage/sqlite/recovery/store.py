"""Opening a database that may be damaged, noticing damage while it is open, and the reports of both.

The recovery itself is in `recovery/ladder.py`, what is looked at in `integrity.py`.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from sidecar.clock import Clock
from sidecar.errors import DatabaseBeyondRepair, DatabaseDamaged, DiskFailed, SidecarError
from sidecar.models import timestamps
from sidecar.models.events import RECOVERY_TOPIC
from sidecar.models.health import Component
from sidecar.models.recovery import IntegrityReport, RecoveryReport, RecoveryReports
from sidecar.storage.capabilities import IRecovery
from sidecar.storage.interfaces import Change, StageListener
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.engine.connections import Prepare
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.files import disk_reads, integrity
from sidecar.storage.sqlite.files.integrity import OpenCheck
from sidecar.storage.sqlite.recovery import opening, rescue
from sidecar.storage.sqlite.recovery.ladder import Recovery
from sidecar.storage.sqlite.schema import upgrade

log = logging.getLogger(__name__)

CHECK_EVERY = timedelta(days=7)

MOST_RECOVERIES = 3
"""Number of recoveries in one run: a disk that damages what was just repaired needs another cure."""


class OpenDatabase(Protocol):
    """Opens a database with everything that does not depend on its file."""

    def __call__(self, location: Path | None, prepare: Prepare, *, lacks_room: bool = False) -> Awaitable[Database]: ...


class Recoveries(IRecovery):
    """The recoveries of one database, which this opens and closes."""

    _database: Database

    def __init__(
        self, path: Path | None, open_database: OpenDatabase, prepare: Prepare, announce: StageListener, clock: Clock
    ) -> None:
        """`path` is `None` for a database in memory; `prepare` is done to it whenever it is opened."""
        self._path = path
        self._open_database = open_database
        self._prepare = prepare
        self._clock = clock
        self._recovery: Recovery | None = None
        if path is not None:
            self._backups = BackupDirectory.beside(path, clock)
            self._recovery = Recovery(path, self._backups.path, announce, clock)
        self._reports: list[RecoveryReport] = []
        self._begun_recoveries = 0
        self._recovering: asyncio.Task[None] | None = None
        self._rescuing: asyncio.Task[None] | None = None
        self._loss: RecoveryReport | None = None
        self._checked_at: str | None = None
        self._check_is_due = False
        self._last_used_at: datetime | None = None
        self._disk_failure: str | None = None
        """The error of the disk that the last recovery met."""

    async def open_with_recovery(self) -> Database:
        """Open the database; repair or replace its file first where that is needed.

        Raises `StartRefused`: `DatabaseBeyondRepair` for one that cannot be repaired, and what `check_version` raises.
        """
        if self._path is None or self._recovery is None:
            self._database = await self._open_database(None, self._prepare)
            return self._database
        with disk_reads.reporting_disk_errors(self._path):
            self._recovery.finish_interrupted()
        self._database = await self._open_or_recover(self._path, self._recovery)
        try:
            self.note_that_it_is_open()
        except BaseException:
            await self._database.close()
            raise
        self._watch()
        return self._database

    async def open_for_reading(self, require_current: Prepare) -> Database:
        """Open a database that `open_with_recovery` could not open, on a disk without room.

        Raises `NoRoomToStart` when it cannot be read before something was written to it.
        """
        self._database = await self._open_database(self._path, require_current, lacks_room=True)
        self._read_reports()
        self._watch()
        return self._database

    async def _open_or_recover(self, path: Path, recovery: Recovery) -> Database:
        try:
            return await self._open_checked()
        except (DatabaseDamaged, DiskFailed) as failure:
            log.warning("%s The file is read and checked once more.", failure.message)
        # SQLite reports an error of the disk as damage, too.
        await asyncio.to_thread(disk_reads.require_readable, path)
        try:
            return await self._open_checked()
        except DatabaseDamaged as damage:
            cause = damage.message
        try:
            await asyncio.to_thread(partial(recovery.run, cause, is_confirmed=True))
            return await self._open_checked()
        except DatabaseDamaged as still:
            raise DatabaseBeyondRepair(f"{path} is damaged and could not be repaired.") from still

    async def _open_checked(self) -> Database:
        with self.checked() as check_and_prepare:
            return await self._open_database(self._path, check_and_prepare)

    @contextmanager
    def checked(self) -> Iterator[Prepare]:
        """Settle the closed file of the database until it is open; yield what checks and prepares it when it opens."""
        path, recovery = self._path, self._recovery
        assert path is not None
        assert recovery is not None
        with disk_reads.reporting_disk_errors(path):
            opening.settle(recovery, path, self._backups.path)
            upgrade.check_version(path, self._backups.usable_file)
            keeper = opening.LogKeeper(recovery, path)
            check = OpenCheck(path, recovery.log_reports.index, self._clock)
            self._last_used_at = self._last_used_at or check.last_used_at

        def check_and_prepare(connection: sqlite3.Connection) -> None:
            check.run(connection, keeper.keep)
            self._prepare(connection)
            self._checked_at, self._check_is_due = check.checked_at, check.is_check_due

        with keeper:
            yield check_and_prepare

    def _watch(self) -> None:
        """Have damage and loss of the file noticed."""
        self._database.on_damage(self._begin_recovery)
        self._database.file.on_loss(lambda _: self._begin_rescue())

    def _read_reports(self) -> None:
        if self._recovery is not None:
            self._reports = self._recovery.reports.all()

    def note_that_it_is_open(self) -> None:
        """Take away the mark of a clean stop, and read the reports of the opening."""
        assert self._path is not None
        # From here on its absence says that the database is open, or was not closed.
        integrity.mark_path(self._path).unlink(missing_ok=True)
        self._read_reports()

    async def until_recovered(self) -> None:
        """Wait for the end of a recovery that is under way."""
        while self._recovering is not None:
            await self._recovering

    async def close_cleanly(self) -> None:
        """Close the database and remember how it was left, unless its file is lost; then save what it held first."""
        await self.until_recovered()
        is_lost = self.check_file()
        if is_lost:
            await self._finish_rescue()
        await self._database.close()
        path, recovery, self._recovery = self._database.location, self._recovery, None
        if is_lost:
            log.error("stopped without the database file: %s", self._loss and self._loss.sentence())
        elif path is not None and recovery is not None:
            try:
                integrity.leave_mark(path, self._checked_at)
            except OSError as error:
                log.warning("the next start will check the database: %s", error)

    def check_file(self) -> bool:
        """Return whether the open file is no longer the one at its path; if so, begin to save what it held."""
        is_lost = self._database.file.check()
        if is_lost:
            self._begin_rescue()
        return is_lost

    async def get_recoveries(self) -> RecoveryReports:
        return RecoveryReports(items=[] if self._recovery is None else self._reports)

    async def acknowledge_recoveries(self) -> RecoveryReports:
        if self._recovery is not None and any(report.acknowledged_at is None for report in self._reports):
            self._reports = await asyncio.to_thread(self._recovery.reports.acknowledge)
            await self._tell("acknowledged", {})
        return await self.get_recoveries()

    def integrity_check_is_due(self) -> bool:
        if self._recovery is None:
            return False
        if self._check_is_due or self._checked_at is None:
            return True
        return timestamps.has_passed(self._checked_at, CHECK_EVERY, self._database.clock.now())

    async def check_integrity(self) -> IntegrityReport:
        started = self._database.clock.monotonic()
        problems = await self._database.read_isolated(integrity.problems)
        self._check_is_due = False
        if problems:
            self._begin_recovery(DatabaseDamaged(problems[0]))
        else:
            self._checked_at = timestamps.now(self._clock)
        took_ms = round((self._database.clock.monotonic() - started) * 1000, 3)
        return IntegrityReport(is_sound=not problems, problems=problems, took_ms=took_ms)

    def last_used_at(self) -> datetime | None:
        return self._last_used_at

    def database_file(self) -> Path | None:
        return self._database.location

    def recovery_health(self) -> Component:
        """The state of the database's file, as far as it is known."""
        if self._recovering is not None:
            return Component(ok=False, detail="the database is being recovered")
        if self._disk_failure is not None:
            return Component(ok=False, detail=self._disk_failure)
        if self._database.file.loss is not None:
            saving = f"{self._database.file.loss} What it held is being saved."
            return Component(ok=False, detail=saving if self._loss is None else self._loss.sentence())
        unread = [] if self._recovery is None else [report for report in self._reports if not report.acknowledged_at]
        detail = " ".join(report.sentence() for report in unread) or None
        return Component(ok=True, detail=detail, measures={"not_acknowledged": float(len(unread))})

    def _begin_recovery(self, damage: SidecarError) -> None:
        """Called on the event loop by whatever meets damage; all but the first call of a recovery do nothing."""
        if self._recovery is None or self._recovering is not None or self._begun_recoveries >= MOST_RECOVERIES:
            return
        if self.check_file():  # what is damaged is another file
            return
        self._begun_recoveries += 1
        self._recovering = asyncio.create_task(self._recover(self._recovery, damage.message), name="recovery")

    async def _recover(self, recovery: Recovery, cause: str) -> None:
        # A file that passed its check and is met damaged again is not what the check says.
        is_again = self._begun_recoveries > 1
        is_confirmed = is_again and bool(self._reports) and self._reports[0].outcome == "nothing_found"
        try:
            run = partial(recovery.run, cause, is_confirmed=is_confirmed)
            report = await self._database.reopen(run, self._prepare)
        except DiskFailed as failure:
            self._disk_failure = failure.message
            log.error("the recovery failed: %s", failure.message)
        except Exception:
            log.exception("the recovery failed")
        else:
            self._disk_failure = None
            self._reports = await asyncio.to_thread(recovery.reports.all)
            self._checked_at = timestamps.now(self._clock)
            await self._tell(report.id, _outcome(report))
        finally:
            self._recovering = None

    def _begin_rescue(self) -> None:
        """Save what a lost file held, in the background, unless that was done; one that failed is tried again."""
        is_saved = self._loss is not None and self._loss.rescued is not None
        if self._recovery is not None and self._rescuing is None and not is_saved:
            self._rescuing = asyncio.create_task(self._rescue(self._recovery), name="rescue")

    async def _finish_rescue(self) -> None:
        """Return when what a lost file held is saved or cannot be. An attempt under way that fails is repeated once."""
        for _ in range(2):
            self._begin_rescue()
            if self._rescuing is not None:
                await self._rescuing

    async def _rescue(self, recovery: Recovery) -> None:
        path, file = self._database.location, self._database.file
        moment = recovery.reports.new_id() if self._loss is None else self._loss.id
        assert path is not None
        cause, rescued = str(file.loss), None
        try:
            rescued = await self._database.save_what_is_open(partial(rescue.rescue, database=path, moment=moment))
        except SidecarError as error:
            cause = f"{cause} {error.message}"
        report = RecoveryReport(
            id=moment,
            finished_at=timestamps.now(self._clock),
            cause=cause,
            outcome="file_lost",
            rescued=None if rescued is None else str(rescued),
        )
        try:
            await asyncio.to_thread(rescue.part_log_from_foreign_file, path, file, moment)
            await asyncio.to_thread(recovery.reports.keep, report)
        except OSError as error:
            log.error("the next start will not report this: %s (%s)", report.sentence(), error)
        finally:
            self._loss, self._rescuing = report, None
            self._reports = [report, *(other for other in self._reports if other.id != moment)]
            self._database.tell([Change(RECOVERY_TOPIC, moment, _outcome(report))])

    async def _tell(self, subject: str, data: dict[str, str]) -> None:
        def note(work: SQLiteWork) -> None:
            work.changed(RECOVERY_TOPIC, subject, data)

        try:
            await self._database.write(note)
        except SidecarError as error:
            log.warning("subscribers were not notified of the recovery: %s", error.message)


def _outcome(report: RecoveryReport) -> dict[str, str]:
    """Return the outcome as the data of an event."""
    return {"outcome": report.outcome, "detail": report.sentence()}
