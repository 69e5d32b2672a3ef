"""Opening a database again while work goes on: what replaces the store, and what recovers it, rests on this."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import StorageBusy, StorageClosed, StorageError
from sidecar.storage.interfaces import STORE_REPLACED, Change
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from tests.storage.conftest import prepare


def add(text: str) -> "Adding":
    return Adding(text)


class Adding:
    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, work: SQLiteWork) -> None:
        work.connection.execute("INSERT INTO notes (text) VALUES (?)", (self._text,))


async def texts(database: Database) -> list[str]:
    return await database.read(
        lambda connection: [row["text"] for row in connection.execute("SELECT text FROM notes ORDER BY id")]
    )


@pytest.fixture
async def other(tmp_path: Path) -> Path:
    """The file of a database that holds another note and that nobody has open."""
    path = tmp_path / "other.db"
    opened = await Database.open(path, prepare, clock=SYSTEM_CLOCK)
    await opened.write(add("other"))
    await opened.close()
    return path


class Closed:
    """What runs while the database is closed: waits until it may end, and puts another file in its place, if any."""

    def __init__(self, database: Database, replacement: Path | None = None) -> None:
        self._database = database
        self._replacement = replacement
        self.entered = threading.Event()
        self.leave = threading.Event()

    def __call__(self) -> str:
        self.entered.set()
        assert self.leave.wait(10)
        assert self._database.location is not None
        assert not self._database.location.with_name("test.db-wal").exists()
        if self._replacement is not None:
            self._replacement.replace(self._database.location)
        return "done"

    async def reached(self) -> None:
        assert await asyncio.to_thread(self.entered.wait, 10)


async def test_work_that_comes_meanwhile_waits_and_goes_on_in_the_new_file(
    file_database: Database, other: Path
) -> None:
    await file_database.write(add("before"))
    closed = Closed(file_database, other)
    reopening = asyncio.create_task(file_database.reopen(closed, prepare))
    await closed.reached()
    writes = [asyncio.create_task(file_database.write(add(f"held {number}"))) for number in range(3)]
    reads = [asyncio.create_task(texts(file_database)) for _ in range(5)]
    at_length = asyncio.create_task(file_database.read_isolated(lambda connection: connection.total_changes))
    done, _ = await asyncio.wait([*writes, *reads, at_length, reopening], timeout=0.05)
    assert not done
    closed.leave.set()
    assert await reopening == "done"
    await asyncio.gather(*writes, at_length)
    assert all(found[0] == "other" for found in await asyncio.gather(*reads))
    assert await texts(file_database) == ["other", "held 0", "held 1", "held 2"]


async def test_what_runs_is_finished_first(file_database: Database, other: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(work: SQLiteWork) -> str:
        entered.set()
        assert leave.wait(10)
        add("slow")(work)
        return "written"

    def slow_query(connection: sqlite3.Connection) -> int:
        assert leave.wait(10)
        return int(connection.execute("SELECT count(*) FROM notes").fetchone()[0])

    writing = asyncio.create_task(file_database.write(slow))
    reading = asyncio.create_task(file_database.read(slow_query))
    assert await asyncio.to_thread(entered.wait, 10)
    closed = Closed(file_database, other)
    closed.leave.set()
    reopening = asyncio.create_task(file_database.reopen(closed, prepare))
    await asyncio.wait([reopening], timeout=0.05)
    assert not closed.entered.is_set()
    leave.set()
    assert await writing == "written"
    assert await reading in (0, 1)
    await reopening
    assert await texts(file_database) == ["other"]


async def test_a_query_at_length_is_interrupted_with_an_error_that_says_to_try_again(file_database: Database) -> None:
    entered = threading.Event()

    def endless(connection: sqlite3.Connection) -> None:
        entered.set()
        connection.execute("WITH RECURSIVE n AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n").fetchone()

    reading = asyncio.create_task(file_database.read_isolated(endless))
    assert await asyncio.to_thread(entered.wait, 10)
    closed = Closed(file_database)
    closed.leave.set()
    await file_database.reopen(closed, prepare)
    with pytest.raises(StorageBusy, match="try again") as raised:
        await reading
    assert raised.value.retryable


async def test_subscribers_are_told_that_the_store_is_another(file_database: Database, other: Path) -> None:
    seen: list[Change] = []

    def listen(changes: Sequence[Change]) -> None:
        seen.extend(changes)

    file_database.subscribe(listen)
    closed = Closed(file_database, other)
    closed.leave.set()
    await file_database.reopen(closed, prepare)
    assert seen == [STORE_REPLACED]


async def test_what_is_raised_while_it_is_closed_is_raised_and_the_file_is_open_again(file_database: Database) -> None:
    def fail() -> None:
        raise OSError("no")

    await file_database.write(add("kept"))
    with pytest.raises(OSError, match="no"):
        await file_database.reopen(fail, prepare)
    await file_database.write(add("later"))
    assert await texts(file_database) == ["kept", "later"]


class Broken(Closed):
    """Puts garbage in the database's place, and can put the file back."""

    def __init__(self, database: Database, path: Path) -> None:
        super().__init__(database)
        self._path = path
        self._aside = path.with_name("aside.db")

    def __call__(self) -> str:
        super().__call__()
        self._path.replace(self._aside)
        self._path.write_bytes(b"no database" * 1000)
        return "broken"

    def put_back(self) -> None:
        self._aside.replace(self._path)


async def test_when_the_new_file_cannot_be_opened_the_old_one_is_put_back(
    file_database: Database, tmp_path: Path
) -> None:
    await file_database.write(add("kept"))
    broken = Broken(file_database, tmp_path / "test.db")
    reopening = asyncio.create_task(file_database.reopen(broken, prepare, broken.put_back))
    await broken.reached()
    held = asyncio.create_task(file_database.write(add("held")))
    broken.leave.set()
    with pytest.raises(StorageError):
        await reopening
    await held
    assert await texts(file_database) == ["kept", "held"]


async def test_when_nothing_can_be_opened_all_work_fails_until_something_can(
    file_database: Database, tmp_path: Path
) -> None:
    await file_database.write(add("kept"))
    broken = Broken(file_database, tmp_path / "test.db")
    reopening = asyncio.create_task(file_database.reopen(broken, prepare))
    await broken.reached()
    writing = asyncio.create_task(file_database.write(add("lost")))
    reading = [asyncio.create_task(texts(file_database)) for _ in range(5)]
    await asyncio.sleep(0)
    broken.leave.set()
    results = await asyncio.gather(reopening, writing, *reading, return_exceptions=True)
    assert all(isinstance(result, StorageError) for result in results), results
    with pytest.raises(StorageError, match="not open"):
        await file_database.write(add("lost"))
    with pytest.raises(StorageError, match="not open"):
        await file_database.read_isolated(lambda connection: connection.total_changes)
    await file_database.reopen(broken.put_back, prepare)
    assert await texts(file_database) == ["kept"]


async def test_a_caller_that_is_cancelled_leaves_the_database_open(file_database: Database, other: Path) -> None:
    closed = Closed(file_database, other)
    reopening = asyncio.create_task(file_database.reopen(closed, prepare))
    await closed.reached()
    reopening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reopening
    closed.leave.set()
    assert await texts(file_database) == ["other"]


async def test_closing_waits_for_it_and_finishes_what_was_held(tmp_path: Path, other: Path) -> None:
    database = await Database.open(tmp_path / "test.db", prepare, clock=SYSTEM_CLOCK)
    closed = Closed(database, other)
    reopening = asyncio.create_task(database.reopen(closed, prepare))
    await closed.reached()
    held = asyncio.create_task(database.write(add("held")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    with pytest.raises(StorageClosed):
        await database.write(add("late"))
    closed.leave.set()
    await asyncio.gather(reopening, held, closing)
    with pytest.raises(StorageClosed):
        await database.reopen(closed, prepare)
    again = await Database.open(tmp_path / "test.db", prepare, clock=SYSTEM_CLOCK)
    assert await texts(again) == ["other", "held"]
    await again.close()
