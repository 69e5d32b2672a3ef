"""The progress of backups, their verification and their restore."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.recovery.at_rest import restore_at_rest
from sidecar.storage.unified import UnifiedStorage, document_backend


class Reports:
    """Progress as it was reported."""

    def __init__(self) -> None:
        self.all: list[tuple[int, int | None, str]] = []

    def __call__(self, done: int, total: int | None, activity: str) -> None:
        self.all.append((done, total, activity))

    @property
    def activities(self) -> list[str]:
        return list(dict.fromkeys(activity for _, _, activity in self.all))

    def require_one_way_to(self, end: int) -> None:
        """Require that nothing went back, that there was one total, and that all of it was done."""
        steps = [done for done, _, _ in self.all]
        assert steps == sorted(steps)
        assert {total for _, total, _ in self.all} == {end}
        assert steps[-1] == end


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    async with UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)]) as storage:
        await storage.insert_tip("x" * 5_000_000)
        yield storage


async def test_a_backup_reports_bytes(storage: UnifiedStorage) -> None:
    reports = Reports()
    backup = await storage.create_backup(progress=reports)
    assert reports.activities == ["copying the database", "verifying the copy"]
    reports.require_one_way_to(3 * backup.bytes)
    copying = [done for done, _, activity in reports.all if activity == "copying the database"]
    assert len(copying) >= 5  # a report for each MiB


async def test_a_verification_reports_bytes(storage: UnifiedStorage) -> None:
    backup, reports = await storage.create_backup(), Reports()
    await storage.verify_backup(backup.name, progress=reports)
    reports.require_one_way_to(2 * backup.bytes)


async def test_a_restore_reports_bytes_until_the_store_is_replaced(storage: UnifiedStorage) -> None:
    backup, reports = await storage.create_backup(), Reports()
    await storage.insert_tip("later")
    await storage.restore_backup(backup.name, progress=reports)
    assert reports.activities == [
        "verifying the copy",
        "copying the backup",
        "upgrading the copy",
        "replacing the database",
    ]
    reports.require_one_way_to(3 * backup.bytes)


async def test_what_the_progress_raises_ends_a_backup(storage: UnifiedStorage) -> None:
    def give_up(done: int, total: int | None, activity: str) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await storage.create_backup(progress=give_up)
    assert (await storage.get_backups()).items == []
    assert (await storage.create_backup()).is_verified


async def test_a_restore_without_a_sidecar_reports_bytes(tmp_path: Path) -> None:
    config = document_backend(DatabaseSettings(), tmp_path)
    async with UnifiedStorage.create([config]) as storage:
        backup = await storage.create_backup()
    reports = Reports()
    path: Path = config.options["path"]
    directory = BackupDirectory.beside(path, SYSTEM_CLOCK)
    restore_at_rest(directory, path, backup.name, reports)
    reports.require_one_way_to(3 * backup.bytes)
