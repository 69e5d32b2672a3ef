"""Opening a database that may be damaged, noticing damage while it is open, and what is told of both.

The recovery itself is in `recovery.py`, what is looked at in `integrity.py`.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sidecar.clock import Clock
from sidecar.errors import DatabaseBeyondRepair, DatabaseDamaged, DiskFailed, SidecarError
from sidecar.models import timestamps
from sidecar.models.doctor import Finding, Level
from sidecar.models.events import RECOVERY_TOPIC
from sidecar.models.health import Component
from sidecar.models.recovery import IntegrityReport, RecoveryReport, RecoveryReports
from sidecar.storage.interfaces import Change, StageListener
from sidecar.storage.sqlite import disk_reads, integrity, opening, rescue, schema
from sidecar.storage.sqlite.database import Database
from sidecar.storage.sqlite.integrity import Inspection
from sidecar.storage.sqlite.log_file import UnreadableEnd
from sidecar.storage.sqlite.recovery import Recovery
from sidecar.storage.sqlite.table import Domain
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.recovery import IRecoveryStore

log = logging.getLogger(__name__)

Prepare = Callable[[sqlite3.Connection], object]

CHECK_EVERY = timedelta(days=7)

MOST_RECOVERIES = 3
"""In one run: a disk that damages what was just mended needs another cure."""


class Recoveries(Domain, IRecoveryStore):
    _recovery: Recovery | None = None
    _recovering: asyncio.Task[None] | None = None
    _rescuing: asyncio.Task[None] | None = None
    _loss: RecoveryReport | None = None
    _checked_at: str | None = None
    _check_is_due = False
    _last_used_at: datetime | None = None
    _disk_failure: str | None = None
    """The error of the disk that the last recovery met."""

    async def open_soundly(
        self, path: Path, prepare: Prepare, readers: int, backups: Path, announce: StageListener, clock: Clock
    ) -> Database:
        """The open database, mended first where that is needed.

        Raises `StartRefused`: `DatabaseBeyondRepair` for one that cannot be mended, and what `check_version` raises.
        """
        self._prepare_again = prepare
        self._reports: list[RecoveryReport] = []
        self._begun_recoveries = 0
        self._recovery = recovery = Recovery(path, backups, announce, clock)
        with disk_reads.reporting_disk_errors(path):
            recovery.finish_interrupted()
        database = await self._open_or_recover(recovery, path, prepare, readers, backups, clock)
        try:
            self.note_that_it_is_open(path)
        except BaseException:
            await database.close()
            raise
        database.on_damage(self._begin_recovery)
        database.file.on_loss(lambda _: self._begin_rescue())
        return database

    async def _open_or_recover(
        self, recovery: Recovery, path: Path, prepare: Prepare, readers: int, backups: Path, clock: Clock
    ) -> Database:
        attempt = partial(self._open_inspected, recovery, path, prepare, readers, backups, clock)
        try:
            return await attempt()
        except (DatabaseDamaged, DiskFailed) as failure:
            log.warning("%s The file is read and checked once more.", failure.message)
        # SQLite reports an error of the disk as damage, too.
        await asyncio.to_thread(disk_reads.require_readable, path)
        try:
            return await attempt()
        except DatabaseDamaged as damage:
            cause = damage.message
        try:
            await asyncio.to_thread(partial(recovery.run, cause, is_confirmed=True))
            return await attempt()
        except DatabaseDamaged as still:
            raise DatabaseBeyondRepair(f"{path} is damaged and could not be repaired.") from still

    async def _open_inspected(
        self, recovery: Recovery, path: Path, prepare: Prepare, readers: int, backups: Path, clock: Clock
    ) -> Database:
        with self._settled(recovery, path, prepare, backups, clock) as inspecting:
            return await Database.open(path, inspecting, readers=readers, clock=clock)

    def settled(self, path: Path, prepare: Prepare, backups: Path, clock: Clock) -> AbstractContextManager[Prepare]:
        """Settle the closed file of a database that `open_soundly` could not open, until it is open.

        Yields what looks at the file when it is opened, and then does `prepare`.
        """
        assert self._recovery is not None
        return self._settled(self._recovery, path, prepare, backups, clock)

    @contextmanager
    def _settled(
        self, recovery: Recovery, path: Path, prepare: Prepare, backups: Path, clock: Clock
    ) -> Iterator[Prepare]:
        with disk_reads.reporting_disk_errors(path):
            opening.settle(recovery, path, backups)
            schema.check_version(path, backups, clock)
            keeper = opening.LogKeeper(recovery, path)
            inspecting = self._inspecting(recovery, path, prepare, keeper.keep, clock)
        with keeper:
            yield inspecting

    def _inspecting(
        self,
        recovery: Recovery,
        path: Path,
        prepare: Prepare,
        keep_log: Callable[[UnreadableEnd], None],
        clock: Clock,
    ) -> Prepare:
        inspection = Inspection(path, recovery.log_reports.index, clock)
        self._last_used_at = self._last_used_at or inspection.last_used_at

        def inspect_and_prepare(connection: sqlite3.Connection) -> None:
            inspection.run(connection, keep_log)
            prepare(connection)
            self._checked_at, self._check_is_due = inspection.checked_at, inspection.is_check_due

        return inspect_and_prepare

    def attend_to_reports(self) -> None:
        """Have the reports, and notice damage and loss, of a database that `open_soundly` could not open."""
        if self._recovery is not None:
            self._reports = self._recovery.reports.all()
        self._database.on_damage(self._begin_recovery)
        self._database.file.on_loss(lambda _: self._begin_rescue())

    def note_that_it_is_open(self, path: Path) -> None:
        """Take away the mark of a clean stop, and have the reports of the opening."""
        # From here on its absence says that the database is open, or was not closed.
        integrity.mark_path(path).unlink(missing_ok=True)
        if self._recovery is not None:
            self._reports = self._recovery.reports.all()

    async def until_recovered(self) -> None:
        """Wait for the end of a recovery that is under way."""
        while self._recovering is not None:
            await self._recovering

    async def close_soundly(self) -> None:
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
        problems = await self._database.read_at_length(integrity.problems)
        self._check_is_due = False
        if problems:
            self._begin_recovery(DatabaseDamaged(problems[0]))
        else:
            self._checked_at = self._now()
        took_ms = round((self._database.clock.monotonic() - started) * 1000, 3)
        return IntegrityReport(is_sound=not problems, problems=problems, took_ms=took_ms)

    def last_used_at(self) -> datetime | None:
        return self._last_used_at

    def database_file(self) -> Path | None:
        return self._database.location

    async def examine_database(self) -> list[Finding]:
        from sidecar.storage.sqlite import examination  # a person asks for it, seldom

        is_lost = self.check_file()
        findings = await self._database.read_at_length(examination.examine)
        if not is_lost:
            return findings
        return [
            Finding(level=Level.PROBLEM, subject="database", message=self.recovery_health().detail or ""),
            *findings,
        ]

    def recovery_health(self) -> Component:
        """The state of the database's file, as far as it is known."""
        if self._recovering is not None:
            return Component(ok=False, detail="the database is being mended")
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
            report = await self._database.reopen(run, self._prepare_again)
        except DiskFailed as failure:
            self._disk_failure = failure.message
            log.error("the recovery failed: %s", failure.message)
        except Exception:
            log.exception("the recovery failed")
        else:
            self._disk_failure = None
            self._reports = await asyncio.to_thread(recovery.reports.all)
            self._checked_at = self._now()
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
            finished_at=self._now(),
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
        def note(work: Work) -> None:
            work.changed(RECOVERY_TOPIC, subject, data)

        try:
            await self._database.write(note)
        except SidecarError as error:
            log.warning("subscribers were not told of the recovery: %s", error.message)


def _outcome(report: RecoveryReport) -> dict[str, str]:
    """Return the outcome as the data of an event."""
    return {"outcome": report.outcome, "detail": report.sentence()}
