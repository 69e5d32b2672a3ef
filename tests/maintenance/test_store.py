"""The steps of upkeep that the store offers: each small, each does what it says, the large ones give way."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings
from sidecar.errors import StorageBusy
from sidecar.models import timestamps
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.factory import BackendConfig
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.maintenance.store import OLDEST_KEYS, SQLiteMaintenance
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.clocks import SlowMachineClock

from ..support import backend_of
from .conftest import fill_and_empty, make_old

LATER = timestamps.render(datetime.now(UTC) + timedelta(days=1))


async def keys_of(storage: UnifiedStorage) -> set[str]:
    def query(connection: sqlite3.Connection) -> set[str]:
        return {key for (key,) in connection.execute("SELECT key FROM idempotency_keys")}

    return await backend_of(storage).database.read(query)


async def test_the_oldest_keys_go_and_younger_ones_stay(storage: UnifiedStorage) -> None:
    for number in range(5):
        await storage.insert_tip("x", key=IdempotencyKey(f"old-{number}"))
    await make_old(storage, "old-%")
    await storage.insert_tip("x", key=IdempotencyKey("young"))
    before = timestamps.render(datetime.now(UTC) - timedelta(days=7))
    assert await storage.prune_idempotency_keys(before, 3) == 3
    assert await storage.prune_idempotency_keys(before, 3) == 2
    assert await storage.prune_idempotency_keys(before, 3) == 0
    assert await keys_of(storage) == {"young"}


async def test_rows_that_were_made_with_a_key_outlive_it(storage: UnifiedStorage) -> None:
    tip = await storage.insert_tip("x", key=IdempotencyKey("one"))
    assert await storage.prune_idempotency_keys(LATER, 10) == 1
    assert (await storage.get_tips()).items == [tip]


@pytest.mark.parametrize("is_on_disk", [True, False], ids=["disk", "memory"])
async def test_a_step_that_takes_too_long_ends_early(tmp_path: Path, is_on_disk: bool) -> None:
    configs = [document_backend(DatabaseSettings(enabled=is_on_disk), tmp_path)]
    async with UnifiedStorage.create(configs, clock=SlowMachineClock()) as storage:
        for number in range(3):
            await storage.insert_tip("x", key=IdempotencyKey(f"key-{number}"))
        assert await storage.prune_idempotency_keys(LATER, 1_000) == 1


def test_old_keys_are_found_by_an_index(migrated: Callable[[], sqlite3.Connection]) -> None:
    plan = [row[3] for row in migrated().execute(f"EXPLAIN QUERY PLAN {OLDEST_KEYS}", ("x", 1))]
    assert plan == [
        "SEARCH idempotency_keys USING COVERING INDEX idx_idempotency_keys_created_at (created_at<?)",
    ]


async def test_free_pages_are_given_back_step_by_step(file_storage: UnifiedStorage) -> None:
    await fill_and_empty(file_storage)
    free = await file_storage.count_free_pages()
    assert free > 200
    assert await file_storage.give_back_pages(50, keep=100) == 50
    assert await file_storage.count_free_pages() == free - 50
    while await file_storage.give_back_pages(50, keep=100):
        pass
    assert await file_storage.count_free_pages() == 100


async def test_the_file_becomes_smaller(file_storage: UnifiedStorage, tmp_path: Path) -> None:
    await fill_and_empty(file_storage)
    await file_storage.checkpoint()
    large = (tmp_path / "sidecar.db").stat().st_size
    while await file_storage.give_back_pages(1_000, keep=0):
        pass
    assert (await file_storage.checkpoint()).is_complete
    assert (tmp_path / "sidecar.db").stat().st_size < large / 2


async def test_a_database_that_cannot_be_vacuumed_in_steps_is_left_alone(storage: UnifiedStorage) -> None:
    await fill_and_empty(storage)
    database = backend_of(storage).database

    def vacuum_is_off(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")

    await database.run_when_idle(vacuum_is_off)
    await fill_and_empty(storage)
    assert await storage.count_free_pages() > 0
    assert await storage.give_back_pages(10, keep=0) == 0


async def test_a_checkpoint_moves_what_the_log_holds(file_storage: UnifiedStorage, tmp_path: Path) -> None:
    await file_storage.insert_tip("in the log")
    checkpoint = await file_storage.checkpoint()
    assert checkpoint.pages > 0
    assert checkpoint.is_complete
    at_rest = sqlite3.connect(f"{(tmp_path / 'sidecar.db').as_uri()}?immutable=1", uri=True)
    assert at_rest.execute("SELECT content FROM tips").fetchall() == [("in the log",)]
    at_rest.close()


async def test_a_checkpoint_goes_as_far_as_readers_let_it(file_storage: UnifiedStorage, tmp_path: Path) -> None:
    reader = sqlite3.connect(f"{(tmp_path / 'sidecar.db').as_uri()}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM tips").fetchall()
    await file_storage.insert_tip("later than the reader")
    assert not (await file_storage.checkpoint()).is_complete
    reader.close()
    assert (await file_storage.checkpoint()).is_complete


async def test_a_large_log_is_made_empty_without_waiting_for_readers(
    file_storage: UnifiedStorage, tmp_path: Path
) -> None:
    backend = backend_of(file_storage)
    maintenance = SQLiteMaintenance(backend.database, backend.recovery, large_log_bytes=0)
    log = tmp_path / "sidecar.db-wal"
    await file_storage.insert_tip("x")
    reader = sqlite3.connect(f"{(tmp_path / 'sidecar.db').as_uri()}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM tips").fetchall()
    started = asyncio.get_running_loop().time()
    assert (await maintenance.checkpoint()).freed_bytes == 0
    assert asyncio.get_running_loop().time() - started < 1.0
    reader.close()
    assert (await maintenance.checkpoint()).freed_bytes > 0
    assert log.stat().st_size == 0
    timeout = await backend.database.run_when_idle(_busy_timeout)
    assert timeout == 2_000


def _busy_timeout(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA busy_timeout").fetchone()[0])


async def test_in_memory_there_is_no_log_to_move(tmp_path: Path) -> None:
    storage = UnifiedStorage.create([memory_backend(tmp_path)])
    await storage.initialize()
    await storage.insert_tip("x")
    assert await storage.checkpoint() == (0, True, 0)
    await storage.close()


def memory_backend(tmp_path: Path) -> BackendConfig:
    return document_backend(DatabaseSettings(enabled=False), tmp_path)


async def test_statistics_that_are_out_of_date_are_found_and_refreshed(file_storage: UnifiedStorage) -> None:
    for number in range(50):
        await file_storage.insert_todo(f"todo {number}")
    await file_storage.get_todos(status=0)
    await file_storage.get_todos(start_time=timestamps.now(SYSTEM_CLOCK))
    tables = await file_storage.find_outdated_statistics()
    assert "todo" in tables
    for table in tables:
        await file_storage.refresh_statistics(table)

    def analysed(connection: sqlite3.Connection) -> set[str]:
        return {table for (table,) in connection.execute("SELECT DISTINCT tbl FROM sqlite_stat1")}

    assert "todo" in await backend_of(file_storage).database.read(analysed)


async def test_what_cannot_be_cut_gives_way_to_a_write(file_database: Database) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(connection: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        connection.execute(endless).fetchone()

    upkeep_work = asyncio.create_task(file_database.run_when_idle(work))
    await begun.wait()
    assert not file_database.is_idle
    async with asyncio.timeout(5):
        await insert(file_database)
    with pytest.raises(StorageBusy):
        await upkeep_work
    assert await file_database.write(lambda work: work.connection.in_transaction)
    assert file_database.is_idle


async def test_it_does_not_begin_while_something_is_written(file_database: Database) -> None:
    writing = asyncio.create_task(insert(file_database))
    await asyncio.sleep(0)
    with pytest.raises(StorageBusy):
        await file_database.run_when_idle(lambda connection: None)
    await writing
    await file_database.run_when_idle(lambda connection: None)


async def insert(database: Database) -> None:
    await database.write(lambda work: work.connection.execute("SELECT 1").fetchone())
