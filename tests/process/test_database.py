"""Databases that a sidecar must not open: refused by an exit code of their own, and not a byte of them is changed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.storage.sqlite.schema.upgrade import latest_version

from ..storage.damage import as_newer, overwrite, schema_pages
from .conftest import Hosts

NEWER = 99


@pytest.fixture
def database(hosts: Hosts) -> Path:
    """The file of a sidecar that has stopped; it holds a row."""
    host = hosts.start()
    host.add_tip("kept")
    hosts.stop(host)
    return hosts.data_dir / "sidecar.db"


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


class TestNewer:
    def test_it_is_refused_and_left_untouched(self, hosts: Hosts, database: Path) -> None:
        execute(database, *as_newer(NEWER))
        before = database.read_bytes()
        names = {path.name for path in hosts.data_dir.iterdir()}
        failed = hosts.begin().refusal()
        assert (failed["exit_code"], failed["code"]) == (5, "database_too_new")
        assert str(database) in failed["message"]
        assert str(NEWER) in failed["message"]
        assert "no backup" in failed["message"]
        assert database.read_bytes() == before
        assert {path.name for path in hosts.data_dir.iterdir()} == names, "SQLite left files beside it"

    def test_the_newest_backup_that_can_be_opened_is_named(self, hosts: Hosts, database: Path) -> None:
        backups = hosts.data_dir / "backups"
        backups.mkdir()
        usable = backups / "20260102T000000.000Z-schema-1-before-migration.db"
        for name in ("20260101T000000.000Z.db", usable.name, "20260104T000000.000Z.db"):
            execute(database, f"VACUUM INTO '{backups / name}'")
        execute(backups / "20260104T000000.000Z.db", *as_newer(NEWER))
        (backups / "20260103T000000.000Z.db").write_bytes(b"damaged" * 1000)
        execute(database, *as_newer(NEWER))
        before = {path.name: path.read_bytes() for path in backups.iterdir()}
        assert str(usable) in hosts.begin().refusal()["message"]
        assert {path.name: path.read_bytes() for path in backups.iterdir()} == before


class TestDamaged:
    @pytest.mark.parametrize("garbage", [b"hello", b"not a database\n" * 1000], ids=["a word", "pages"])
    def test_what_is_no_database_is_refused_and_left_untouched(self, hosts: Hosts, garbage: bytes) -> None:
        hosts.data_dir.mkdir()
        path = hosts.data_dir / "sidecar.db"
        path.write_bytes(garbage)
        failed = hosts.begin().refusal()
        assert (failed["exit_code"], failed["code"]) == (6, "database_beyond_repair")
        assert str(path) in failed["message"]
        assert path.read_bytes() == garbage

    def test_a_database_whose_schema_is_overwritten_is_refused_and_left_untouched(
        self, hosts: Hosts, database: Path
    ) -> None:
        for page in schema_pages(database):
            overwrite(database, page)
        before = database.read_bytes()
        failed = hosts.begin().refusal()
        assert (failed["exit_code"], failed["code"]) == (6, "database_beyond_repair")
        assert database.read_bytes() == before

    def test_a_database_that_is_cut_off_is_refused(self, hosts: Hosts, database: Path) -> None:
        database.write_bytes(database.read_bytes()[:8192])
        failed = hosts.begin().refusal()
        assert (failed["exit_code"], failed["code"]) == (6, "database_beyond_repair")


class TestAnotherPrograms:
    def test_it_is_refused_and_left_untouched(self, hosts: Hosts) -> None:
        hosts.data_dir.mkdir()
        path = hosts.data_dir / "sidecar.db"
        execute(path, "CREATE TABLE theirs (id INTEGER PRIMARY KEY)", "INSERT INTO theirs VALUES (1)")
        before = path.read_bytes()
        failed = hosts.begin().refusal()
        assert (failed["exit_code"], failed["code"]) == (2, "bad_configuration")
        assert str(path) in failed["message"]
        assert path.read_bytes() == before


def test_an_empty_file_becomes_a_database(hosts: Hosts) -> None:
    hosts.data_dir.mkdir()
    (hosts.data_dir / "sidecar.db").touch()
    assert hosts.start().add_tip("a row") > 0


def test_a_start_that_was_refused_leaves_the_directory_to_the_next(hosts: Hosts, database: Path) -> None:
    execute(database, *as_newer(NEWER))
    hosts.begin().refusal()
    older = f"DELETE FROM schema_migrations WHERE version = {NEWER}"
    execute(database, older, f"PRAGMA user_version = {latest_version()}")
    assert hosts.start().tips() == ["kept"]
