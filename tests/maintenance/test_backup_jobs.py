"""Scheduled backups and drills as jobs, and the bookkeeping of jobs, for which no backup is made."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.config import BackupSettings, DatabaseSettings
from sidecar.jobs.runner import JobRunner
from sidecar.maintenance.backups import back_up, drill
from sidecar.maintenance.steps import Steps
from sidecar.models import timestamps
from sidecar.models.jobs import JobStatus
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.clocks import SetClock


class Sidecar:
    """A store that is opened again for each run, whose clock shows days after today."""

    def __init__(self, directory: Path) -> None:
        self._config = document_backend(DatabaseSettings(), directory)
        self.storage: UnifiedStorage

    async def start(self) -> None:
        self.storage = UnifiedStorage.create([self._config])
        await self.storage.initialize()
        self.jobs = JobRunner(self.storage, lambda topic, data: None)

    async def stop(self) -> None:
        await self.jobs.close()
        await self.storage.close()

    async def upkeep(self, days: int) -> int:
        """Do what upkeep does after so many days; return how many backups were made."""
        moment = timestamps.render(datetime.now(UTC) + timedelta(days=days))
        self.storage.clock = SetClock(moment)
        steps = Steps(self.storage)
        await back_up(self.storage, BackupSettings(), self.jobs)(steps)
        await drill(self.storage, self.jobs)(steps)
        await self.storage.fill_search_index()
        await self.storage.merge_search_index(16)
        await self.storage.prune_idempotency_keys("2020-01-01T00:00:00.000Z", 10)
        await self.storage.checkpoint()
        return steps.did["made"]


@pytest.fixture
async def sidecar(tmp_path: Path) -> AsyncIterator[Sidecar]:
    sidecar = Sidecar(tmp_path)
    await sidecar.start()
    yield sidecar
    await sidecar.stop()


async def test_a_scheduled_backup_and_a_drill_are_jobs(sidecar: Sidecar) -> None:
    assert await sidecar.upkeep(0) == 1
    jobs = list(reversed((await sidecar.storage.get_jobs()).items))
    assert [(job.name, job.status) for job in jobs] == [
        ("backups.create", JobStatus.DONE),
        ("backups.verify", JobStatus.DONE),
    ]
    assert jobs[0].arguments == {"reason": "scheduled"}
    assert jobs[0].done == jobs[0].total != 0


async def test_the_jobs_of_backups_are_no_reason_for_another_backup(sidecar: Sidecar) -> None:
    await sidecar.storage.insert_tip("one")
    assert [await sidecar.upkeep(days) for days in (0, 2, 4)] == [1, 0, 0]
    await sidecar.storage.insert_tip("two")
    assert [await sidecar.upkeep(days) for days in (6, 8)] == [1, 0]


async def test_nor_are_they_for_the_next_run(sidecar: Sidecar) -> None:
    await sidecar.storage.insert_tip("one")
    assert await sidecar.upkeep(0) == 1
    for days in (2, 4):
        await sidecar.stop()
        await sidecar.start()
        assert await sidecar.upkeep(days) == 0
    await sidecar.storage.insert_tip("two")
    await sidecar.stop()
    await sidecar.start()
    assert await sidecar.upkeep(6) == 1


async def test_a_change_during_a_backup_is_a_reason(sidecar: Sidecar) -> None:
    changed = False

    async def change() -> None:
        nonlocal changed
        changed = True
        await sidecar.storage.insert_tip("meanwhile")

    await sidecar.storage.insert_tip("one")
    create = sidecar.storage.create_backup

    async def create_and_change(*arguments: object, **named: object) -> object:
        made = await create(*arguments, **named)  # type: ignore[arg-type]
        await change()
        return made

    sidecar.storage.create_backup = create_and_change  # type: ignore[method-assign, assignment]
    assert await sidecar.upkeep(0) == 1
    sidecar.storage.create_backup = create  # type: ignore[method-assign]
    assert changed
    assert await sidecar.upkeep(2) == 1
