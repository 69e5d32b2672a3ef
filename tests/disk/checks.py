"""What is asked of a disk after a fault: the store starts, agrees with the ledger, and reports only what is true."""

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import SidecarError
from sidecar.models.recovery import RecoveryReport
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.tools.archive_members import MANIFEST

from .contents import contents
from .diary import FAILURES
from .ledger import Ledger
from .load import DATA, OUT, database_in, store_in
from .recording import Mark
from .scenarios import Scenario

HALF_MADE = (
    "backups/*.partial*",
    "recovery-*.partial",
    "recovery-*.pending",
    *(f"sidecar.db.{ending}*" for ending in ("partial", "restoring", "recovering", "recovered-", "compacted")),
)
"""What a start of the store has to remove or to finish."""

UNFINISHED = "commit_unfinished"
"""The report that the last commit in the log is incomplete: it is true of one that was never answered."""

RECOVERED = {"backup_restored", "rebuilt"}


def deviations(
    scenario: Scenario, directory: Path, marks: Sequence[Mark], damaged: Path | None = None, *, use: bool = False
) -> list[str]:
    """Start the store in this directory and stop it again; what is not as it must be.

    `damaged` is the directory with which a damaged scenario began. With `use`, the started store is used, too.
    """
    ledger = Ledger(marks)
    files = list(_files(ledger, directory / OUT))
    logging.disable()
    try:
        reports, is_usable = asyncio.run(_start_and_stop(directory, use=use))
    except FAILURES as failure:
        return [*files, f"the next start fails: {type(failure).__name__}: {failure}"]
    except Exception as failure:  # noqa: BLE001 - what nobody foresaw is a finding
        return [*files, f"the next start ends with {failure!r}"]
    finally:
        logging.disable(logging.NOTSET)
    return [
        *files,
        *is_usable,
        *ledger.deviations(contents(database_in(directory))),
        *_reports(scenario, directory, [report for report in reports if report.outcome != UNFINISHED], damaged),
        *_backups(scenario, ledger, directory),
        *_leftovers(directory),
    ]


async def _start_and_stop(directory: Path, *, use: bool) -> tuple[list[RecoveryReport], list[str]]:
    failures = []
    async with store_in(directory) as storage:
        reports = (await storage.get_recoveries()).items
        if use:
            try:
                await storage.insert_tip("afterwards")
                await storage.checkpoint()
                await storage.create_backup()
            except FAILURES as failure:
                failures.append(f"the store cannot be used: {type(failure).__name__}: {failure}")
    return reports, failures


def _reports(
    scenario: Scenario, directory: Path, reports: Sequence[RecoveryReport], damaged: Path | None
) -> Iterator[str]:
    if not scenario.is_damaged:
        yield from (f"a false report: {report.outcome}: {report.cause}" for report in reports)
        return
    if not any(report.outcome in RECOVERED for report in reports):
        yield f"the recovery is not reported, only {[report.outcome for report in reports]}"
    yield from (
        f"a false report: {report.outcome}: {report.cause}" for report in reports if report.outcome not in RECOVERED
    )
    if damaged is not None:
        before = _digest(database_in(damaged))
        kept = [file for file in (directory / DATA).glob("sidecar.db.damaged-*") if not file.name.endswith("-wal")]
        if not any(_digest(file) == before for file in kept):
            yield f"the damaged file was not kept: {[file.name for file in kept]}"


def _backups(scenario: Scenario, ledger: Ledger, directory: Path) -> Iterator[str]:
    backups = BackupDirectory.beside(database_in(directory), SYSTEM_CLOCK)
    listed = backups.listed()
    for backup in listed:
        if backup.damage:
            yield f"the backup {backup.name} is marked as damaged: {backup.damage}"
        try:
            backups.prove(backup.name)
        except (SidecarError, sqlite3.Error) as error:
            yield f"the backup {backup.name} is not sound: {error}"
    if scenario.version is not None and not any(backup.schema_version == scenario.version for backup in listed):
        yield f"there is no backup of version {scenario.version}"
    names = {backup.name for backup in listed}
    answered = [unit.answer["name"] for unit in ledger.answered("backup")]
    answered += [unit.answer["kept"] for unit in ledger.answered("restore")]
    yield from (f"the backup {name} was answered and is gone" for name in answered if name not in names)


def _files(ledger: Ledger, out: Path) -> Iterator[str]:
    """An export has its name only when it is complete, and one that was answered is there."""
    for unit in ledger.units:
        if unit.what == "file":
            path = out / str(unit.details["name"])
            try:
                is_new = _is_new_export(path)
            except FileNotFoundError:
                if unit.is_answered or unit.details["replaces"]:
                    yield f"{path.name} is gone"
            except (BadZipFile, KeyError, AssertionError, sqlite3.Error) as error:
                yield f"{path.name} is not sound: {error!r}"
            else:
                if unit.is_answered and not is_new:
                    yield f"{path.name} was replaced and is the older one"


def _is_new_export(path: Path) -> bool:
    """Return whether it was made when the scenario ran. Fails for one that is not sound."""
    if path.suffix == ".zip":
        with ZipFile(path) as archive:
            assert archive.testzip() is None
            archive.read(MANIFEST)
            return any(name.endswith(".md") for name in archive.namelist())
    with path.open("rb"), closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return True


def _leftovers(directory: Path) -> Iterator[str]:
    for pattern in HALF_MADE:
        yield from (f"{file.name} was left behind" for file in (directory / DATA).glob(pattern))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
