"""What becomes of the rows of a store whose file was lost while it was open: saved, named, and never silently gone."""

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings
from sidecar.errors import DiskFull, StorageLost
from sidecar.maintenance import doctor
from sidecar.models.recovery import RecoveryReport
from sidecar.storage.interfaces import Change
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.files import room
from sidecar.storage.sqlite.recovery.at_rest import restore_at_rest
from sidecar.storage.unified import UnifiedStorage, document_backend

ROWS = 50


async def open_storage(directory: Path) -> UnifiedStorage:
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(), directory)])
    await storage.initialize()
    return storage


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "place" / "data"


@pytest.fixture
async def filled(data: Path) -> UnifiedStorage:
    """An open store with rows in its file and in its write-ahead log."""
    storage = await open_storage(data)
    for number in range(ROWS):
        if number == ROWS // 2:
            await storage.checkpoint()
        await storage.insert_todo(f"todo {number}")
    return storage


def replace_by_an_older_copy(data: Path) -> None:
    copy = data / "copy"
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("CREATE TABLE todo (id INTEGER PRIMARY KEY)")
    copy.replace(data / "sidecar.db")


async def lost_report(storage: UnifiedStorage) -> RecoveryReport:
    """Have a write fail, and the report of that once what was open has been saved."""
    with pytest.raises(StorageLost):
        await storage.insert_todo("too late")
    return await report_of(storage)


async def report_of(storage: UnifiedStorage) -> RecoveryReport:
    for _ in range(2_000):
        if found := (await storage.get_recoveries()).items:
            return found[0]
        await asyncio.sleep(0.005)
    raise AssertionError("what was open is not saved")


def todos_in(file: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return {text for (text,) in connection.execute("SELECT content FROM todo")}


ANSWERED = {f"todo {number}" for number in range(ROWS)}


async def test_everything_that_was_answered_is_in_a_new_file_in_the_directory(
    filled: UnifiedStorage, data: Path
) -> None:
    replace_by_an_older_copy(data)
    report = await lost_report(filled)
    assert report.outcome == "file_lost"
    assert report.rescued is not None
    assert Path(report.rescued).parent == data
    assert todos_in(Path(report.rescued)) >= ANSWERED
    assert snapshot.verify(Path(report.rescued)).rows["todo"] >= ROWS
    assert Path(report.rescued).stat().st_mode & 0o077 == 0
    await filled.close()


async def test_a_directory_that_was_deleted_is_made_again_for_it(filled: UnifiedStorage, data: Path) -> None:
    shutil.rmtree(data)
    report = await lost_report(filled)
    assert report.rescued is not None
    assert Path(report.rescued).parent == data
    assert todos_in(Path(report.rescued)) >= ANSWERED
    await filled.close()


async def test_where_the_directory_cannot_be_made_it_lies_above(filled: UnifiedStorage, data: Path) -> None:
    shutil.rmtree(data)
    data.write_text("a file in its place")
    report = await lost_report(filled)
    assert report.rescued is not None
    assert Path(report.rescued).parent == data.parent
    assert todos_in(Path(report.rescued)) >= ANSWERED
    await filled.close()


async def test_health_names_the_loss_the_file_and_what_to_do(filled: UnifiedStorage, data: Path) -> None:
    (data / "sidecar.db").unlink()
    report = await lost_report(filled)
    health = await filled.health()
    assert not health["writer"].ok
    assert not health["recovery"].ok
    detail = health["recovery"].detail or ""
    for expected in ("deleted or moved", str(report.rescued), "sidecar restore"):
        assert expected in detail
    await filled.close()


async def test_the_health_check_notices_it_without_a_write(filled: UnifiedStorage, data: Path) -> None:
    (data / "sidecar.db").unlink()
    assert not (await filled.health())["recovery"].ok
    assert (await report_of(filled)).rescued is not None
    await filled.close()


async def test_a_stop_notices_it_without_a_write_and_saves_what_is_open(filled: UnifiedStorage, data: Path) -> None:
    shutil.rmtree(data)
    await filled.close()
    (rescued,) = data.glob("*.rescued-*.db")
    assert todos_in(rescued) >= ANSWERED


async def test_subscribers_hear_of_it(filled: UnifiedStorage, data: Path) -> None:
    heard: list[Change] = []

    def listen(changes: Sequence[Change]) -> None:
        heard.extend(changes)

    filled.subscribe(listen)
    (data / "sidecar.db").unlink()
    report = await lost_report(filled)
    (change,) = heard
    assert (change.topic, change.id) == ("recovery", report.id)
    assert change.data == {"outcome": "file_lost", "detail": report.sentence()}
    await filled.close()


async def test_a_stop_leaves_no_mark_beside_a_foreign_file_and_the_file_as_it_is(
    filled: UnifiedStorage, data: Path
) -> None:
    replace_by_an_older_copy(data)
    foreign = (data / "sidecar.db").read_bytes()
    await filled.close()
    assert not (data / "sidecar.db.closed").exists()
    assert (data / "sidecar.db").read_bytes() == foreign


async def test_the_open_log_never_meets_the_foreign_file(filled: UnifiedStorage, data: Path) -> None:
    replace_by_an_older_copy(data)
    await lost_report(filled)
    await filled.close()
    assert not (data / "sidecar.db-wal").exists()
    assert len(list(data.glob("sidecar.db.lost-*-wal"))) == 1


async def test_a_directory_that_was_moved_has_everything_in_its_new_place(filled: UnifiedStorage, data: Path) -> None:
    data.rename(data.with_name("elsewhere"))
    await lost_report(filled)
    await filled.close()
    moved = await open_storage(data.with_name("elsewhere"))
    assert {todo.content for todo in (await moved.get_todos(limit=100)).items} >= ANSWERED
    await moved.close()


async def test_saving_is_tried_again_when_there_was_no_room(
    filled: UnifiedStorage, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_room = room.need_room

    def refuse(directory: Path, size: int) -> None:
        raise DiskFull("There is no room.")

    monkeypatch.setattr(room, "need_room", refuse)
    (data / "sidecar.db").unlink()
    failed = await lost_report(filled)
    assert failed.rescued is None
    assert not failed.is_complete
    assert "There is no room." in ((await filled.health())["recovery"].detail or "")
    monkeypatch.setattr(room, "need_room", need_room)
    await filled.close()
    (rescued,) = data.glob("*.rescued-*.db")
    assert todos_in(rescued) >= ANSWERED


async def test_a_restore_into_a_lost_store_is_refused(filled: UnifiedStorage, data: Path) -> None:
    backup = await filled.create_backup()
    (data / "sidecar.db").unlink()
    with pytest.raises(StorageLost):
        await filled.restore_backup(backup.name)
    await filled.close()


class TestNextStart:
    @pytest.fixture
    async def rescued(self, filled: UnifiedStorage, data: Path) -> Path:
        """The file that holds the rows of a store whose directory was deleted, and which has stopped since."""
        shutil.rmtree(data)
        report = await lost_report(filled)
        await filled.close()
        return Path(str(report.rescued))

    async def test_it_says_where_the_rows_are_until_somebody_takes_note(self, rescued: Path, data: Path) -> None:
        storage = await open_storage(data)
        assert str(rescued) in ((await storage.health())["recovery"].detail or "")
        await storage.acknowledge_recoveries()
        assert (await storage.health())["recovery"].detail is None
        await storage.close()

    async def test_the_doctor_says_how_to_bring_them_back(self, rescued: Path, data: Path) -> None:
        storage = await open_storage(data)
        for report in (await doctor.examine(storage), doctor.examine_at_rest(data / "sidecar.db", SYSTEM_CLOCK)):
            (finding,) = [finding for finding in report.findings if finding.subject == "rescued file"]
            assert rescued.name in finding.message
            assert "sidecar restore" in finding.message
        await storage.close()

    async def test_a_restore_brings_them_back(self, rescued: Path, data: Path) -> None:
        directory = BackupDirectory.beside(data / "sidecar.db", SYSTEM_CLOCK)
        restore_at_rest(directory, data / "sidecar.db", directory.adopt(rescued, "from-file").name)
        storage = await open_storage(data)
        assert {todo.content for todo in (await storage.get_todos(limit=100)).items} >= ANSWERED
        await storage.close()
