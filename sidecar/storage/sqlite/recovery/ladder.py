"""The recovery ladder: the repair or replacement of a damaged database file that nobody has open.

0. The file is read byte by byte and checked twice: SQLite reports an error of the disk as damage, too.
1. Where only indexes are wrong, they are built again from their tables, in one transaction that is kept only when the
   whole file is sound afterwards. Where only the header does not say what the database is, it is written again.
2. Otherwise a new file is made beside the damaged one: the newest sound backup, or an empty database, into which what
   the damaged file can still tell is merged (`salvage.py`).
3. When that is verified, the damaged file is set aside and the new one takes its place.

A file of which nothing can be read, and for which there is no backup, is left as it is. The new file's name says when
it is complete, and the swap consists of renames that can be gone on with: killed at any moment, the next start either
begins again with the damaged file or finishes the swap. Names are synced between steps whose order matters, and the
report has its name before the new file has its.
"""

import logging
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

from sidecar.clock import Clock
from sidecar.errors import DatabaseBeyondRepair, DiskFailed, DiskFull
from sidecar.models import timestamps
from sidecar.models.recovery import RecoveryReport, SalvagedTable
from sidecar.storage.interfaces import StageListener
from sidecar.storage.resources.jobs import JOBS
from sidecar.storage.sqlite.backup import jobs, snapshot
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.engine import pragmas
from sidecar.storage.sqlite.engine.errors import with_cause
from sidecar.storage.sqlite.files import atomic, companions, disk_reads, integrity, open_mark
from sidecar.storage.sqlite.recovery import damaged_reader
from sidecar.storage.sqlite.recovery.report_files import ReportFiles
from sidecar.storage.sqlite.recovery.wal_reports import LogReports
from sidecar.storage.sqlite.schema import identity, upgrade
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS, Migration
from sidecar.storage.sqlite.search import index as search_index

log = logging.getLogger(__name__)

STAGE = "recovering"

_BOOKKEEPING = frozenset({"schema_migrations", "store_identity"})
"""Tables that are not empty in an empty database."""


MOST_ATTEMPTS = 3
"""At a new file of which rows seem to be lost, after the first."""


class _Salvaged(NamedTuple):
    """The tables of a new file, and other damage."""

    tables: dict[str, SalvagedTable]
    problems: list[str]

    @property
    def is_complete(self) -> bool:
        return all(table.is_complete for table in self.tables.values())


class Recovery:
    """The ladder for one file. Its methods block, and want the file closed."""

    def __init__(self, path: Path, backups: Path, announce: StageListener, clock: Clock) -> None:
        self._path = path
        self._backups = backups
        self._announce = announce
        self._clock = clock
        self.reports = ReportFiles(path, clock)
        self.log_reports = LogReports(path, self.reports, clock)

    def finish_interrupted(self) -> None:
        """Go on with a swap that was cut off, and forget a new file that was not finished.

        Then keep what the log's index knows: whoever opens the database has SQLite write another one.
        """
        for completed in self._beside(".recovered-"):
            self._swap(completed, completed.name.removeprefix(f"{self._path.name}.recovered-"))
        for unfinished in self._beside(".recovering"):
            unfinished.unlink()
        self.reports.remove_half_written()
        for moment in self.reports.pending():
            if self._named(f".damaged-{moment}").exists():  # the swap was done, by a version that reported it last
                self.reports.publish(moment)
            else:
                self.reports.forget_pending(moment)
        self.log_reports.read_index()

    def run(self, cause: str, *, is_confirmed: bool = False) -> RecoveryReport:
        """Bring the file into order; what was done. `is_confirmed` has a file replaced that passes every check, too.

        Raises `DiskFailed` when the disk does not give the file, and `DatabaseBeyondRepair` when nothing can be read of
        it and there is no backup.
        """
        log.error("recovering %s: %s", self._path, cause)
        self._announce(STAGE, "Checking the database's file")
        disk_reads.require_readable(self._path)
        companions.roll_back(self._path)
        self.log_reports.note_any_damage()
        moment = self.reports.new_id()
        found = self._problems()
        has_lost_rows = self._has_lost_rows()
        if found or has_lost_rows:
            disk_reads.require_readable(self._path)
            found = found and self._problems()
            has_lost_rows = has_lost_rows and self._has_lost_rows()
        if not has_lost_rows and (not found or self._mend_indexes()):
            version = self._version_to_restore()
            if version is not None:
                return self._restore_identity(moment, cause, found, version)
            if found:
                return self.reports.keep(self._report_on(moment, cause, "indexes_rebuilt", found))
            if not is_confirmed:
                return self.reports.keep(self._report_on(moment, cause, "nothing_found"))
        return self._replace(moment, cause, found)

    def _version_to_restore(self) -> int | None:
        try:
            with closing(damaged_reader.open_damaged(self._path)) as connection:
                return identity.version_to_restore(connection)
        except damaged_reader.READ_ERRORS:
            return None

    def _restore_identity(self, moment: str, cause: str, found: list[str], version: int) -> RecoveryReport:
        report = self.reports.keep(self._report_on(moment, cause, "header_restored", found))
        open_mark.remove(self._path)
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            identity.restore(connection, version)
        return report

    def _problems(self) -> list[str]:
        try:
            with closing(damaged_reader.open_damaged(self._path)) as connection:
                return integrity.problems(connection)
        except damaged_reader.READ_ERRORS as error:
            return [str(error)]

    def _has_lost_rows(self) -> bool:
        try:
            with closing(damaged_reader.open_damaged(self._path)) as connection:
                return damaged_reader.has_lost_rows(connection)
        except damaged_reader.READ_ERRORS:
            return True

    def _mend_indexes(self) -> bool:
        self._announce(STAGE, "Building damaged indexes again")
        open_mark.remove(self._path)
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
                return _reindex(connection)
        except damaged_reader.READ_ERRORS as error:
            log.warning("the indexes alone cannot be rebuilt: %s", error)
            return False

    def _replace(self, moment: str, cause: str, found: list[str]) -> RecoveryReport:
        self._announce(STAGE, "Looking for the newest backup that is sound")
        directory = BackupDirectory(self._backups, self._clock)
        backup = directory.newest_proven(upgrade.latest_version())
        unfinished = self._named(".recovering")
        try:
            tables, others = self._made_twice(unfinished, None if backup is None else directory.path_of(backup))
        except BaseException:
            # On a full disk it would take the very room that is waited for.
            companions.discard(unfinished)
            unfinished.unlink(missing_ok=True)
            raise
        if backup is None and not _saved_anything(tables):
            unfinished.unlink()
            raise DatabaseBeyondRepair(
                f"{self._path} is damaged, nothing in it can be read, and there is no backup; it was left as it is."
            )
        kept_jobs = tables.get(JOBS.name)
        if kept_jobs is not None and not (kept_jobs.is_complete and kept_jobs.from_backup == 0):
            jobs.interrupt_in(unfinished, self._clock)
        snapshot.verify(unfinished)
        atomic.sync(unfinished)
        report = RecoveryReport(
            id=moment,
            finished_at=timestamps.now(self._clock),
            cause=cause,
            outcome="rebuilt" if backup is None else "backup_restored",
            problems=[*others, *found],
            set_aside=self._named(f".damaged-{moment}").name,
            backup=None if backup is None else backup.name,
            tables=tables,
        )
        self.reports.keep_pending(report)
        completed = self._named(f".recovered-{moment}")
        unfinished.replace(completed)
        atomic.sync(self._path.parent)
        self._swap(completed, moment)
        log.error("%s", report.sentence())
        return report

    def _made_twice(self, file: Path, backup: Path | None) -> _Salvaged:
        """Make the new file; where rows are lost, again, until two attempts agree.

        An error of the disk may look like damage, of the old file and of the new one, but not twice in the same place.
        Raises `DiskFailed`.
        """
        made = self._make(file, backup)
        if made.is_complete:
            return made
        for _ in range(MOST_ATTEMPTS):
            before, made = made, self._make(file, backup)
            if made == before:
                return made
        raise DiskFailed(f"{self._path} is damaged, and the disk gives something else whenever it is read.")

    def _make(self, file: Path, backup: Path | None) -> _Salvaged:
        file.unlink(missing_ok=True)
        companions.discard(file)
        if backup is not None:
            self._announce(STAGE, f"Copying the backup {backup.name}")
            shutil.copyfile(backup, file)
        return self._fill(file, backup)

    def _fill(self, file: Path, backup: Path | None) -> _Salvaged:
        """Bring the new file to the damaged one's schema, and merge in what that can tell."""
        from sidecar.storage.sqlite.recovery import repaired_copy, salvage  # few starts find a damaged file

        with closing(sqlite3.connect(file, isolation_level=None)) as target:
            pragmas.vacuum_in_steps(target)
            target.execute("PRAGMA synchronous = OFF")  # synced as a whole when it is complete
            try:
                with repaired_copy.repaired_copy(self._path, self._named(".recovering-copy"), backup) as copy:
                    due = _migrations_of(copy.connection)
                    upgrade.bring_up_to_date(target, None, self._announce, due, clock=self._clock)
                    now = timestamps.now(self._clock)
                    return _Salvaged(salvage.salvage(copy, target, now, self._announce_table), copy.problems)
            except damaged_reader.READ_ERRORS as error:
                meaning = with_cause(error)
                if isinstance(meaning, DiskFailed | DiskFull):  # of the new file: the damaged one may be readable
                    raise meaning from error
                log.warning("nothing in the damaged file can be read: %s", error)
            upgrade.bring_up_to_date(target, None, self._announce, clock=self._clock)
            counts = snapshot.count_rows(target)
        kept = {name: count for name, count in counts.items() if name not in _BOOKKEEPING}
        return _Salvaged({name: SalvagedTable(from_backup=count, lost=None) for name, count in kept.items()}, [])

    def _announce_table(self, table: str) -> None:
        self._announce(STAGE, f"Saving what can be read of {table}")

    def _swap(self, completed: Path, moment: str) -> None:
        """Each step may find that it was done already.

        The journal and the log go before their file does: they must never meet another one.
        """
        set_aside, directory = self._named(f".damaged-{moment}"), self._path.parent
        self.reports.publish(moment)
        atomic.sync(directory)
        companions.set_aside(self._path, set_aside)
        integrity.mark_path(self._path).unlink(missing_ok=True)
        atomic.sync(directory)
        if not set_aside.exists():
            _rename_if_there(self._path, set_aside)
            atomic.sync(directory)
        completed.replace(self._path)
        atomic.sync(directory)
        open_mark.remove(self._path)

    def _report_on(
        self,
        moment: str,
        cause: str,
        outcome: Literal["nothing_found", "indexes_rebuilt", "header_restored"],
        problems: Sequence[str] = (),
    ) -> RecoveryReport:
        now = timestamps.now(self._clock)
        return RecoveryReport(id=moment, finished_at=now, cause=cause, outcome=outcome, problems=list(problems))

    def _named(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)

    def _beside(self, ending: str) -> list[Path]:
        name = self._path.name + ending
        return sorted(path for path in self._path.parent.glob("*") if path.name.startswith(name))


def _reindex(connection: sqlite3.Connection) -> bool:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("REINDEX")
        is_sound = not integrity.problems(connection)
        if not is_sound and search_index.is_there(connection):
            # Since version 3.44, SQLite's check looks at that one, too.
            search_index.empty(connection)
            is_sound = not integrity.problems(connection)
        connection.execute("COMMIT" if is_sound else "ROLLBACK")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return is_sound


def _migrations_of(source: sqlite3.Connection) -> list[Migration]:
    """The migrations that the damaged file has had: as its history and its header say, or all."""
    latest = upgrade.latest_version()
    for read in (identity.recorded_version, identity.version_of):
        try:
            version = read(source)
        except damaged_reader.READ_ERRORS:
            continue
        if version is not None and 0 < version <= latest:
            return [migration for migration in MIGRATIONS if migration.version <= version]
    return list(MIGRATIONS)


def _saved_anything(tables: dict[str, SalvagedTable]) -> bool:
    content = [table for name, table in tables.items() if name not in _BOOKKEEPING]
    return any(table.saved or table.set_aside for table in content) or all(table.lost == 0 for table in content)


def _rename_if_there(path: Path, to: Path) -> None:
    if path.exists():
        path.replace(to)
