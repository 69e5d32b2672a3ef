"""What is done with a damaged database file that nobody has open: the recovery ladder.

1. Where only indexes are wrong, they are built again from their tables, in one transaction that is kept only when the
   whole file is sound afterwards.
2. Otherwise a new file is made beside the damaged one: the newest sound backup, or an empty database, into which what
   the damaged file can still tell is merged (`salvage.py`).
3. When that is verified, the damaged file is set aside and the new one takes its place.

A file of which nothing can be read, and for which there is no backup, is left as it is. The new file's name says when
it is complete, and the swap consists of renames that can be gone on with: killed at any moment, the next start either
begins again with the damaged file or finishes the swap.
"""

import logging
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from sidecar.errors import DatabaseBeyondRepair
from sidecar.models import timestamps
from sidecar.models.recovery import LogDamage, RecoveryReport, SalvagedTable
from sidecar.storage.interfaces import StageListener
from sidecar.storage.sqlite import damaged, files, integrity, log_file, pragmas, salvage, schema, search_index, snapshot
from sidecar.storage.sqlite.backup_directory import BackupDirectory
from sidecar.storage.sqlite.migrations import MIGRATIONS

log = logging.getLogger(__name__)

STAGE = "recovering"
REPORT_PREFIX = "recovery-"

_BOOKKEEPING = frozenset({"schema_migrations", "store_identity"})
"""Tables that are not empty in an empty database."""


class Recovery:
    """The ladder for one file. Its methods block, and want the file closed."""

    def __init__(self, path: Path, backups: Path, announce: StageListener) -> None:
        self._path = path
        self._backups = backups
        self._announce = announce

    def finish_interrupted(self) -> None:
        """Go on with a swap that was cut off; forget a new file that was not finished."""
        for completed in self._beside(".recovered-"):
            self._swap(completed, completed.name.removeprefix(f"{self._path.name}.recovered-"))
        for unfinished in (*self._beside(".recovering"), *self._path.parent.glob(f"{REPORT_PREFIX}*.pending")):
            unfinished.unlink()

    def run(self, cause: str, *, is_confirmed: bool = False) -> RecoveryReport:
        """Bring the file into order; what was done. `is_confirmed` has a file replaced that passes every check, too.

        Raises `DatabaseBeyondRepair` when nothing can be read of the file and there is no backup.
        """
        log.error("recovering %s: %s", self._path, cause)
        self._announce(STAGE, "Checking the database's file")
        moment = _moment()
        found = self._problems()
        has_lost_rows = self._has_lost_rows()
        if not found and not has_lost_rows and not is_confirmed:
            return self._report(_report_on(moment, cause, "nothing_found"))
        if found and not has_lost_rows and self._mend_indexes():
            return self._report(_report_on(moment, cause, "indexes_rebuilt", found))
        return self._replace(moment, cause, found)

    def note_log_damage(self, cause: str, damage: LogDamage) -> RecoveryReport:
        """Keep a log that could not be read to its end, before anything is written over it; the report of that."""
        moment = _moment()
        copy = self._named(f".damaged-{moment}-wal")
        shutil.copyfile(log_file.log_path(self._path), copy)
        files.sync(copy)
        return self._report(
            RecoveryReport(
                id=moment,
                finished_at=timestamps.now(),
                cause=cause,
                outcome="log_cut_off",
                log=damage.model_copy(update={"kept_as": copy.name}),
            )
        )

    def note_loss(self, report: RecoveryReport) -> None:
        """Keep the report of a file that was lost while it was open, for the next start. Raises `OSError`."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._report(report)

    def reports(self) -> list[RecoveryReport]:
        """Every report that is kept, the newest first."""
        files = sorted(self._path.parent.glob(f"{REPORT_PREFIX}*.json"), reverse=True)
        return [report for file in files if (report := _read_report(file)) is not None]

    def acknowledge(self) -> list[RecoveryReport]:
        """Note in every report that somebody has read it; the reports."""
        now = timestamps.now()
        for report in self.reports():
            if report.acknowledged_at is None:
                _write_report(self._report_path(report.id), report.model_copy(update={"acknowledged_at": now}))
        return self.reports()

    def _problems(self) -> list[str]:
        try:
            with closing(damaged.open_damaged(self._path)) as connection:
                return integrity.problems(connection)
        except damaged.READ_ERRORS as error:
            return [str(error)]

    def _has_lost_rows(self) -> bool:
        try:
            with closing(damaged.open_damaged(self._path)) as connection:
                return damaged.has_lost_rows(connection)
        except damaged.READ_ERRORS:
            return True

    def _mend_indexes(self) -> bool:
        self._announce(STAGE, "Building damaged indexes again")
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
                return _reindex(connection)
        except damaged.READ_ERRORS as error:
            log.warning("the indexes alone cannot be mended: %s", error)
            return False

    def _replace(self, moment: str, cause: str, found: list[str]) -> RecoveryReport:
        self._announce(STAGE, "Looking for the newest backup that is sound")
        directory = BackupDirectory(self._backups)
        backup = directory.newest_proven(schema.latest_version())
        unfinished = self._named(".recovering")
        unfinished.unlink(missing_ok=True)
        if backup is not None:
            self._announce(STAGE, f"Copying the backup {backup.name}")
            shutil.copyfile(directory.path_of(backup), unfinished)
        tables = self._fill(unfinished)
        if backup is None and not _saved_anything(tables):
            unfinished.unlink()
            raise DatabaseBeyondRepair(
                f"{self._path} is damaged, nothing in it can be read, and there is no backup; it was left as it is."
            )
        snapshot.verify(unfinished)
        files.sync(unfinished)
        report = RecoveryReport(
            id=moment,
            finished_at=timestamps.now(),
            cause=cause,
            outcome="rebuilt" if backup is None else "backup_restored",
            problems=found,
            set_aside=self._named(f".damaged-{moment}").name,
            backup=None if backup is None else backup.name,
            tables=tables,
        )
        _write_report(self._pending_report_path(moment), report)
        completed = self._named(f".recovered-{moment}")
        unfinished.replace(completed)
        files.sync(self._path.parent)
        self._swap(completed, moment)
        log.error("%s", report.sentence())
        return report

    def _fill(self, file: Path) -> dict[str, SalvagedTable]:
        """Bring the new file to the damaged one's schema and merge in what that can tell."""
        with closing(sqlite3.connect(file, isolation_level=None)) as target:
            pragmas.vacuum_in_steps(target)
            target.execute("PRAGMA synchronous = OFF")  # synced as a whole when it is complete
            with closing(damaged.open_damaged(self._path)) as source:
                version = _version_of(source)
                due = [migration for migration in MIGRATIONS if migration.version <= version]
                schema.bring_up_to_date(target, None, self._announce, due)
                try:
                    return salvage.salvage(source, target, self._announce_table)
                except damaged.READ_ERRORS as error:
                    log.warning("nothing in the damaged file can be read: %s", error)
            return {
                name: SalvagedTable(from_backup=count, lost=None)
                for name, count in snapshot.count_rows(target).items()
                if name not in _BOOKKEEPING
            }

    def _announce_table(self, table: str) -> None:
        self._announce(STAGE, f"Saving what can be read of {table}")

    def _swap(self, completed: Path, moment: str) -> None:
        """Each step may find that it was done already. The log goes first: it must never meet a file it is not of."""
        _rename_if_there(log_file.log_path(self._path), self._named(f".damaged-{moment}-wal"))
        self._named("-shm").unlink(missing_ok=True)
        integrity.mark_path(self._path).unlink(missing_ok=True)
        if not self._named(f".damaged-{moment}").exists():
            _rename_if_there(self._path, self._named(f".damaged-{moment}"))
        completed.replace(self._path)
        _rename_if_there(self._pending_report_path(moment), self._report_path(moment))
        files.sync(self._path.parent)

    def _report(self, report: RecoveryReport) -> RecoveryReport:
        log.error("%s", report.sentence())
        _write_report(self._report_path(report.id), report)
        return report

    def _named(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)

    def _beside(self, ending: str) -> list[Path]:
        name = self._path.name + ending
        return sorted(path for path in self._path.parent.glob("*") if path.name.startswith(name))

    def _report_path(self, moment: str) -> Path:
        return self._path.parent / f"{REPORT_PREFIX}{moment}.json"

    def _pending_report_path(self, moment: str) -> Path:
        return self._path.parent / f"{REPORT_PREFIX}{moment}.json.pending"


def _report_on(
    moment: str, cause: str, outcome: Literal["nothing_found", "indexes_rebuilt"], problems: Sequence[str] = ()
) -> RecoveryReport:
    return RecoveryReport(
        id=moment, finished_at=timestamps.now(), cause=cause, outcome=outcome, problems=list(problems)
    )


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


def _version_of(source: sqlite3.Connection) -> int:
    """The schema version of the damaged file; the latest where that cannot be read."""
    latest = schema.latest_version()
    try:
        version: int = source.execute("PRAGMA user_version").fetchone()[0]
    except damaged.READ_ERRORS:
        return latest
    return version if 0 < version <= latest else latest


def _saved_anything(tables: dict[str, SalvagedTable]) -> bool:
    content = [table for name, table in tables.items() if name not in _BOOKKEEPING]
    return any(table.saved or table.set_aside for table in content) or all(table.lost == 0 for table in content)


def _moment() -> str:
    return timestamps.for_file_names()


def _rename_if_there(path: Path, to: Path) -> None:
    if path.exists():
        path.replace(to)


def _read_report(file: Path) -> RecoveryReport | None:
    try:
        return RecoveryReport.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        log.warning("the recovery report %s cannot be read", file.name)
        return None


def _write_report(file: Path, report: RecoveryReport) -> None:
    files.write_whole(file, report.model_dump_json(indent=1))
