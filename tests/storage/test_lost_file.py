"""A database file that is deleted, moved or replaced while it is open: nothing is answered into it."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import StorageLost
from sidecar.storage.interfaces import STORE_REPLACED
from sidecar.storage.sqlite.engine import file_identity
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.file_identity import FileIdentity
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from tests.storage.conftest import prepare


@pytest.fixture
async def opened(tmp_path: Path) -> Path:
    """The directory of a database that is about to be lost; it is deep enough to be moved."""
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def log_of(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def delete_directory(file: Path) -> None:
    shutil.rmtree(file.parent)


def move_directory(file: Path) -> None:
    file.parent.rename(file.parent.with_name("elsewhere"))


def delete_file(file: Path) -> None:
    file.unlink()


def move_file(file: Path) -> None:
    file.rename(file.with_name("moved.db"))


def replace_file(file: Path) -> None:
    """By an older copy."""
    copy = file.with_name("copy")
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)")
    copy.replace(file)


def replace_file_and_delete_log(file: Path) -> None:
    replace_file(file)
    log_of(file).unlink()


def delete_log(file: Path) -> None:
    log_of(file).unlink()


def replace_file_by_a_link_to_it(file: Path) -> None:
    """SQLite names the log after the file that the link leads to: what opens it from now on finds another log."""
    file.rename(file.with_name("moved.db"))
    file.symlink_to("moved.db")


def replace_log(file: Path) -> None:
    copy = file.with_name("copy")
    copy.write_bytes(log_of(file).read_bytes())
    copy.replace(log_of(file))


WAYS = [
    delete_directory,
    move_directory,
    delete_file,
    move_file,
    replace_file,
    replace_file_and_delete_log,
    replace_file_by_a_link_to_it,
    delete_log,
    replace_log,
]

Way = Callable[[Path], None]

every_way = pytest.mark.parametrize("lose", WAYS, ids=lambda way: way.__name__)


def add(text: str) -> Callable[[SQLiteWork], None]:
    def unit(work: SQLiteWork) -> None:
        work.connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))
        work.changed("notes", text)

    return unit


def texts(connection: sqlite3.Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY id")]


@pytest.fixture
async def held(opened: Path) -> Database:
    """An open database that holds a note."""
    database = await Database.open(opened / "test.db", prepare, clock=SYSTEM_CLOCK)
    await database.write(add("before"))
    return database


@every_way
async def test_a_write_after_it_fails_and_no_subscriber_hears_of_it(held: Database, lose: Way, opened: Path) -> None:
    heard: list[object] = []
    held.subscribe(heard.extend)
    lose(opened / "test.db")
    with pytest.raises(StorageLost) as caught:
        await held.write(add("after"))
    assert (caught.value.code, caught.value.status, caught.value.retryable) == ("storage_lost", 503, False)
    assert heard == []
    await held.close()


@every_way
async def test_a_loss_before_the_answer_fails_every_unit_of_the_commit(held: Database, lose: Way, opened: Path) -> None:
    def lose_it(work: SQLiteWork) -> None:
        add("in the middle")(work)
        lose(opened / "test.db")

    writes = [held.write(unit) for unit in (add("first"), lose_it, add("last"))]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageLost] * 3
    await held.close()


@every_way
async def test_later_writes_are_refused_before_they_begin(held: Database, lose: Way, opened: Path) -> None:
    lose(opened / "test.db")
    assert held.file.check()
    begun: list[SQLiteWork] = []
    with pytest.raises(StorageLost):
        await held.write(begun.append)
    with pytest.raises(StorageLost):
        await held.run_when_idle(lambda connection: connection.execute("PRAGMA optimize"))
    with pytest.raises(StorageLost):
        await held.reopen(lambda: None, prepare)
    assert begun == []
    await held.close()


@every_way
async def test_reads_go_on_from_what_is_open(held: Database, lose: Way, opened: Path) -> None:
    lose(opened / "test.db")
    assert await held.read(texts) == ["before"]
    assert await held.read_isolated(texts) == ["before"]
    assert [*await asyncio.gather(*(held.read(texts) for _ in range(50)))] == [["before"]] * 50
    await held.close()


@every_way
async def test_it_is_told_once(held: Database, lose: Way, opened: Path) -> None:
    told: list[StorageLost] = []
    held.file.on_loss(told.append)
    lose(opened / "test.db")
    for _ in range(2):
        with pytest.raises(StorageLost):
            await held.write(add("after"))
        assert held.file.check()
    assert len(told) == 1
    await held.close()


async def test_a_file_that_is_replaced_while_it_is_migrated_is_not_opened(opened: Path) -> None:
    def lose_it(connection: sqlite3.Connection) -> None:
        prepare(connection)
        replace_file(opened / "test.db")

    with pytest.raises(StorageLost):
        await Database.open(opened / "test.db", lose_it, clock=SYSTEM_CLOCK)


async def test_closing_does_not_touch_a_log_that_is_another_databases(held: Database, opened: Path) -> None:
    shutil.rmtree(opened)
    opened.mkdir()
    other = await Database.open(opened / "test.db", prepare, clock=SYSTEM_CLOCK)
    await other.write(add("the other's"))
    await held.close()
    assert await other.read(texts) == ["the other's"]
    await other.write(add("more"))
    await other.close()
    with closing(sqlite3.connect(opened / "test.db")) as connection:
        assert texts(connection) == ["the other's", "more"]


class TestNoFalseAlarm:
    @pytest.mark.parametrize(
        "statement",
        [
            "PRAGMA wal_checkpoint(PASSIVE)",
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "VACUUM",
            "PRAGMA incremental_vacuum",
            "ANALYZE",
        ],
    )
    async def test_by_what_upkeep_does(self, held: Database, statement: str) -> None:
        await held.run_when_idle(lambda connection: connection.execute(statement).fetchall())
        assert not held.file.check()
        await held.write(add("after"))
        await held.close()

    async def test_by_a_reopen_that_replaces_the_file(self, held: Database, opened: Path) -> None:
        told: list[object] = []
        held.subscribe(told.extend)
        for number in range(3):
            await held.reopen(lambda: replace_file(opened / "test.db"), prepare)
            assert not held.file.check()
            await held.write(add(f"after {number}"))
        assert told.count(STORE_REPLACED) == 3
        assert held.file.check() is False
        replace_file(opened / "test.db")
        assert held.file.check()
        await held.close()

    async def test_by_a_file_that_is_replaced_after_a_reopen_failed(self, held: Database, opened: Path) -> None:
        def refuse(connection: sqlite3.Connection) -> None:
            raise ValueError

        with pytest.raises(ValueError):  # noqa: PT011 - the very error of the lines above
            await held.reopen(lambda: None, refuse)
        replace_file(opened / "test.db")
        await held.reopen(lambda: None, prepare)
        await held.write(add("after"))
        await held.close()

    async def test_while_it_is_closed_for_a_reopen(self, held: Database, opened: Path) -> None:
        found: list[bool] = []

        def swap() -> None:
            replace_file(opened / "test.db")
            found.append(held.file.is_lost())

        await held.reopen(swap, prepare)
        assert found == [False]
        await held.close()

    async def test_by_another_program_that_opens_and_closes_the_file(self, held: Database, opened: Path) -> None:
        with closing(sqlite3.connect(opened / "test.db")) as other:
            other.execute("INSERT INTO notes (text) VALUES ('from outside')")
            other.commit()
        await held.write(add("after"))
        assert await held.read(texts) == ["before", "from outside", "after"]
        await held.close()

    async def test_in_memory(self) -> None:
        database = await Database.open(None, prepare, clock=SYSTEM_CLOCK)
        assert not database.file.check()
        await database.write(add("a note"))
        await database.close()

    async def test_by_a_path_that_cannot_be_looked_at(self, held: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(path: str) -> file_identity.Identity:
            raise PermissionError(path)

        monkeypatch.setattr(file_identity, "_stat", refuse)
        assert not held.file.check()
        await held.close()


class TestFileSystemsWithoutStableNumbers:
    @pytest.fixture
    def numbers(self, monkeypatch: pytest.MonkeyPatch) -> "list[int]":
        """The inode numbers that every `stat` finds, in turn; the last one for good."""
        numbers: list[int] = []

        def found(path: str) -> file_identity.Identity:
            return 1, numbers.pop(0) if len(numbers) > 1 else numbers[0]

        monkeypatch.setattr(file_identity, "_stat", found)
        return numbers

    def remembered(self) -> FileIdentity:
        file = FileIdentity(Path("test.db"))
        file.remember()
        return file

    def test_without_any_number_nothing_is_lost(self, numbers: list[int]) -> None:
        numbers.append(0)
        file = self.remembered()
        numbers[:] = [7]
        assert not file.is_lost()

    def test_with_one_that_changes_while_it_is_opened_nothing_is_lost(self, numbers: list[int]) -> None:
        numbers += [1, 2]
        file = self.remembered()
        numbers[:] = [7]
        assert not file.is_lost()

    def test_with_one_that_changes_between_two_looks_nothing_is_lost(self, numbers: list[int]) -> None:
        numbers += [5]
        file = self.remembered()
        numbers[:] = [6, 7, 8]
        assert not file.is_lost()
        numbers[:] = [8]
        assert not file.is_lost()

    def test_with_a_stable_one_another_is_a_loss(self, numbers: list[int]) -> None:
        numbers += [5]
        file = self.remembered()
        assert not file.is_lost()
        numbers[:] = [6]
        assert file.is_lost()
