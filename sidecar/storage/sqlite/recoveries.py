"""Opening a database that may be damaged, noticing damage while it is open, and what is told of both.

The recovery itself is in `recovery.py`, what is looked at in `integrity.py`.
"""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter

from sidecar.errors import DatabaseBeyondRepair, DatabaseDamaged, SidecarError, StorageReadOnly
from sidecar.models import timestamps
from sidecar.models.doctor import Finding, Level
from sidecar.models.events import RECOVERY_TOPIC
from sidecar.models.health import Component
from sidecar.models.recovery import IntegrityReport, LogDamage, RecoveryReport, RecoveryReports
from sidecar.storage.interfaces import Change, StageListener
from sidecar.storage.sqlite import integrity, rescue, schema
from sidecar.storage.sqlite.database import Database
from sidecar.storage.sqlite.integrity import Inspection
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

    async def open_soundly(
        self, path: Path, prepare: Prepare, readers: int, backups: Path, announce: StageListener
    ) -> Database:
        """The open database, mended first where that is needed.

        Raises `StartRefused`: `DatabaseBeyondRepair` for one that cannot be mended, and what `check_version` raises.
        """
        self._prepare_again = prepare
        self._reports: list[RecoveryReport] = []
        self._begun_recoveries = 0
        self._recovery = recovery = Recovery(path, backups, announce)
        try:
            recovery.finish_interrupted()
            database = await self._open_inspected(path, prepare, readers, backups)
        except DatabaseDamaged as damage:
            try:
                await asyncio.to_thread(partial(recovery.run, damage.message, is_confirmed=True))
                database = await self._open_inspected(path, prepare, readers, backups)
            except DatabaseDamaged as still:
                raise DatabaseBeyondRepair(f"{path} is damaged and could not be mended.") from still
        try:
            # From here on its absence says that the database is open, or was not closed.
            integrity.mark_path(path).unlink(missing_ok=True)
            self._reports = recovery.reports()
        except BaseException:
            await database.close()
            raise
        database.on_damage(self._begin_recovery)
        database.file.on_loss(lambda _: self._begin_rescue())
        return database

    async def _open_inspected(self, path: Path, prepare: Prepare, readers: int, backups: Path) -> Database:
        schema.check_version(path, backups)
        _require_what_was_there(path, backups)
        _require_writable(path)
        inspection = Inspection(path)
        recovery = self._recovery
        assert recovery is not None

        def keep_log(damage: LogDamage) -> None:
            recovery.note_log_damage("The write-ahead log could not be read to its end.", damage)

        def inspect_and_prepare(connection: sqlite3.Connection) -> None:
            inspection.run(connection, keep_log)
            prepare(connection)

        database = await Database.open(path, inspect_and_prepare, readers=readers)
        self._checked_at, self._check_is_due = inspection.checked_at, inspection.is_check_due
        return database

    async def close_soundly(self) -> None:
        """Close the database and remember how it was left, unless its file is lost; then save what it held first."""
        if self._recovering is not None:
            await self._recovering
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
            self._reports = await asyncio.to_thread(self._recovery.acknowledge)
            await self._tell("acknowledged", {})
        return await self.get_recoveries()

    def integrity_check_is_due(self) -> bool:
        if self._recovery is None:
            return False
        week_ago = timestamps.render(datetime.now(UTC) - CHECK_EVERY)
        return self._check_is_due or self._checked_at is None or self._checked_at < week_ago

    async def check_integrity(self) -> IntegrityReport:
        started = perf_counter()
        problems = await self._database.read_at_length(integrity.problems)
        self._check_is_due = False
        if problems:
            self._begin_recovery(DatabaseDamaged(problems[0]))
        else:
            self._checked_at = timestamps.now()
        took_ms = round((perf_counter() - started) * 1000, 3)
        return IntegrityReport(is_sound=not problems, problems=problems, took_ms=took_ms)

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
        except Exception:
            log.exception("the recovery failed")
        else:
            self._reports = await asyncio.to_thread(recovery.reports)
            self._checked_at = timestamps.now()
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
        moment = timestamps.for_file_names() if self._loss is None else self._loss.id
        assert path is not None
        cause, rescued = str(file.loss), None
        try:
            rescued = await self._database.save_what_is_open(partial(rescue.rescue, database=path, moment=moment))
        except SidecarError as error:
            cause = f"{cause} {error.message}"
        report = RecoveryReport(
            id=moment,
            finished_at=timestamps.now(),
            cause=cause,
            outcome="file_lost",
            rescued=None if rescued is None else str(rescued),
        )
        try:
            await asyncio.to_thread(rescue.part_log_from_foreign_file, path, file, moment)
            await asyncio.to_thread(recovery.note_loss, report)
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


def _require_writable(path: Path) -> None:
    """SQLite would open a file that it cannot write to, and refuse every write. Raises `StorageReadOnly`."""
    if path.exists() and not os.access(path, os.W_OK):
        raise StorageReadOnly("The database cannot be written to; check the permissions of its file.")


def _require_what_was_there(path: Path, backups: Path) -> None:
    """An empty file is a new database, unless there was one. Raises `DatabaseDamaged`."""
    if path.exists() and path.stat().st_size == 0:
        mark = integrity.read_mark(path)
        if (mark is not None and mark.size) or any(backups.glob("*.db")):
            raise DatabaseDamaged(f"{path} is empty, and was not.")
