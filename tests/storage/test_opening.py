"""A closed database as a crash, a power cut or a damaged header leaves it: what SQLite can bring into order is none."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.errors import DatabaseBeyondRepair, DatabaseTooNew
from sidecar.models.recovery import RecoveryReport
from sidecar.storage.sqlite.files import companions, integrity, open_mark
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.sqlite.schema.identity import APPLICATION_ID

from .damage import as_newer, content, overwrite, populate, storage_at
from .vintages import make

INTERRUPTED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = DELETE")
connection.execute("PRAGMA cache_size = 5")
connection.execute("PRAGMA cache_spill = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE tips SET content = content || 'half'")
os._exit(9)
"""
"""Another program that dies in the middle of a transaction, in rollback mode."""

FIRST_WRITE = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("CREATE TABLE notes (text)")
connection.execute("PRAGMA cache_size = 1")
connection.execute("INSERT INTO notes WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99) "
    "SELECT hex(randomblob(2000)) FROM n")
os._exit(9)
"""
"""The same in a new database."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a closed store without a backup."""
    directory = tmp_path_factory.mktemp("template")

    async def fill() -> None:
        storage = storage_at(directory)
        await storage.initialize()
        await populate(storage, "row", rows=100)
        await storage.close()

    asyncio.run(fill())
    return directory


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "data")) / "sidecar.db"


async def opened(database: Path) -> tuple[list[RecoveryReport], int | None]:
    """The reports, and the number of tips."""
    storage = storage_at(database.parent)
    await storage.initialize()
    try:
        return (await storage.get_recoveries()).items, (await storage.get_tips(with_total=True, limit=1)).total
    finally:
        await storage.close()


def interrupt(database: Path, program: str = INTERRUPTED) -> Path:
    """Leave a hot journal; returns it."""
    subprocess.run([sys.executable, "-c", program, database], check=False)
    assert companions.has_journal(database)
    return companions.beside(database, "-journal")


class TestHotJournals:
    async def test_a_transaction_that_was_interrupted_is_rolled_back_and_is_no_damage(self, database: Path) -> None:
        before = content(database)
        interrupt(database)
        assert await opened(database) == ([], 100)
        assert content(database) == before

    async def test_a_damaged_file_is_read_with_its_journal(self, database: Path) -> None:
        before = content(database)
        interrupt(database)
        overwrite(database, 1, bytes(100))
        reports, tips = await opened(database)
        assert tips == 100
        assert content(database) == before
        with closing(sqlite3.connect(database)) as connection:
            assert integrity.problems(connection) == []
        assert [report for report in reports if not report.is_complete] == []

    def test_companions_are_set_aside_with_their_file(self, tmp_path: Path) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            (tmp_path / f"store.db{suffix}").write_text(suffix)
        companions.set_aside(tmp_path / "store.db", tmp_path / "aside.db")
        found = {path.name: path.read_text() for path in tmp_path.iterdir()}
        assert found == {"store.db": "", "aside.db-wal": "-wal", "aside.db-journal": "-journal"}

    async def test_an_adopted_copy_never_meets_the_journal_of_a_first_start_that_was_cut_off(
        self, tmp_path: Path
    ) -> None:
        make("minecontext-5", tmp_path / "app.db")
        with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
            (tips,) = connection.execute("SELECT count(*) FROM tips").fetchone()
        interrupted = tmp_path / "elsewhere" / "sidecar.db"
        interrupted.parent.mkdir()
        with closing(sqlite3.connect(interrupted)) as connection:
            connection.execute("CREATE TABLE tips (content)")
            connection.execute("INSERT INTO tips VALUES ('x')")
            connection.commit()
        interrupt(interrupted).rename(tmp_path / "sidecar.db-journal")
        assert await opened(tmp_path / "sidecar.db") == ([], tips)


class TestBlankFiles:
    @pytest.mark.parametrize("size", [0, 4096, 3 * 4096])
    async def test_a_file_of_zeros_that_never_held_anything_becomes_a_database(self, tmp_path: Path, size: int) -> None:
        (tmp_path / "sidecar.db").write_bytes(bytes(size))
        assert await opened(tmp_path / "sidecar.db") == ([], 0)

    async def test_a_first_write_that_a_power_cut_interrupted_is_rolled_back(self, tmp_path: Path) -> None:
        """The journal is on the disk and says that there was nothing; of the first page only the room for it is."""
        database = tmp_path / "sidecar.db"
        interrupt(database, FIRST_WRITE)
        database.write_bytes(bytes(4096))
        assert await opened(database) == ([], 0)

    @pytest.mark.parametrize("evidence", ["closed", "open", "backup", "log"])
    async def test_a_store_that_was_there_is_never_taken_for_a_new_one(self, tmp_path: Path, evidence: str) -> None:
        database = tmp_path / "sidecar.db"
        database.write_bytes(bytes(4096))
        match evidence:
            case "closed":
                integrity.leave_mark(database, None)
            case "open":
                open_mark.leave(database)
            case "backup":
                (tmp_path / "backups").mkdir()
                (tmp_path / "backups" / "20260101T000000.000Z.db").write_bytes(b"damaged")
            case "log":
                with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute("CREATE TABLE notes (text)")
                    shutil.copyfile(tmp_path / "other.db-wal", tmp_path / "sidecar.db-wal")
        with pytest.raises(DatabaseBeyondRepair):
            await opened(database)
        assert database.read_bytes() == bytes(4096)


class TestHeader:
    """Two numbers in the header say whose database it is, and of which version; the history says so, too."""

    USER_VERSION, APPLICATION = 60, 68

    @pytest.mark.parametrize("place", [USER_VERSION, APPLICATION])
    @pytest.mark.parametrize("number", [0, 99])
    async def test_a_damaged_one_is_restored_with_a_report(self, database: Path, place: int, number: int) -> None:
        before = content(database)
        overwrite(database, 1, number.to_bytes(4, "big"), at=place)
        (report,), tips = await opened(database)
        assert (report.outcome, report.is_complete, report.set_aside, tips) == ("header_restored", True, None, 100)
        assert content(database) == before
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (upgrade.latest_version(),)
            assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert not (database.parent / "backups").exists()
        assert len((await opened(database))[0]) == 1

    async def test_a_newer_database_whose_header_is_damaged_is_refused(self, database: Path) -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            for statement in as_newer(99):
                connection.execute(statement)
        overwrite(database, 1, bytes(4), at=self.USER_VERSION)
        before = database.read_bytes()
        with pytest.raises(DatabaseTooNew, match="99"):
            await opened(database)
        assert database.read_bytes() == before
