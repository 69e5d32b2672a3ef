"""Databases that somebody hands over are read wherever they lie, and nothing is left beside them."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.storage.sqlite.files import foreign as others_files


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


@pytest.fixture
def in_use(place: Path) -> Iterator[sqlite3.Connection]:
    """A connection of another program that has written to its write-ahead log."""
    with closing(sqlite3.connect(place / "app.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE notes (text)")
        connection.execute("INSERT INTO notes VALUES ('kept')")
        yield connection


def read(path: Path, scratch: Path) -> list[str]:
    """What the database holds; what lies beside it must stay as it is."""
    before = {file.name: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
    names = {file.name for file in path.parent.iterdir()}
    with others_files.reading(path, scratch) as connection:
        found = [text for (text,) in connection.execute("SELECT text FROM notes")]
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("INSERT INTO notes VALUES ('never')")
    assert {file.name for file in path.parent.iterdir()} == names
    assert {name: (path.parent / name).read_bytes() for name in before} == before
    assert list(scratch.iterdir()) == []
    return found


def test_a_database_with_a_log_that_nobody_has_open(place: Path, scratch: Path, in_use: sqlite3.Connection) -> None:
    in_use.close()
    assert sorted(file.name for file in place.iterdir()) == ["app.db"]
    assert read(place / "app.db", scratch) == ["kept"]


def test_one_that_is_in_use_is_read_with_what_its_log_holds(
    place: Path, scratch: Path, in_use: sqlite3.Connection
) -> None:
    assert read(place / "app.db", scratch) == ["kept"]


@pytest.mark.parametrize("suffixes", [("", "-wal"), ("", "-wal", "-shm")])
def test_a_copy_with_its_log_is_read_with_what_the_log_holds(
    place: Path, scratch: Path, in_use: sqlite3.Connection, tmp_path: Path, suffixes: tuple[str, ...]
) -> None:
    (tmp_path / "copied").mkdir()
    for suffix in suffixes:
        shutil.copy(place / f"app.db{suffix}", tmp_path / "copied" / f"app.db{suffix}")
    assert read(tmp_path / "copied" / "app.db", scratch) == ["kept"]


def test_a_copy_whose_log_is_empty(place: Path, scratch: Path, in_use: sqlite3.Connection) -> None:
    in_use.close()
    (place / "app.db-wal").touch()
    assert read(place / "app.db", scratch) == ["kept"]


def test_a_transaction_that_was_cut_off_is_rolled_back_in_a_copy(place: Path, scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "copied").mkdir()
    with closing(sqlite3.connect(place / "app.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("CREATE TABLE notes (text)")
        connection.execute("INSERT INTO notes VALUES ('kept')")
        connection.execute("BEGIN")
        connection.execute("UPDATE notes SET text = 'half'")
        connection.execute("CREATE TABLE filler (text)")
        for _ in range(200):
            connection.execute("INSERT INTO filler VALUES (hex(randomblob(2000)))")
        for suffix in ("", "-journal"):
            shutil.copy(place / f"app.db{suffix}", tmp_path / "copied" / f"app.db{suffix}")
    assert read(tmp_path / "copied" / "app.db", scratch) == ["kept"]


def test_a_database_without_a_log(place: Path, scratch: Path) -> None:
    with closing(sqlite3.connect(place / "app.db")) as connection, connection:
        connection.execute("CREATE TABLE notes AS SELECT 'kept' AS text")
    assert read(place / "app.db", scratch) == ["kept"]


def test_what_killed_processes_left_in_the_scratch_is_removed(tmp_path: Path) -> None:
    gone, alive = tmp_path / "scratch-999999999-x", tmp_path / f"scratch-{os.getppid()}-x"
    for directory in (gone, alive):
        directory.mkdir()
    with others_files.scratch_in(tmp_path) as scratch:
        assert scratch.parent == tmp_path
    assert not gone.exists()
    assert not scratch.exists()
    assert alive.exists()
