"""Jobs in a database that a recovery made again: one that may have been done is not done twice."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models.jobs import JobStatus
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.recovery.ladder import Recovery
from tests.storage.damage import leaves, overwrite, populate, storage_at


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """A database with a queued job, and a backup that holds the same."""
    async with storage_at(tmp_path) as storage:
        await populate(storage, "first", rows=200)
        await storage.create_job("notes.import_deck", {"path": "a.csv"})
    file = tmp_path / "sidecar.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        snapshot.make_snapshot(connection, tmp_path / "backups" / "20260101T000000.000Z-schema-1-test.db")
    return file


async def job_after_recovery(file: Path) -> tuple[JobStatus, str | None]:
    Recovery(file, file.parent / "backups", lambda *_: None, SYSTEM_CLOCK).run("the test says so")
    async with storage_at(file.parent) as storage:
        (job,) = (await storage.get_jobs()).items
        return job.status, job.error_code


async def test_a_job_that_only_the_backup_has_is_interrupted(file: Path) -> None:
    overwrite(file, leaves(file, "jobs")[0])
    assert await job_after_recovery(file) == (JobStatus.INTERRUPTED, "interrupted")


async def test_a_job_that_the_damaged_file_still_shows_stays_queued(file: Path) -> None:
    overwrite(file, leaves(file, "tips")[0])
    assert await job_after_recovery(file) == (JobStatus.QUEUED, None)
