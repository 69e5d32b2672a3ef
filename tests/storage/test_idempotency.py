"""Idempotency keys: how long the results under them are kept, and keys of work that is no single unit."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import AlreadyDone, Conflict, StorageError
from sidecar.models import timestamps
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.invalid_rows import InvalidRowsRepaired
from sidecar.models.monitoring import Cleanup
from sidecar.storage.resources.monitoring import PRUNED_AT_ONCE, MonitoringService
from sidecar.storage.sqlite.engine import idempotency
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.idempotency import KEPT_BYTES
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS
from sidecar.storage.unified import UnifiedStorage

from ..support import backend_of
from .damage import storage_at

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    """An open storage on disk."""
    async with storage_at(tmp_path) as opened:
        yield opened


LostAnswer = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


@pytest.fixture
def lost_answer(monkeypatch: pytest.MonkeyPatch) -> LostAnswer:
    """Calls twice: the first call fails when it stores its result, the second one's result is returned."""

    def fail(*_: object) -> None:
        raise StorageError("the process ended")

    async def call_twice(call: Callable[[], Awaitable[Any]]) -> Any:
        with monkeypatch.context() as ending:
            ending.setattr(idempotency, "remember", fail)
            ending.setattr(idempotency, "remember_across_restores", fail)
            with pytest.raises(StorageError, match="ended"):
                await call()
        return await call()

    return call_twice


def rows(directory: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(directory / "sidecar.db")) as connection:
        return connection.execute(sql).fetchall()


def add_hours(directory: Path, hours: int) -> None:
    """Add monitoring rows of long ago."""
    insert = "INSERT INTO monitoring_token_usage (time_bucket, model) VALUES (?, 'm')"
    buckets = [timestamps.render(LONG_AGO + timedelta(hours=hour)) for hour in range(hours)]
    with closing(sqlite3.connect(directory / "sidecar.db", timeout=5)) as connection, connection:
        connection.executemany(insert, [(bucket,) for bucket in buckets])


async def store_result(store: UnifiedStorage, key: str, length: int) -> str:
    """Store a result of so many characters under the key, as a unit of work that returns it does; return it."""
    return await backend_of(store).database.write(lambda _: key[0] * length, IdempotencyKey(key), str)


async def tips(store: UnifiedStorage) -> list[str]:
    return [tip.content for tip in reversed((await store.get_tips(limit=1_000)).items)]


class TestLargeResults:
    async def test_a_recent_one_is_answered_again_whole(self, store: UnifiedStorage) -> None:
        first = await store.insert_tip("x" * 5_000, key=IdempotencyKey("one"))
        assert await store.insert_tip("x" * 5_000, key=IdempotencyKey("one")) == first

    async def test_they_take_no_more_than_their_budget(self, store: UnifiedStorage, tmp_path: Path) -> None:
        for number in range(20):
            await store_result(store, str(number), KEPT_BYTES // 10 + number)
        ((size, keys),) = rows(tmp_path, "SELECT sum(length(result)), count(*) FROM idempotency_keys")
        assert keys == 20
        assert KEPT_BYTES * 0.8 < size < KEPT_BYTES + 20 * len("null")

    async def test_one_beyond_it_is_said_to_be_done_and_not_done_again(self, store: UnifiedStorage) -> None:
        tip = await store.insert_tip("first" + "x" * 5_000, key=IdempotencyKey("first"))
        await store_result(store, "second", KEPT_BYTES)
        with pytest.raises(AlreadyDone, match=f"by the id {tip.id}") as raised:
            await store.insert_tip("first" + "x" * 5_000, key=IdempotencyKey("first"))
        assert (raised.value.code, raised.value.status, raised.value.retryable) == ("already_done", 409, False)
        assert len(await tips(store)) == 1

    async def test_its_key_is_still_refused_for_another_request(self, store: UnifiedStorage, tmp_path: Path) -> None:
        await store.insert_tip("x" * 5_000, key=IdempotencyKey("first", b"this"))
        await store_result(store, "second", KEPT_BYTES)
        assert rows(tmp_path, "SELECT key FROM idempotency_keys WHERE state = 'expired'") == [("first",)]
        with pytest.raises(Conflict, match="another request") as raised:
            await store.insert_tip("other", key=IdempotencyKey("first", b"that"))
        assert raised.value.code == "conflict"

    async def test_the_newest_is_kept_even_when_it_alone_is_larger(self, store: UnifiedStorage, tmp_path: Path) -> None:
        await store.insert_tip("x" * 5_000, key=IdempotencyKey("before"))
        large = await store_result(store, "large", 2 * KEPT_BYTES)
        assert await store_result(store, "large", 1) == large
        assert rows(tmp_path, "SELECT key, state FROM idempotency_keys ORDER BY key") == [
            ("before", "expired"),
            ("large", None),
        ]

    async def test_small_ones_do_not_count(self, store: UnifiedStorage, tmp_path: Path) -> None:
        for number in range(50):
            await store.insert_tip("x" * 700, key=IdempotencyKey(str(number)))
        assert rows(tmp_path, "SELECT DISTINCT state, begins_at FROM idempotency_keys") == [(None, None)]

    def test_those_of_before_the_budget_are_bounded_by_the_migration(self, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as connection:
            upgrade.bring_up_to_date(connection, None, lambda *_: None, MIGRATIONS[:10], clock=SYSTEM_CLOCK)
            insert = "INSERT INTO idempotency_keys (key, fingerprint, result, created_at) VALUES (?, x'00', ?, ?)"
            for number in range(12):
                result = f'{{"id": {number}, "content": "{"x" * 1_000_000}"}}'
                connection.execute(insert, (f"key-{number:02}", result, f"2026-01-01T00:00:{number:02}.000Z"))
            connection.execute(insert, ("small", '{"id": 1}', "2020-01-01T00:00:00.000Z"))
            upgrade.bring_up_to_date(connection, None, lambda *_: None, clock=SYSTEM_CLOCK)
            expired = connection.execute("SELECT key, result FROM idempotency_keys WHERE state = 'expired'").fetchall()
            assert expired == [(f"key-{number:02}", str(number)) for number in range(4)]
            idempotency.remember(connection, IdempotencyKey("new"), "x" * 1_000_000, "2026-01-02T00:00:00.000Z")
            sql = "SELECT count(*) FROM idempotency_keys WHERE state = 'expired'"
            assert connection.execute(sql).fetchone() == (5,)

    def test_they_are_found_by_an_index(self, migrated: Callable[[], sqlite3.Connection]) -> None:
        for sql, values in ((idempotency.NEWEST_END, ()), (idempotency.EXPIRING, (1, "key"))):
            ((_, _, _, plan),) = migrated().execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
            assert "USING COVERING INDEX idx_idempotency_keys_place" in plan


class TestRestores:
    async def test_one_whose_answer_was_lost_is_not_done_again(
        self, store: UnifiedStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backup = await store.create_backup()
        await store.insert_tip("replaced")

        async def fail() -> None:
            raise StorageError("the answer is lost")

        with monkeypatch.context() as broken:
            broken.setattr(backend_of(store).backups, "_after_open", fail)
            with pytest.raises(StorageError, match="lost"):
                await store.restore_backup(backup.name, key=IdempotencyKey("restore"))
        await store.insert_tip("answered after it")
        restored = await store.restore_backup(backup.name, key=IdempotencyKey("restore"))
        assert restored.restored.name == backup.name
        assert restored.kept in (await store.get_backups()).items
        assert await tips(store) == ["answered after it"]

    async def test_one_is_not_done_again_after_another_one(self, store: UnifiedStorage) -> None:
        backup = await store.create_backup()
        first = await store.restore_backup(backup.name, key=IdempotencyKey("first"))
        await store.restore_backup(backup.name, key=IdempotencyKey("second"))
        await store.insert_tip("answered after both")
        assert await store.restore_backup(backup.name, key=IdempotencyKey("first")) == first
        assert await tips(store) == ["answered after both"]

    async def test_a_write_that_one_replaced_is_done_again_once(self, store: UnifiedStorage) -> None:
        backup = await store.create_backup()
        await store.insert_tip("replaced", key=IdempotencyKey("write"))
        await store.restore_backup(backup.name)
        assert await tips(store) == []
        tip = await store.insert_tip("replaced", key=IdempotencyKey("write"))
        assert await store.insert_tip("replaced", key=IdempotencyKey("write")) == tip
        assert await tips(store) == ["replaced"]

    async def test_one_that_was_put_back_leaves_no_key(
        self, store: UnifiedStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backup = await store.create_backup()
        await store.insert_tip("kept")

        def fail(_: sqlite3.Connection) -> None:
            raise StorageError("the new store cannot be opened")

        reopen = Database.reopen

        async def reopen_badly(database: Database, put_in_place: Any, prepare: Any, put_back: Any) -> Any:
            return await reopen(database, put_in_place, _fail_once(fail, prepare), put_back)

        with monkeypatch.context() as failing:
            failing.setattr(Database, "reopen", reopen_badly)
            with pytest.raises(StorageError, match="cannot be opened"):
                await store.restore_backup(backup.name, key=IdempotencyKey("restore"))
        assert await tips(store) == ["kept"]
        await store.restore_backup(backup.name, key=IdempotencyKey("restore"))
        assert await tips(store) == []


class TestWorkInSteps:
    """The process ends after the work, before its result is stored under its key."""

    async def test_a_backup_is_not_made_again(self, store: UnifiedStorage, lost_answer: LostAnswer) -> None:
        made = await lost_answer(lambda: store.create_backup(key=IdempotencyKey("key")))
        assert (await store.get_backups()).items == [made]
        assert made.is_verified

    async def test_a_backup_is_not_made_again_after_a_restore(self, store: UnifiedStorage) -> None:
        older = await store.create_backup()
        made = await store.create_backup(key=IdempotencyKey("key"))
        await store.restore_backup(older.name)
        assert await store.create_backup(key=IdempotencyKey("key")) == made

    async def test_a_cleanup_is_continued(self, store: UnifiedStorage, lost_answer: LostAnswer, tmp_path: Path) -> None:
        add_hours(tmp_path, 5)
        key = IdempotencyKey("key")
        assert await lost_answer(lambda: store.cleanup_old_monitoring_data(7, key=key)) == Cleanup(deleted=5)
        add_hours(tmp_path, 1)
        assert await store.cleanup_old_monitoring_data(7, key=key) == Cleanup(deleted=5)
        assert await store.cleanup_old_monitoring_data(7) == Cleanup(deleted=1)

    async def test_a_cleanup_that_ended_in_the_midst_removes_the_rest(
        self, store: UnifiedStorage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        hours = 2 * PRUNED_AT_ONCE + 1
        add_hours(tmp_path, hours)
        clean_up, steps = MonitoringService.cleanup_old_data, count()

        def fail_second(service: MonitoringService, work: SQLiteWork, before: str, limit: int) -> int:
            if next(steps) == 1:
                raise StorageError("the process ended")
            return clean_up(service, work, before, limit)

        monkeypatch.setattr(MonitoringService, "cleanup_old_data", fail_second)
        with pytest.raises(StorageError, match="ended"):
            await store.cleanup_old_monitoring_data(7, key=IdempotencyKey("key"))
        assert await store.cleanup_old_monitoring_data(7, key=IdempotencyKey("key")) == Cleanup(deleted=hours)
        assert await store.cleanup_old_monitoring_data(7) == Cleanup(deleted=0)

    async def test_a_repair_counts_what_it_had_done(
        self, store: UnifiedStorage, lost_answer: LostAnswer, tmp_path: Path
    ) -> None:
        for number in range(3):
            await store.insert_tip(f"tip {number}")
        with closing(sqlite3.connect(tmp_path / "sidecar.db", timeout=5)) as connection, connection:
            connection.execute("DROP TRIGGER guard_tips_changed")
            connection.execute("UPDATE tips SET created_at = 'never'")
        done = await lost_answer(lambda: store.repair_invalid_rows(key=IdempotencyKey("key")))
        assert done == InvalidRowsRepaired(repaired=3, set_aside=0)


def _fail_once(fail: Callable[[Any], Any], then: Callable[[Any], Any]) -> Callable[[Any], Any]:
    steps = [fail]
    return lambda connection: (steps.pop() if steps else then)(connection)
