"""What the one writer and the readers promise."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import Conflict, DatabaseDamaged, DiskFailed, DiskFull, InvalidInput, StorageClosed, StorageError
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.tips import Tip
from sidecar.storage.interfaces import Change
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.errors import to_sidecar_error
from sidecar.storage.sqlite.engine.group_queue import LARGEST_GROUP
from sidecar.storage.sqlite.engine.reads import LONGEST_GROUP_S
from sidecar.storage.sqlite.engine.unit_of_work import NoHooks, SQLiteWork
from tests.storage.conftest import prepare


def insert(text: str, topic: str = "notes") -> "Inserting":
    return Inserting(text, topic)


class Inserting:
    """A unit of work that inserts a note and returns its id; counts how often it ran."""

    def __init__(self, text: str, topic: str) -> None:
        self.text = text
        self.topic = topic
        self.runs = 0

    def __call__(self, work: SQLiteWork) -> int:
        self.runs += 1
        row_id = work.connection.execute("INSERT INTO notes (text) VALUES (?)", (self.text,)).lastrowid
        assert row_id is not None
        work.changed(self.topic, row_id)
        return row_id


class Gate:
    """A unit of work that holds up the writer, or a query that holds up a reader, until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, _: object) -> None:
        self.entered.set()
        assert self.open.wait(10)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self.entered.wait, 10)


def count_notes(connection: sqlite3.Connection) -> int:
    counted: int = connection.execute("SELECT count(*) FROM notes").fetchone()[0]
    return counted


async def texts(database: Database) -> list[str]:
    return await database.read(
        lambda connection: [row["text"] for row in connection.execute("SELECT text FROM notes ORDER BY id")]
    )


async def test_a_write_returns_what_its_unit_returned_and_can_be_read(database: Database) -> None:
    assert await database.write(insert("one")) == 1
    assert await texts(database) == ["one"]


async def test_a_unit_that_raises_leaves_nothing_and_its_error_reaches_its_caller(database: Database) -> None:
    def fail(work: SQLiteWork) -> None:
        insert("lost")(work)
        raise InvalidInput.field("text", "is not good enough")

    with pytest.raises(InvalidInput, match="not good enough"):
        await database.write(fail)
    assert await texts(database) == []


async def test_a_unit_that_fails_in_a_group_fails_alone(database: Database) -> None:
    gate = Gate()
    held = asyncio.create_task(database.write(gate))
    await gate.reached()
    group = [asyncio.create_task(database.write(insert(text))) for text in ("a", "b", "a", "c")]
    await asyncio.sleep(0)
    gate.open.set()
    results = await asyncio.gather(held, *group, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), int, int, Conflict, int]
    assert await texts(database) == ["a", "b", "c"]


async def test_a_unit_that_ends_with_an_exception_of_iterators_is_answered(database: Database) -> None:
    def unit(_: SQLiteWork) -> None:
        next(iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(database.write(unit), 10)
    await database.write(insert("goes on"))


async def test_units_that_wait_together_share_one_commit(file_database: Database) -> None:
    gate = Gate()
    held = asyncio.create_task(file_database.write(gate))
    await gate.reached()
    group = [asyncio.create_task(file_database.write(insert(f"note {number}"))) for number in range(20)]
    await asyncio.sleep(0)
    groups: list[int] = []
    file_database.subscribe(lambda changes: groups.append(len(changes)))
    gate.open.set()
    await asyncio.gather(held, *group)
    assert groups == [20]


async def test_a_flood_is_committed_in_groups_of_bounded_size(file_database: Database) -> None:
    groups: list[int] = []
    file_database.subscribe(lambda changes: groups.append(len(changes)))
    await asyncio.gather(*(file_database.write(insert(f"note {number}")) for number in range(LARGEST_GROUP + 10)))
    assert sum(groups) == LARGEST_GROUP + 10
    assert max(groups) <= LARGEST_GROUP


async def test_an_error_that_rolls_back_the_whole_transaction_fails_every_unit_of_the_group(database: Database) -> None:
    def roll_back_all(work: SQLiteWork) -> None:
        # What SQLite does itself when the disk is full: everything is undone, savepoints and all.
        work.connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    gate = Gate()
    held = asyncio.create_task(database.write(gate))
    await gate.reached()
    group = [asyncio.create_task(database.write(unit)) for unit in (insert("a"), roll_back_all, insert("b"))]
    await asyncio.sleep(0)
    gate.open.set()
    results = await asyncio.gather(held, *group, return_exceptions=True)
    assert results[0] is None
    assert all(isinstance(result, StorageError) for result in results[1:])
    assert await texts(database) == []
    await database.write(insert("after"))
    assert await texts(database) == ["after"]


async def test_a_full_disk_is_told_as_such_and_is_over_when_there_is_room_again(database: Database) -> None:
    def limit_pages(work: SQLiteWork) -> int:
        pages = int(work.connection.execute("PRAGMA page_count").fetchone()[0])
        work.connection.execute(f"PRAGMA max_page_count = {pages}")
        return pages

    def lift_limit(work: SQLiteWork) -> None:
        work.connection.execute("PRAGMA max_page_count = 1000000")

    await database.write(limit_pages)
    with pytest.raises(DiskFull):
        await database.write(insert("x" * 1_000_000))
    await database.write(lift_limit)
    await database.write(insert("y" * 1_000_000))
    assert await texts(database) == ["y" * 1_000_000]


async def test_a_commit_that_fails_fails_every_unit_of_its_group(database: Database) -> None:
    def break_a_deferred_foreign_key(work: SQLiteWork) -> None:
        work.connection.execute("PRAGMA defer_foreign_keys = ON")
        work.connection.execute("INSERT INTO messages (conversation_id, role) VALUES (999, 'user')")

    gate = Gate()
    held = asyncio.create_task(database.write(gate))
    await gate.reached()
    group = [asyncio.create_task(database.write(unit)) for unit in (insert("a"), break_a_deferred_foreign_key)]
    await asyncio.sleep(0)
    gate.open.set()
    results = await asyncio.gather(held, *group, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Conflict, Conflict]
    assert await texts(database) == []


async def test_a_caller_that_is_cancelled_before_its_turn_prevents_its_unit(database: Database) -> None:
    gate = Gate()
    held = asyncio.create_task(database.write(gate))
    await gate.reached()
    unit = insert("never")
    waiting = asyncio.create_task(database.write(unit))
    await asyncio.sleep(0)
    waiting.cancel()
    gate.open.set()
    await held
    await database.write(insert("next"))
    assert unit.runs == 0
    assert await texts(database) == ["next"]


async def test_a_caller_that_is_cancelled_while_its_unit_runs_leaves_it_whole(database: Database) -> None:
    gate = Gate()

    def slow_insert(work: SQLiteWork) -> None:
        insert("first half")(work)
        gate(work)
        insert("second half")(work)

    running = asyncio.create_task(database.write(slow_insert))
    await gate.reached()
    running.cancel()
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    await database.write(insert("next"))
    assert await texts(database) == ["first half", "second half", "next"]


async def test_a_cancelled_read_does_not_disturb_the_next_one(database: Database) -> None:
    gate = Gate()
    reading = asyncio.create_task(database.read(gate))
    await gate.reached()
    reading.cancel()
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await asyncio.gather(*(texts(database) for _ in range(8))) == [[]] * 8


@pytest.mark.counts_runs
async def test_a_key_makes_a_unit_run_once_and_returns_its_first_result(database: Database) -> None:
    key = IdempotencyKey("key-1", b"content")
    unit = insert("once")
    assert await database.write(unit, key, int) == await database.write(unit, key, int)
    assert unit.runs == 1
    assert await texts(database) == ["once"]


async def test_a_key_brings_back_records_as_records(database: Database) -> None:
    tip = Tip(id=1, content="ünïcode", created_at="2026-01-01T00:00:00.000Z")
    key = IdempotencyKey("key-1")
    await database.write(lambda _: tip, key, Tip)
    assert await database.write(lambda _: tip.model_copy(update={"content": "other"}), key, Tip) == tip


@pytest.mark.counts_runs
async def test_the_same_key_twice_in_one_group_runs_once(database: Database) -> None:
    key = IdempotencyKey("key-1")
    unit = insert("once")
    results = await asyncio.gather(*(database.write(unit, key, int) for _ in range(5)))
    assert len(set(results)) == 1
    assert unit.runs == 1


async def test_a_key_that_was_used_for_something_else_is_a_conflict(database: Database) -> None:
    await database.write(insert("one"), IdempotencyKey("key-1", b"one"), int)
    with pytest.raises(Conflict, match="Idempotency-Key"):
        await database.write(insert("two"), IdempotencyKey("key-1", b"two"), int)
    assert await texts(database) == ["one"]


async def test_the_key_of_a_unit_that_failed_can_be_used_again(database: Database) -> None:
    await database.write(insert("taken"))
    key = IdempotencyKey("key-1")
    with pytest.raises(Conflict):
        await database.write(insert("taken"), key, int)
    assert await database.write(insert("free"), key, int) == 2


async def test_a_key_is_remembered_by_the_file(tmp_path: Path) -> None:
    key = IdempotencyKey("key-1")
    first = await Database.open(tmp_path / "test.db", prepare, clock=SYSTEM_CLOCK)
    result = await first.write(insert("once"), key, int)
    await first.close()
    second = await Database.open(tmp_path / "test.db", prepare, clock=SYSTEM_CLOCK)
    assert await second.write(insert("once"), key, int) == result
    await second.close()


async def test_changes_are_handed_out_after_the_commit_and_only_those_that_were_kept(database: Database) -> None:
    seen: list[Change] = []

    def listen(changes: Sequence[Change]) -> None:
        seen.extend(changes)

    def fail(work: SQLiteWork) -> None:
        work.changed("notes", 99)
        raise InvalidInput.field("text", "no")

    unsubscribe = database.subscribe(listen)
    await asyncio.gather(database.write(insert("a")), database.write(fail), return_exceptions=True)
    await database.write(insert("b", topic="others"))
    assert seen == [Change("notes", 1), Change("others", 2)]
    unsubscribe()
    await database.write(insert("c"))
    assert len(seen) == 2


def test_a_file_that_was_cut_off_is_a_damaged_one_and_a_disk_that_fails_is_not() -> None:
    short, broken = sqlite3.OperationalError(), sqlite3.OperationalError()
    short.sqlite_errorcode, broken.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_READ
    assert isinstance(to_sidecar_error(short), DatabaseDamaged)
    assert isinstance(to_sidecar_error(broken), DiskFailed)


async def test_a_listener_that_fails_disturbs_neither_the_writer_nor_other_listeners(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Change] = []

    def fail(changes: Sequence[Change]) -> None:
        raise RuntimeError("listener")

    database.subscribe(fail)
    database.subscribe(seen.extend)
    await database.write(insert("a"))
    assert seen == [Change("notes", 1)]
    assert "a listener failed" in caplog.text


async def test_reads_of_one_query_see_one_moment(file_database: Database) -> None:
    entered, leave = threading.Event(), threading.Event()

    def count_twice(connection: sqlite3.Connection) -> tuple[int, int]:
        sql = "SELECT count(*) FROM notes"
        before = connection.execute(sql).fetchone()[0]
        entered.set()
        assert leave.wait(10)
        return before, connection.execute(sql).fetchone()[0]

    reading = asyncio.create_task(file_database.read(count_twice))
    assert await asyncio.to_thread(entered.wait, 10)
    await file_database.write(insert("in between"))
    leave.set()
    assert await reading == (0, 0)


async def test_a_query_that_fails_among_others_fails_alone(database: Database) -> None:
    await database.write(insert("a"))

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("SELECT * FROM nothing")

    first, failed, last = await asyncio.gather(
        texts(database), database.read(fail), texts(database), return_exceptions=True
    )
    assert first == last == ["a"]
    assert isinstance(failed, StorageError)


async def test_what_a_group_had_no_time_for_is_read_next_and_sees_what_was_written_meanwhile(
    file_database: Database,
) -> None:
    await file_database.write(insert("before"))
    taken, leave = threading.Event(), threading.Event()

    def first(connection: sqlite3.Connection) -> int:
        counted: int = connection.execute("SELECT count(*) FROM notes").fetchone()[0]
        taken.set()
        assert leave.wait(10)
        time.sleep(LONGEST_GROUP_S)
        return counted

    together = [asyncio.create_task(file_database.read(query)) for query in (first, count_notes)]
    assert await asyncio.to_thread(taken.wait, 10)
    await file_database.write(insert("in between"))
    leave.set()
    assert await asyncio.gather(*together) == [1, 2]


async def test_a_query_does_not_wait_for_a_long_one_that_came_before(file_database: Database) -> None:
    gate = Gate()
    reading = asyncio.create_task(file_database.read(gate))
    await gate.reached()
    assert await asyncio.wait_for(texts(file_database), 5) == []
    gate.open.set()
    await reading


async def test_a_unit_that_breaks_the_writer_itself_ends_neither_it_nor_those_who_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise LookupError("a mistake of ours")

    with monkeypatch.context() as patched:
        patched.setattr(NoHooks, "before_units", lambda *_: broken)
        with pytest.raises(LookupError):
            await database.write(insert("lost"))
    await database.write(insert("kept"))
    assert await texts(database) == ["kept"]


async def test_reads_go_on_while_the_writer_is_busy(file_database: Database) -> None:
    gate = Gate()
    held = asyncio.create_task(file_database.write(gate))
    await gate.reached()
    assert await texts(file_database) == []
    gate.open.set()
    await held


async def test_a_reader_cannot_write(file_database: Database) -> None:
    with pytest.raises(StorageError):
        await file_database.read(lambda connection: connection.execute("INSERT INTO notes (text) VALUES ('x')"))


async def test_close_finishes_what_was_accepted_and_refuses_what_comes_later(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "test.db", prepare, clock=SYSTEM_CLOCK)
    accepted = [asyncio.create_task(database.write(insert(f"note {number}"))) for number in range(600)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    with pytest.raises(StorageClosed):
        await database.write(insert("late"))
    with pytest.raises(StorageClosed):
        await texts(database)
    await closing
    assert sorted(await asyncio.gather(*accepted)) == list(range(1, 601))
    reopened = await Database.open(tmp_path / "test.db", prepare, clock=SYSTEM_CLOCK)
    assert len(await texts(reopened)) == 600
    await reopened.close()


async def test_close_can_be_called_again_and_at_the_same_time(database: Database) -> None:
    await asyncio.gather(database.close(), database.close())
    await database.close()


async def test_close_leaves_one_file_without_a_log(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "test.db", prepare, clock=SYSTEM_CLOCK)
    await database.write(insert("one"))
    await database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["test.db"]


async def test_an_opening_that_fails_leaves_no_thread_behind(tmp_path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        raise InvalidInput.field("schema", "cannot be made")

    before = set(threading.enumerate())
    with pytest.raises(InvalidInput):
        await Database.open(tmp_path / "test.db", fail, clock=SYSTEM_CLOCK)
    assert set(threading.enumerate()) <= before


async def test_the_writer_commits_durably(file_database: Database) -> None:
    def settings(work: SQLiteWork) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "auto_vacuum", "trusted_schema")
        return {name: work.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}

    full, incremental = 2, 2
    assert await file_database.write(settings) == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "auto_vacuum": incremental,
        "trusted_schema": 0,
    }
