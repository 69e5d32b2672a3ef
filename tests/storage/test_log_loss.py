"""A write-ahead log that is damaged, cut off or gone: what was answered and is lost is reported, and nothing else."""

import asyncio
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models.recovery import RecoveryReport
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.files import atomic, open_mark, wal, wal_index
from sidecar.storage.sqlite.maintenance.store import SQLiteMaintenance
from sidecar.storage.sqlite.recovery.at_rest import restore_at_rest

from ..support import backend_of
from .damage import leaves, overwrite, storage_at

FRAME = 24 + 4096
DATABASE = "sidecar.db"
LOG = "sidecar.db-wal"
INDEX = "sidecar.db-shm"
MARK = "sidecar.db.open"


class Killed:
    """Directories as a sidecar that was killed leaves them, before and after its last two commits."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def make(self) -> None:
        storage = storage_at(self._directory / "running")
        await storage.initialize()
        await storage.insert_tip("in the file")
        await storage.create_backup()
        await storage.close()
        storage = storage_at(self._directory / "running")
        await storage.initialize()
        for number in range(3):
            self._copy(f"after {number}")
            await storage.insert_tip(f"tip {number}")
        self._copy("after 3")
        await storage.close()

    def _copy(self, name: str) -> None:
        shutil.copytree(self._directory / "running", self._directory / name)

    def after(self, commits: int) -> Path:
        return self._directory / f"after {commits}"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    killed = Killed(tmp_path_factory.mktemp("killed"))
    asyncio.run(killed.make())
    return killed


@pytest.fixture
def directory(template: Killed, tmp_path: Path) -> Path:
    """A store that was killed after three commits, which are in its log only."""
    return Path(shutil.copytree(template.after(3), tmp_path / "data"))


def damage_frame(directory: Path, frame: int) -> None:
    """Change a byte in the page of a frame; a negative number counts from the end."""
    log = bytearray((directory / LOG).read_bytes())
    frames = (len(log) - 32) // FRAME
    at = 32 + (frame if frame >= 0 else frames + frame) * FRAME + 100
    log[at] ^= 0xFF
    (directory / LOG).write_bytes(log)


async def opened(directory: Path) -> tuple[list[RecoveryReport], set[str], str | None]:
    """The reports, the tips and what health says of recovery."""
    storage = storage_at(directory)
    await storage.initialize()
    try:
        reports = (await storage.get_recoveries()).items
        tips = {tip.content for tip in (await storage.get_tips()).items}
        return reports, tips, (await storage.health())["recovery"].detail
    finally:
        await storage.close()


ALL = {"in the file", "tip 0", "tip 1", "tip 2"}


class TestMissing:
    @pytest.mark.parametrize("removed", [[LOG], [LOG, INDEX]], ids=["the log", "the log and its index"])
    async def test_a_log_that_was_removed_after_a_kill_is_reported(self, directory: Path, removed: list[str]) -> None:
        for name in removed:
            (directory / name).unlink()
        (report,), tips, detail = await opened(directory)
        assert (report.outcome, report.is_complete, tips) == ("log_missing", False, {"in the file"})
        assert detail == report.sentence()
        assert "commits are lost" in detail

    async def test_the_index_knows_how_much_it_held(self, directory: Path) -> None:
        (directory / LOG).unlink()
        (report,), _, _ = await opened(directory)
        assert report.log is not None
        assert report.log.unreadable_commits >= 3

    async def test_it_is_reported_once(self, directory: Path) -> None:
        (directory / LOG).unlink()
        await opened(directory)
        reports, _, _ = await opened(directory)
        assert len(reports) == 1

    async def test_a_log_that_was_emptied_after_a_kill_is_reported(self, directory: Path) -> None:
        (directory / LOG).write_bytes(b"")
        (report,), _, _ = await opened(directory)
        assert (report.outcome, report.is_complete) == ("log_missing", False)

    @pytest.mark.parametrize("is_later", [False, True], ids=["what was emptied", "a later commit, too"])
    async def test_one_that_was_emptied_before_a_power_cut_is_no_loss_though_its_index_is_older(
        self, tmp_path: Path, is_later: bool
    ) -> None:
        storage = storage_at(tmp_path / "running")
        await storage.initialize()
        await storage.insert_tip("in the log")
        before = (tmp_path / "running" / INDEX).read_bytes()
        backend = backend_of(storage)
        await SQLiteMaintenance(backend.database, backend.recovery, large_log_bytes=0).checkpoint()
        assert (tmp_path / "running" / LOG).stat().st_size == 0
        if is_later:
            await storage.insert_tip("later")
            before = (tmp_path / "running" / INDEX).read_bytes()
        cut = Path(shutil.copytree(tmp_path / "running", tmp_path / "cut"))
        await storage.close()
        (cut / INDEX).write_bytes(before)
        (cut / LOG).write_bytes(b"")
        reports, tips, _ = await opened(cut)
        assert [report.outcome for report in reports] == ["log_missing"] * is_later
        assert tips == {"in the log"}

    async def test_a_log_that_was_cut_between_two_commits_is_reported(self, template: Killed, directory: Path) -> None:
        shutil.copyfile(template.after(2) / LOG, directory / LOG)
        (report,), tips, _ = await opened(directory)
        assert (report.outcome, tips) == ("log_cut_off", ALL - {"tip 2"})
        assert report.log is not None
        assert report.log.unreadable_commits >= 1

    async def test_a_clean_end_leaves_no_mark_and_needs_no_log(self, directory: Path) -> None:
        assert (directory / MARK).exists()
        assert await opened(directory) == ([], ALL, None)
        assert not (directory / MARK).exists()
        assert not (directory / LOG).exists()
        assert await opened(directory) == ([], ALL, None)

    async def test_a_start_that_failed_is_no_loss(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise OSError("refused")

        monkeypatch.setattr("sidecar.storage.sqlite.schema.upgrade.bring_up_to_date", refuse)
        with pytest.raises(OSError, match="refused"):
            await opened(directory)
        monkeypatch.undo()
        assert await opened(directory) == ([], ALL, None)

    async def test_a_recovery_after_a_kill_is_no_further_loss(self, directory: Path) -> None:
        overwrite(directory / DATABASE, leaves(directory / DATABASE, "vaults")[0])
        reports, _, _ = await opened(directory)
        assert [report.outcome for report in reports] == ["backup_restored"]

    async def test_a_restore_after_a_kill_is_no_loss(self, directory: Path) -> None:
        backups = BackupDirectory(directory / "backups", SYSTEM_CLOCK)
        (backup,) = backups.listed()
        restore_at_rest(backups, directory / DATABASE, backup.name)
        assert await opened(directory) == ([], {"in the file"}, None)

    async def test_a_mark_that_was_not_finished_does_not_count(self, directory: Path) -> None:
        """It has no content before the log's name is on the disk, and until then nothing is answered."""
        for name in (LOG, INDEX):
            (directory / name).unlink()
        (directory / MARK).write_bytes(b"")
        reports, _, _ = await opened(directory)
        assert reports == []

    def test_the_names_are_synced_before_the_mark_counts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        synced: list[tuple[Path, bool]] = []
        monkeypatch.setattr(atomic, "sync", lambda path: synced.append((path, open_mark.is_there(tmp_path / DATABASE))))
        open_mark.leave(tmp_path / DATABASE)
        assert synced == [(tmp_path, False)]
        assert open_mark.is_there(tmp_path / DATABASE)


class TestDamaged:
    async def test_the_last_commit_is_lost_if_the_index_knows_it(self, directory: Path) -> None:
        damage_frame(directory, -1)
        (report,), tips, detail = await opened(directory)
        assert (report.outcome, tips) == ("log_cut_off", ALL - {"tip 2"})
        assert detail is not None

    async def test_two_commits_are_damage_whatever_the_index_knows(self, template: Killed, directory: Path) -> None:
        damage_frame(directory, (template.after(1) / LOG).stat().st_size // FRAME)
        (directory / INDEX).unlink()
        (report,), tips, _ = await opened(directory)
        assert (report.outcome, tips) == ("log_cut_off", ALL - {"tip 1", "tip 2"})
        assert report.log is not None
        assert report.log.unreadable_commits == 2

    @pytest.mark.parametrize("index", ["which ends before it", "none"])
    async def test_a_single_commit_that_no_index_knows_is_kept_and_alarms_nobody(
        self, template: Killed, directory: Path, index: str
    ) -> None:
        """As after a power cut, which interrupts at most one commit, and that one was not answered."""
        damage_frame(directory, -1)
        (directory / INDEX).unlink()
        if index != "none":
            shutil.copyfile(template.after(2) / INDEX, directory / INDEX)
        damaged = (directory / LOG).read_bytes()
        (report,), _, detail = await opened(directory)
        assert (report.outcome, detail) == ("commit_unfinished", None)
        assert report.acknowledged_at is not None
        assert report.log is not None
        assert report.log.unreadable_commits == 1
        assert report.log.kept_as is not None
        assert (directory / report.log.kept_as).read_bytes() == damaged

    @pytest.mark.parametrize("byte", [0, 8, 16, 24], ids=["magic", "page size", "salts", "checksum"])
    @pytest.mark.parametrize("has_index", [True, False], ids=["with index", "without"])
    async def test_a_damaged_header_of_the_log_hides_no_loss(self, directory: Path, byte: int, has_index: bool) -> None:
        log = bytearray((directory / LOG).read_bytes())
        log[byte + 1] ^= 0xFF
        (directory / LOG).write_bytes(log)
        if not has_index:
            (directory / INDEX).unlink()
        (report,), tips, _ = await opened(directory)
        assert (report.outcome, tips) == ("log_cut_off", {"in the file"})
        assert report.log is not None
        assert report.log.unreadable_commits >= 3

    async def test_without_room_for_the_report_the_log_stays_for_the_next_start(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise OSError("full")

        damage_frame(directory, -1)
        monkeypatch.setattr(shutil, "copyfile", refuse)
        with pytest.raises(OSError, match="full"):
            await opened(directory)
        monkeypatch.undo()
        (report,), _, _ = await opened(directory)
        assert report.outcome == "log_cut_off"


@pytest.mark.parametrize("damaged", [None, 0, 5, -1])
def test_as_many_frames_are_readable_as_sqlite_reads(directory: Path, damaged: int | None) -> None:
    if damaged is not None:
        damage_frame(directory, damaged)
    readable = wal.readable_frames(directory / DATABASE)
    with closing(sqlite3.connect(directory / DATABASE)) as connection:
        (_, frames, _) = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert readable == frames


class TestIndex:
    def test_it_says_what_sqlite_says(self, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "test.db", isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE notes (text)")
            connection.execute("INSERT INTO notes VALUES ('one')")
            shutil.copytree(tmp_path, tmp_path / "before")
            (_, frames, _) = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            shutil.copytree(tmp_path, tmp_path / "after", ignore=lambda *_: ["before"])
        before, after = (wal_index.read(tmp_path / name / "test.db") for name in ("before", "after"))
        assert before is not None
        assert after is not None
        assert (before.frames, before.only_in_log) == (frames, frames)
        assert (after.frames, after.only_in_log) == (frames, 0)
        assert before.salts == (tmp_path / "before" / "test.db-wal").read_bytes()[16:24]

    @pytest.mark.parametrize("byte", range(0, 96, 5))
    def test_a_damaged_one_says_nothing(self, directory: Path, byte: int) -> None:
        index = bytearray((directory / INDEX).read_bytes())
        index[byte] ^= 0x10
        (directory / INDEX).write_bytes(index)
        assert wal_index.read(directory / DATABASE) is None

    def test_one_of_zeros_says_nothing(self, directory: Path) -> None:
        (directory / INDEX).write_bytes(struct.pack("32768x"))
        assert wal_index.read(directory / DATABASE) is None
