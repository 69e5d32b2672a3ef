"""Bringing a schema up to date: the seed's tables, history, backups, and databases that are not ours to open."""

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest

from sidecar import __version__
from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import BadConfiguration, DatabaseDamaged, DatabaseTooNew
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS, Migration
from tests.storage.conftest import before_change

from .damage import as_newer

SEED_TABLES = {
    "vaults": "id title summary content tags parent_id is_folder is_deleted created_at updated_at document_type "
    "sort_order",
    "todo": "id content created_at start_time end_time status urgency assignee reason",
    "activity": "id title content resources metadata start_time end_time",
    "tips": "id content created_at",
    "conversations": "id title user_id page_name status metadata created_at updated_at",
    "messages": "id conversation_id parent_message_id role content status token_count metadata latency_ms "
    "error_message completed_at created_at updated_at",
    "message_thinking": "id message_id content stage progress sequence metadata created_at",
    "monitoring_token_usage": "id time_bucket model prompt_tokens completion_tokens total_tokens created_at",
    "monitoring_stage_timing": "id time_bucket stage_name count total_duration_ms min_duration_ms max_duration_ms "
    "avg_duration_ms success_count error_count metadata created_at",
    "monitoring_data_stats": "id time_bucket data_type count context_type metadata created_at",
}

SEED_INDEXES = [
    ("vaults", "created_at"),
    ("vaults", "document_type"),
    ("vaults", "is_folder"),
    ("vaults", "is_deleted"),
    ("todo", "status"),
    ("todo", "urgency"),
    ("todo", "created_at"),
    ("activity", "start_time end_time"),
    ("messages", "created_at"),
    ("messages", "status"),
    ("messages", "conversation_id"),
    ("conversations", "updated_at"),
    ("conversations", "user_id page_name"),
    ("monitoring_token_usage", "time_bucket"),
    ("monitoring_token_usage", "model"),
    ("monitoring_stage_timing", "time_bucket"),
    ("monitoring_stage_timing", "stage_name"),
    ("monitoring_data_stats", "time_bucket"),
    ("monitoring_data_stats", "data_type"),
]

SEED_FOREIGN_KEYS = [
    ("vaults", "parent_id", "vaults"),
    ("messages", "conversation_id", "conversations"),
    ("message_thinking", "message_id", "messages"),
]

NEXT = upgrade.latest_version() + 1

Connect = Callable[[], sqlite3.Connection]


@pytest.mark.parametrize("table", SEED_TABLES)
def test_every_table_of_the_seed_has_its_columns(migrated: Connect, table: str) -> None:
    with closing(migrated()) as connection:
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    assert set(SEED_TABLES[table].split()) <= columns


@pytest.mark.parametrize(("table", "columns"), SEED_INDEXES)
def test_every_index_of_the_seed_is_there(migrated: Connect, table: str, columns: str) -> None:
    with closing(migrated()) as connection:
        names = [row[1] for row in connection.execute(f"PRAGMA index_list({table})")]
        indexed = [[row[2] for row in connection.execute(f"PRAGMA index_info({name})")] for name in names]
    wanted = columns.split()
    assert any(index[: len(wanted)] == wanted for index in indexed)


@pytest.mark.parametrize(("table", "column", "parent"), SEED_FOREIGN_KEYS)
def test_every_foreign_key_of_the_seed_is_there(migrated: Connect, table: str, column: str, parent: str) -> None:
    with closing(migrated()) as connection:
        keys = [(row[3], row[2]) for row in connection.execute(f"PRAGMA foreign_key_list({table})")]
    assert (column, parent) in keys


def test_rows_of_any_sqlite_tool_get_times_in_the_stored_form(migrated: Connect) -> None:
    with closing(migrated()) as connection:
        row = connection.execute("INSERT INTO todo (content) VALUES ('by hand') RETURNING created_at").fetchone()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row[0])


def test_data_stats_without_a_context_type_conflict_with_each_other(migrated: Connect) -> None:
    with closing(migrated()) as connection:
        insert = "INSERT INTO monitoring_data_stats (time_bucket, data_type, count) VALUES ('2026-01-31', 't', 1)"
        connection.execute(insert)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(insert)


def test_the_history_tells_which_program_applied_what(migrated: Connect) -> None:
    with closing(migrated()) as connection:
        history = connection.execute("SELECT version, name, program_version FROM schema_migrations").fetchall()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    assert history == [(migration.version, migration.name, __version__) for migration in MIGRATIONS]
    assert version == upgrade.latest_version()


def test_a_database_that_is_up_to_date_is_left_alone(migrated: Connect, tmp_path: Path) -> None:
    migrated().close()
    before = sha256((tmp_path / "migrated.db").read_bytes())
    with closing(sqlite3.connect(tmp_path / "migrated.db", isolation_level=None)) as connection:
        assert (
            upgrade.bring_up_to_date(
                connection, before_change(tmp_path / "backups"), lambda *_: None, clock=SYSTEM_CLOCK
            )
            == 0
        )
    assert sha256((tmp_path / "migrated.db").read_bytes()).digest() == before.digest()
    assert not (tmp_path / "backups").exists()


def test_a_new_database_has_the_schema_of_one_that_came_through_every_version(migrated: Connect) -> None:
    with closing(migrated()) as new, closing(sqlite3.connect(":memory:", isolation_level=None)) as old:
        upgrade.bring_up_to_date(old, None, lambda *_: None, MIGRATIONS[:1], clock=SYSTEM_CLOCK)
        upgrade.bring_up_to_date(old, None, lambda *_: None, clock=SYSTEM_CLOCK)
        objects = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type {} 'trigger' ORDER BY rowid"
        for which in ("=", "!="):  # Triggers fire in the order in which they were created.
            sql = objects.format(which)
            assert new.execute(sql).fetchall() == old.execute(sql).fetchall()


def later(version: int, migrate: Callable[[sqlite3.Connection], None], monkeypatch: pytest.MonkeyPatch) -> Migration:
    module = ModuleType("later")
    module.__dict__["migrate"] = migrate
    monkeypatch.setitem(__import__("sys").modules, f"sidecar.storage.sqlite.schema.migrations.later_{version}", module)
    return Migration(version, "from a later version", f"later_{version}")


def add_column(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE tips ADD COLUMN colour TEXT")


def test_rows_are_copied_and_verified_before_a_migration_touches_them(
    migrated: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages: list[str] = []

    def announce(stage: str, _: str) -> None:
        stages.append(stage)

    with closing(migrated()) as connection:
        connection.execute("INSERT INTO tips (content) VALUES ('keep me')")
        migrations = (*MIGRATIONS, later(NEXT, add_column, monkeypatch))
        upgrade.bring_up_to_date(
            connection,
            partial(BackupDirectory(tmp_path / "backups", SYSTEM_CLOCK).back_up_before_change, announce=announce),
            announce,
            migrations,
            clock=SYSTEM_CLOCK,
        )
    (backup,) = (tmp_path / "backups").glob("*.db")
    assert stages == ["backing_up", "migrating"]
    assert snapshot.verify(backup).schema_version == NEXT - 1
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT content FROM tips").fetchall() == [("keep me",)]


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    migrated: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_half_way(connection: sqlite3.Connection) -> None:
        add_column(connection)
        connection.execute("DELETE FROM tips")
        raise RuntimeError("half way")

    with closing(migrated()) as connection:
        connection.execute("INSERT INTO tips (content) VALUES ('keep me')")
        before = list(connection.iterdump())
        migrations = (*MIGRATIONS, later(NEXT, fail_half_way, monkeypatch))
        with pytest.raises(RuntimeError, match="half way"):
            upgrade.bring_up_to_date(
                connection, before_change(tmp_path / "backups"), lambda *_: None, migrations, clock=SYSTEM_CLOCK
            )
        assert list(connection.iterdump()) == before
        assert connection.execute("PRAGMA user_version").fetchone() == (NEXT - 1,)


def test_a_newer_database_is_refused_untouched_and_a_usable_backup_is_named(migrated: Connect, tmp_path: Path) -> None:
    path, backups = tmp_path / "migrated.db", tmp_path / "backups"
    with closing(migrated()) as connection:
        directory = BackupDirectory(backups, SYSTEM_CLOCK)
        older = snapshot.make_snapshot(connection, directory.next_path(1, "before-migration"))
        directory.record(older)
        for statement in as_newer(99):
            connection.execute(statement)
        directory.record(snapshot.make_snapshot(connection, backups / "9999-newer.db"))
    (backups / "9998-damaged.db").write_bytes(b"not a database" * 100)
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew, match=re.escape(str(older.path))):
        upgrade.check_version(path, BackupDirectory(backups, SYSTEM_CLOCK).usable_file)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(BadConfiguration, match="another program"):
        upgrade.check_version(path, BackupDirectory(tmp_path, SYSTEM_CLOCK).usable_file)
    assert path.read_bytes() == before


def test_what_is_not_a_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "garbage.db"
    path.write_bytes(os.urandom(8192))
    before = path.read_bytes()
    with pytest.raises(DatabaseDamaged, match=r"garbage\.db"):
        upgrade.check_version(path, BackupDirectory(tmp_path, SYSTEM_CLOCK).usable_file)
    assert path.read_bytes() == before


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    upgrade.check_version(tmp_path / "empty.db", BackupDirectory(tmp_path, SYSTEM_CLOCK).usable_file)


def test_rows_that_were_set_aside_before_that_table_was_part_of_the_schema_are_kept(tmp_path: Path) -> None:
    rows = [
        (1, "messages", '{"content": "ff00"}', "conversation_id: there is no row 9 in conversations", 0, "then"),
        (2, "messages", "{}", "conversation_id: the row it belongs to is lost", 0, "then"),
        (3, "tips", '{"rowid": 3}', "a text in it is not UTF-8", 0, "then"),
    ]
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as connection:
        upgrade.bring_up_to_date(connection, None, lambda *_: None, MIGRATIONS[:7], clock=SYSTEM_CLOCK)
        connection.execute(
            "CREATE TABLE adopted_orphans (id INTEGER PRIMARY KEY AUTOINCREMENT, table_name TEXT NOT NULL, "
            "row JSON TEXT NOT NULL, reason TEXT NOT NULL, is_carried BOOLEAN NOT NULL, created_at DATETIME NOT NULL)"
        )
        connection.executemany("INSERT INTO adopted_orphans VALUES (?, ?, ?, ?, ?, ?)", rows)
        upgrade.bring_up_to_date(connection, None, lambda *_: None, clock=SYSTEM_CLOCK)
        columns = "id, table_name, row, reason, is_carried, created_at"
        assert connection.execute(f"SELECT {columns} FROM adopted_orphans").fetchall() == rows
        origins = connection.execute("SELECT origin, acknowledged_at FROM adopted_orphans").fetchall()
    assert origins == [("adoption", None), ("recovery", None), ("recovery", None)]


def test_numbers_of_migrations_rise_by_one() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
