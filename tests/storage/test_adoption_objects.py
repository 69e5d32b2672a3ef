"""What others added to a seed's database, and values that no column takes: kept, or set aside with the reason."""

import json
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings
from sidecar.models.adoption import AdoptionReport, ForeignObject
from sidecar.storage.sqlite.adoption.upgrade import adopt_or_upgrade
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.storage.vintages import make


@contextmanager
def adopted(tmp_path: Path, *statements: str, vintage: str = "minecontext-5") -> Iterator[sqlite3.Connection]:
    """The adopted database of this vintage, after these statements."""
    path = make(vintage, tmp_path / "sidecar.db", *statements)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        adopt_or_upgrade(connection, None, lambda *_: None, clock=SYSTEM_CLOCK)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        yield connection


def report_of(connection: sqlite3.Connection) -> AdoptionReport:
    (report,) = connection.execute("SELECT report FROM adoptions").fetchone()
    return AdoptionReport.model_validate_json(report)


def objects_of(connection: sqlite3.Connection) -> dict[str, ForeignObject]:
    return {one.name: one for one in report_of(connection).objects}


def set_aside(connection: sqlite3.Connection) -> list[tuple[str, dict[str, Any], str]]:
    rows = connection.execute("SELECT table_name, row, reason FROM adopted_orphans ORDER BY id")
    return [(table, json.loads(row), reason) for table, row, reason in rows]


def test_unknown_columns_keep_their_names_types_and_values(tmp_path: Path) -> None:
    with adopted(
        tmp_path,
        "ALTER TABLE vaults ADD COLUMN color VARCHAR(7)",
        'ALTER TABLE vaults ADD COLUMN "odd "" name" BLOB',
        "ALTER TABLE messages ADD COLUMN flavour",
        "INSERT INTO vaults (id, title, content, color, \"odd \"\" name\") VALUES (1, 'a', '', '#ff0000', x'00ff')",
        "INSERT INTO conversations (id) VALUES (1)",
        "INSERT INTO messages (id, conversation_id, role, flavour) VALUES (1, 1, 'user', 'large')",
    ) as connection:
        assert connection.execute('SELECT color, "odd "" name" FROM vaults').fetchall() == [("#ff0000", b"\x00\xff")]
        assert connection.execute("SELECT flavour FROM messages").fetchall() == [("large",)]
        types = dict(connection.execute("SELECT name, type FROM pragma_table_info('vaults')").fetchall())
        assert (types["color"], types['odd " name']) == ("VARCHAR(7)", "BLOB")
        assert report_of(connection).columns == ["vaults.color", 'vaults.odd " name', "messages.flavour"]
        assert set_aside(connection) == []


def test_unknown_columns_are_known_by_sqlites_rules_of_case(tmp_path: Path) -> None:
    with adopted(
        tmp_path,
        "ALTER TABLE tips ADD COLUMN MyColour",
        'ALTER TABLE tips ADD COLUMN "Änderung"',
        'ALTER TABLE tips ADD COLUMN "änderung"',
        "INSERT INTO tips (content, mycolour, \"Änderung\", \"änderung\") VALUES ('a', 'red', 1, 2)",
    ) as connection:
        assert connection.execute('SELECT MyColour, "Änderung", "änderung" FROM tips').fetchall() == [("red", 1, 2)]
        assert set_aside(connection) == []


def test_an_unknown_column_of_chats_stays_once(tmp_path: Path) -> None:
    with adopted(
        tmp_path,
        "ALTER TABLE chats ADD COLUMN label TEXT",
        "INSERT INTO chats (chat_id, messages, cache_info, label) VALUES ('t', '[]', '{}', 'mine')",
        vintage="vmpilot-2",
    ) as connection:
        assert report_of(connection).columns == ["chats.label"]
        assert connection.execute("SELECT label FROM chats").fetchall() == [("mine",)]


@pytest.mark.parametrize(
    ("column", "value"),
    [("deleted_with INTEGER", 7), ("rowid INTEGER", 7), ("shout TEXT GENERATED ALWAYS AS (upper(title))", "A")],
)
def test_values_of_columns_that_cannot_be_added_are_set_aside(column: str, value: Any, tmp_path: Path) -> None:
    name = column.split()[0]
    given = "" if "GENERATED" in column else f"UPDATE vaults SET {name} = 7"
    with adopted(
        tmp_path, f"ALTER TABLE vaults ADD COLUMN {column}", "INSERT INTO vaults (id, title) VALUES (1, 'a')", given
    ) as connection:
        ((table, row, reason),) = set_aside(connection)
        assert (table, row[name]) == ("vaults", value)
        assert reason.startswith(f"{name}: ")
        assert report_of(connection).replaced == {"vaults": 1}
        assert connection.execute("SELECT title, deleted_with FROM vaults").fetchall() == [("a", None)]


def test_indexes_of_others_are_made_again(tmp_path: Path) -> None:
    sql = "CREATE INDEX by_tags ON vaults (tags, title)"
    with adopted(tmp_path, sql) as connection:
        assert connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'by_tags'").fetchall() == [(sql,)]
        assert objects_of(connection)["by_tags"].is_kept


def test_the_systems_own_indexes_are_replaced_silently(tmp_path: Path) -> None:
    with adopted(tmp_path) as connection:
        assert report_of(connection).objects == []


def test_an_index_that_does_not_hold_any_more_is_kept_as_text(tmp_path: Path) -> None:
    with adopted(
        tmp_path,
        "CREATE UNIQUE INDEX one_of_each ON todo (content)",
        "INSERT INTO todo (content) VALUES (NULL), (NULL)",
    ) as connection:
        found = objects_of(connection)["one_of_each"]
        assert (found.is_kept, found.sql) == (False, "CREATE UNIQUE INDEX one_of_each ON todo (content)")
        assert "UNIQUE" in str(found.reason)


def test_triggers_of_others_fire_on_the_adopted_tables_and_not_for_the_adoption(tmp_path: Path) -> None:
    with adopted(
        tmp_path,
        "CREATE TABLE noted (id INTEGER)",
        "INSERT INTO todo (id, content) VALUES (1, 'old')",
        "CREATE TRIGGER note_todo AFTER INSERT ON todo BEGIN INSERT INTO noted VALUES (new.id); END",
    ) as connection:
        connection.execute("INSERT INTO todo (content) VALUES ('new')")
        assert connection.execute("SELECT id FROM noted").fetchall() == [(2,)]
        assert objects_of(connection)["note_todo"].is_kept


@pytest.mark.parametrize(
    "body", ["INSERT INTO gone VALUES (new.id)", "SELECT secret_function(new.id)", "UPDATE vaults SET missing = 1"]
)
def test_a_trigger_that_would_make_writes_fail_is_kept_as_text(body: str, tmp_path: Path) -> None:
    sql = f"CREATE TRIGGER broken AFTER UPDATE ON todo BEGIN {body}; END"
    with adopted(tmp_path, sql) as connection:
        found = objects_of(connection)["broken"]
        assert (found.kind, found.table, found.is_kept, found.sql) == ("trigger", "todo", False, sql)
        assert "no such" in str(found.reason)
        connection.execute("INSERT INTO todo (content) VALUES ('x')")
        connection.execute("UPDATE todo SET content = 'y'")


def test_views_of_others_show_the_adopted_rows(tmp_path: Path) -> None:
    with adopted(
        tmp_path,
        "CREATE VIEW open_todos AS SELECT id, content FROM todo WHERE status = 0",
        "INSERT INTO todo (id, content) VALUES (1, 'open')",
    ) as connection:
        assert connection.execute("SELECT * FROM open_todos").fetchall() == [(1, "open")]
        assert objects_of(connection)["open_todos"].is_kept


def test_objects_that_have_names_of_ours_are_kept_as_text(tmp_path: Path) -> None:
    with adopted(
        tmp_path,
        "CREATE VIEW search_todo AS SELECT content FROM todo",
        "CREATE TABLE of_others (id INTEGER)",
        "CREATE INDEX idx_vaults_title ON of_others (id)",
    ) as connection:
        found = objects_of(connection)
        assert {name: one.is_kept for name, one in found.items()} == {"search_todo": False, "idx_vaults_title": False}
        assert found["search_todo"].sql == "CREATE VIEW search_todo AS SELECT content FROM todo"


def test_rows_of_tables_that_have_names_of_ours_are_set_aside(tmp_path: Path) -> None:
    with adopted(
        tmp_path,
        "CREATE TABLE schema_migrations (version TEXT)",
        "INSERT INTO schema_migrations VALUES ('20250601')",
    ) as connection:
        assert set_aside(connection) == [
            ("schema_migrations", {"version": "20250601"}, "the table has another form"),
        ]
        assert report_of(connection).set_aside == {"schema_migrations": 1}


def test_what_refers_to_a_column_with_a_new_name_follows_it(tmp_path: Path) -> None:
    with adopted(
        tmp_path,
        "INSERT INTO chats (chat_id, messages, cache_info) VALUES ('t', '[]', '{}'), ('u', '[]', '{}')",
        "CREATE TABLE labels (label TEXT, chat TEXT REFERENCES chats (chat_id) ON DELETE CASCADE)",
        "INSERT INTO labels VALUES ('mine', 't'), ('dangling', 'gone')",
        "CREATE VIEW titled AS SELECT chat_id, label FROM chats JOIN labels ON chat = chat_id",
        "CREATE VIEW broken AS SELECT chat_id FROM nowhere",
        vintage="vmpilot-4",
    ) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        assert connection.execute("SELECT * FROM titled").fetchall() == [("t", "mine")]
        connection.execute("UPDATE chats SET metadata = '{}'")
        connection.execute("DELETE FROM chats")
        assert connection.execute("SELECT label FROM labels").fetchall() == [("dangling",)]


async def test_tables_of_others_may_have_any_name_and_any_module(tmp_path: Path) -> None:
    table = '"say ""hi"" to [them]"'
    virtual = "CREATE VIRTUAL TABLE vectors USING a_module_of_others(x)"
    make(
        "minecontext-5",
        tmp_path / "sidecar.db",
        f'CREATE TABLE {table} ("a ""b""" TEXT)',
        f"INSERT INTO {table} VALUES ('mine')",
        "INSERT INTO tips (content) VALUES ('stretch')",
        "PRAGMA writable_schema = ON",
        f"INSERT INTO sqlite_schema VALUES ('table', 'vectors', 'vectors', 0, '{virtual}')",
    )
    async with UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)]) as storage:
        backup = await storage.create_backup()
        assert (await storage.verify_backup(backup.name)).name == backup.name
        assert [tip.content for tip in (await storage.get_tips()).items] == ["stretch"]


def test_a_dangling_row_of_others_does_not_stop_the_adoption(tmp_path: Path) -> None:
    with adopted(
        tmp_path,
        "CREATE TABLE stars (vault_id INTEGER REFERENCES vaults (id))",
        "INSERT INTO vaults (id, title) VALUES (1, 'a')",
        "INSERT INTO stars VALUES (1), (99)",
    ) as connection:
        assert connection.execute("SELECT vault_id FROM stars").fetchall() == [(1,), (99,)]
        assert connection.execute("SELECT title FROM stars JOIN vaults ON id = vault_id").fetchall() == [("a",)]


@pytest.mark.parametrize("written", ["x'5AFC'", "CAST(x'5AFC' AS TEXT)"])
def test_bytes_that_are_not_text_are_kept_exactly_in_the_original(written: str, tmp_path: Path) -> None:
    with adopted(tmp_path, f"INSERT INTO tips (id, content) VALUES (1, {written})") as connection:
        assert connection.execute("SELECT content, typeof(content) FROM tips").fetchall() == [("Z\ufffd", "text")]
        ((table, row, reason),) = set_aside(connection)
        assert (table, row["content"]) == ("tips", {"base64": b64encode(b"Z\xfc").decode()})
        assert reason == "content: holds bytes that are not UTF-8"


def test_ids_of_zero_and_below_stay_and_ids_go_on_after_the_largest(tmp_path: Path) -> None:
    with adopted(tmp_path, "INSERT INTO todo (id, content) VALUES (0, 'zero'), (-5, 'minus'), (7, 'x')") as connection:
        connection.execute("INSERT INTO todo (content) VALUES ('next')")
        assert [row_id for (row_id,) in connection.execute("SELECT id FROM todo ORDER BY id")] == [-5, 0, 7, 8]


def test_an_id_that_leaves_no_room_for_others_is_set_aside(tmp_path: Path) -> None:
    with adopted(tmp_path, f"INSERT INTO todo (id, content) VALUES ({2**63 - 1}, 'last'), (3, 'x')") as connection:
        assert [row["content"] for _, row, _ in set_aside(connection)] == ["last"]
        connection.execute("DELETE FROM sqlite_sequence WHERE name = 'todo'")
        connection.execute("INSERT INTO todo (content) VALUES ('next')")


def test_circles_and_long_chains_take_no_longer_than_their_rows(tmp_path: Path) -> None:
    chain, circle = 20_000, 5_000
    counted = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
    path = make(
        "minecontext-5",
        tmp_path / "sidecar.db",
        # Each folder lies in the one made after it.
        f"{counted.format(chain)} INSERT INTO vaults (id, title, is_folder, parent_id) "
        f"SELECT i, 'chain', 1, CASE WHEN i < {chain} THEN i + 1 END FROM n",
        f"{counted.format(circle)} INSERT INTO vaults (id, title, is_folder, parent_id) "
        f"SELECT {chain} + i, 'circle', 1, {chain} + i % {circle} + 1 FROM n",
        # Thousands of documents lie in themselves.
        f"{counted.format(circle)} INSERT INTO vaults (id, title, is_folder, parent_id) "
        "SELECT 100000 + i, 'own', 1, 100000 + i FROM n",
    )
    began = perf_counter()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        adopt_or_upgrade(connection, None, lambda *_: None, clock=SYSTEM_CLOCK)
        assert report_of(connection).replaced == {"vaults": 1 + circle}
        top = "SELECT title, count(*) FROM vaults WHERE parent_id IS NULL GROUP BY title ORDER BY title"
        assert connection.execute(top).fetchall() == [("chain", 1), ("circle", 1), ("own", circle)]
    assert perf_counter() - began < 30
