"""A start on a full disk with a store that was not closed, or is damaged: nothing is lost, and what was is reported."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import DatabaseDamaged, DiskFull, NoRoomToStart
from sidecar.models.events import RECOVERY_TOPIC
from sidecar.models.recovery import RecoveryReport
from sidecar.storage.sqlite.engine import connections
from sidecar.storage.sqlite.files import companions, room
from sidecar.storage.sqlite.recovery.ladder import Recovery
from sidecar.storage.sqlite.recovery.report_files import ReportFiles
from sidecar.storage.sqlite.recovery.wal_reports import LogReports
from sidecar.storage.unified import UnifiedStorage

from .damage import leaves, overwrite, populate, storage_at
from .test_log_loss import ALL, DATABASE, LOG, Killed, damage_frame, opened


class Disk:
    """Full or not: a full one takes neither a report nor the files of a connection that writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = True
        for owner, name in ((ReportFiles, "keep"), (connections, "_connect_writer")):
            monkeypatch.setattr(owner, name, self._with_room(getattr(owner, name)))
        monkeypatch.setattr(room, "is_there", lambda _: not self.is_full)

    def _with_room(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if self.is_full:
                raise DiskFull("The disk is full.")
            return function(*arguments)

        return call


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    killed = Killed(tmp_path_factory.mktemp("killed"))
    asyncio.run(killed.make())
    return killed


@pytest.fixture
def directory(template: Killed, tmp_path: Path) -> Path:
    """A store that was killed after three commits, which are in its log only."""
    return Path(shutil.copytree(template.after(3), tmp_path / "data"))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def started(directory: Path) -> UnifiedStorage:
    storage = storage_at(directory)
    await storage.initialize()
    return storage


async def opened_without_room(directory: Path, disk: Disk, *, finds_room: bool) -> list[RecoveryReport]:
    """The reports of a run that began on a full disk, and wrote when it was not full any more."""
    storage = await started(directory)
    disk.is_full = False
    if finds_room:
        await storage.insert_todo(content="later")
    reports = (await storage.get_recoveries()).items
    await storage.close()
    return reports


@pytest.mark.parametrize("finds_room", [False, True])
async def test_a_kill_before_it_is_no_loss(directory: Path, disk: Disk, finds_room: bool) -> None:
    log = (directory / LOG).read_bytes()
    assert await opened_without_room(directory, disk, finds_room=finds_room) == []
    if not finds_room:
        assert (directory / LOG).read_bytes() == log
    assert (await opened(directory))[:2] == ([], ALL)


async def test_a_write_that_was_cut_off_is_not_read(
    directory: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(directory / DATABASE)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    journal = directory / f"{DATABASE}-journal"
    journal.write_bytes(b"pages as they were")
    monkeypatch.setattr(companions, "roll_back", lambda _: None)  # which the disk does not let SQLite do
    with pytest.raises(NoRoomToStart, match="must be undone"):
        await started(directory)
    assert journal.exists()


@pytest.mark.parametrize("finds_room", [False, True])
async def test_a_log_that_is_not_there_is_reported_once(directory: Path, disk: Disk, finds_room: bool) -> None:
    (directory / LOG).unlink()
    reports = await opened_without_room(directory, disk, finds_room=finds_room)
    assert [report.outcome for report in reports] == ["log_missing"] * finds_room
    assert [report.outcome for report in (await opened(directory))[0]] == ["log_missing"]


@pytest.mark.parametrize("finds_room", [False, True])
@pytest.mark.parametrize("frame", [0, 5])
async def test_a_damaged_log_is_kept_and_reported_once(
    directory: Path, disk: Disk, frame: int, finds_room: bool
) -> None:
    damage_frame(directory, frame)
    reports = await opened_without_room(directory, disk, finds_room=finds_room)
    assert [report.outcome for report in reports] == ["log_cut_off"] * finds_room
    (report,), _, _ = await opened(directory)
    assert report.outcome == "log_cut_off"
    assert report.log is not None
    assert report.log.kept_as is not None
    assert (directory / report.log.kept_as).exists()


async def test_a_damaged_file_is_mended_once_there_is_room(tmp_path: Path, disk: Disk) -> None:
    disk.is_full = False
    storage = await started(tmp_path)
    await populate(storage, "row", rows=60)
    await storage.create_backup()
    await storage.close()
    overwrite(tmp_path / DATABASE, leaves(tmp_path / DATABASE, "tips")[-1])
    disk.is_full = True
    storage = await started(tmp_path)
    disk.is_full = False
    mended = asyncio.Event()
    storage.subscribe(lambda changes: mended.set() if changes[0].topic == RECOVERY_TOPIC else None)
    with pytest.raises(DatabaseDamaged):
        await storage.insert_todo(content="too early")
    async with asyncio.timeout(20):
        await mended.wait()
    await storage.insert_todo(content="later")
    assert [report.outcome for report in (await storage.get_recoveries()).items] == ["backup_restored"]
    assert (await storage.get_tips(with_total=True, limit=1)).total == 60
    await storage.close()


def test_a_recovery_that_finds_no_room_leaves_none_of_its_files(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DiskFull("The disk is full.")

    (directory / LOG).unlink()
    overwrite(directory / DATABASE, leaves(directory / DATABASE, "tips")[-1])
    before = {path.name for path in directory.iterdir()}
    monkeypatch.setattr("sidecar.storage.sqlite.recovery.salvage.salvage", fail)
    with pytest.raises(DiskFull):
        Recovery(directory / DATABASE, directory / "backups", lambda *_: None, SYSTEM_CLOCK).run("damaged")
    assert {path.name for path in directory.iterdir()} - before <= {LOG}


@pytest.mark.parametrize(
    "step", ["sidecar.storage.sqlite.files.atomic.sync", "sidecar.storage.sqlite.files.atomic.write_whole"]
)
async def test_a_log_that_cannot_be_kept_leaves_no_copy(
    directory: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError("full")

    damage_frame(directory, -1)
    reports = LogReports(directory / DATABASE, ReportFiles(directory / DATABASE, SYSTEM_CLOCK), SYSTEM_CLOCK)
    reports.read_index()
    monkeypatch.setattr(step, fail)
    with pytest.raises(OSError, match="full"):
        reports.note_any_damage()
    assert not list(directory.glob("*.damaged-*"))
