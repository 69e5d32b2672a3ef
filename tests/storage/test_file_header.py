"""A file whose header is damaged is read by what its pages say: no row is lost, with a backup and without one."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.models.recovery import RecoveryReport
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.files import header as file_header

from .damage import content, overwrite, populate, storage_at

SIZE_IN_PAGES = 31
DAMAGE = [(5, 0), (17, 1), (18, 255), (20, 255), (SIZE_IN_PAGES, 1), (59, 2)]
"""Bytes of the header, and values with which SQLite reads nothing of the file, or writes nothing to it."""

KEPT = {
    *range(24, 28),  # the change counter
    *range(40, 44),  # the counter of changes of the schema
    *range(60, 64),  # the user version
    *range(68, 72),  # the application id
    *range(92, 100),  # when, and by which SQLite, it was written last
}
"""Bytes that reading does not need, and that are left as they are."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed database and its backup, after which rows were added; never written to."""
    directory = tmp_path_factory.mktemp("store")

    async def add(name: str) -> None:
        storage = storage_at(directory)
        await storage.initialize()
        await populate(storage, name, rows=20)
        await storage.close()

    asyncio.run(add("first"))
    with closing(sqlite3.connect(directory / "sidecar.db", isolation_level=None)) as connection:
        snapshot.make_snapshot(connection, directory / "backups" / "20260101T000000.000Z-schema-1-test.db")
    asyncio.run(add("second"))
    return directory


def repaired(data: bytes) -> bytes:
    return file_header.repaired(data, file_header.geometry(data), has_log=False)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database of a few pages."""
    file = tmp_path_factory.mktemp("small") / "small.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, name TEXT)")
        connection.executemany("INSERT INTO numbers (name) VALUES (?)", [("x" * 900,)] * 20)
        connection.commit()
    return file.read_bytes()


@pytest.mark.parametrize("at", sorted(set(range(file_header.SIZE)) - KEPT))
def test_whatever_a_byte_says_the_header_is_found_again(small: bytes, at: int) -> None:
    for value in (0, 255, small[at] ^ 1, small[at] ^ 128):
        assert repaired(small[:at] + bytes([value]) + small[at + 1 :]) == repaired(small)


@pytest.mark.parametrize("has_backup", [False, True])
@pytest.mark.parametrize(("at", "value"), DAMAGE)
async def test_a_damaged_header_costs_no_row(
    directory: Path, tmp_path: Path, at: int, value: int, has_backup: bool
) -> None:
    (report,) = await opened_with(directory, tmp_path, at, value, has_backup=has_backup)
    assert report.is_complete
    assert at == SIZE_IN_PAGES or report.problems[0].startswith("The header of the file is damaged")


async def test_the_log_of_a_file_with_a_damaged_header_is_read(directory: Path, tmp_path: Path) -> None:
    data, killed = Path(shutil.copytree(directory, tmp_path / "data")), tmp_path / "killed"
    storage = storage_at(data)
    await storage.initialize()
    added = await storage.insert_tip("in the log")
    shutil.copytree(data, killed)
    await storage.close()
    overwrite(killed / "sidecar.db", 1, b"\x01", at=17)
    storage = storage_at(killed)
    await storage.initialize()
    await storage.close()
    assert content(killed / "sidecar.db") == content(data / "sidecar.db")
    assert added.id in {row[0] for row in content(killed / "sidecar.db")["tips"]}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("has_backup", [False, True])
@pytest.mark.parametrize("at", range(file_header.SIZE))
async def test_no_byte_of_the_header_costs_a_row(directory: Path, tmp_path: Path, at: int, has_backup: bool) -> None:
    sound = (directory / "sidecar.db").read_bytes()[at]
    for value in {0, 255, sound ^ 1, sound ^ 2, sound ^ 128} - {sound}:
        reports = await opened_with(directory, tmp_path / str(value), at, value, has_backup=has_backup)
        assert all(report.is_complete for report in reports)


async def opened_with(directory: Path, copy: Path, at: int, value: int, *, has_backup: bool) -> list[RecoveryReport]:
    """Open a copy in which this byte of the header has this value, write to it, and check that it has every row."""
    data = Path(shutil.copytree(directory, copy / "data"))
    if not has_backup:
        shutil.rmtree(data / "backups")
    before = content(data / "sidecar.db")
    overwrite(data / "sidecar.db", 1, bytes([value]), at=at)
    storage = storage_at(data)
    await storage.initialize()
    reports = (await storage.get_recoveries()).items
    added = await storage.insert_tip("added")
    await storage.close()
    after = content(data / "sidecar.db")
    assert {row for row in after.pop("tips") if row[0] != added.id} == before.pop("tips")
    assert after == before
    return reports


@pytest.mark.parametrize("page_bytes", [512, 1024, 8192, 65536])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_any_page_size_and_encoding_is_found_again(tmp_path: Path, page_bytes: int, encoding: str) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {page_bytes}")
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO numbers (name) VALUES (?)", [(f"{n} {'x' * 90}",) for n in range(3000)])
        connection.execute("COMMIT")
    sound = file.read_bytes()
    file.write_bytes(repaired(bytes(100) + sound[100:]) + sound[100:])
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*), max(name) FROM numbers").fetchone() == (3000, f"999 {'x' * 90}")
