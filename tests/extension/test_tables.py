"""Tables of an extension: their migrations, and what backups, restores and recoveries make of them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.errors import DatabaseTooNew, ExtensionRefused
from sidecar.extension import Connection, Extension, Work
from tests.storage import damage

from .conftest import Opening
from .flash_cards import flash_cards


def cards(connection: Connection) -> list[str]:
    return [row["front"] for row in connection.execute("SELECT front FROM notes_cards ORDER BY id")]


def add(front: str):  # type: ignore[no-untyped-def]
    def insert(work: Work) -> None:
        work.connection.execute("INSERT INTO notes_cards (front, back) VALUES (?, '')", (front,))

    return insert


def second_version() -> Extension:
    """The cards, with a deck."""
    notes = flash_cards()

    @notes.migration(2)
    def add_decks(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE notes_cards ADD COLUMN deck TEXT")
        connection.execute("CREATE INDEX notes_cards_by_deck ON notes_cards (deck)")

    return notes


async def test_only_migrations_that_are_due_are_applied_and_after_a_backup(open_storage: Opening) -> None:
    async with open_storage(flash_cards()) as storage:
        await storage.write(add("kept"))
        assert (await storage.get_backups()).items == []
    async with open_storage(second_version()) as storage:
        assert await storage.read(cards) == ["kept"]
        assert len((await storage.get_backups()).items) == 1
    async with open_storage(second_version()) as storage:
        assert len((await storage.get_backups()).items) == 1


async def test_tables_that_a_newer_module_made_are_left_untouched(open_storage: Opening, tmp_path: Path) -> None:
    async with open_storage(second_version()):
        pass
    before = (tmp_path / "sidecar.db").read_bytes()
    with pytest.raises(DatabaseTooNew, match="'notes' were written by a newer version of its module"):
        async with open_storage(flash_cards()):
            pass
    assert (tmp_path / "sidecar.db").read_bytes() == before


async def test_a_migration_that_fails_names_its_line_and_changes_nothing(open_storage: Opening) -> None:
    broken = flash_cards()

    @broken.migration(2)
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM notes_cards")
        connection.execute("ALTER TABLE notes_card ADD COLUMN deck TEXT")

    async with open_storage(flash_cards()) as storage:
        await storage.write(add("kept"))
    with pytest.raises(ExtensionRefused) as refused:
        async with open_storage(broken):
            pass
    line = fail.__code__.co_firstlineno
    assert f"The migration 2 of the extension 'notes' ({__file__}, line {line})" in refused.value.message
    assert f"no such table: notes_card ({__file__}, line {line + 3})" in refused.value.message
    async with open_storage(flash_cards()) as storage:
        assert await storage.read(cards) == ["kept"]


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("CREATE TABLE cards (id INTEGER)", "cards"),
        ("ALTER TABLE todo ADD COLUMN card TEXT", "todo"),
        ("DROP TABLE tips", "guard_tips_changed"),
        ("CREATE INDEX by_card ON notes_cards (front)", "by_card"),
    ],
)
async def test_a_migration_that_leaves_its_namespace_is_refused(
    open_storage: Opening, statement: str, name: str
) -> None:
    greedy = flash_cards()

    @greedy.migration(2)
    def take(connection: sqlite3.Connection) -> None:
        connection.execute(statement)

    with pytest.raises(ExtensionRefused, match=f"creates, changes or removes '{name}"):
        async with open_storage(greedy):
            pass
    async with open_storage(flash_cards()) as storage:
        assert (await storage.get_todos()).items == []


async def test_a_namespace_that_begins_the_name_of_another_table_is_refused(open_storage: Opening) -> None:
    message = Extension("message")

    @message.migration(1)
    def create(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE message_own (id INTEGER)")

    with pytest.raises(ExtensionRefused, match="has 'message_chunks' already"):
        async with open_storage(message):
            pass


def test_a_migration_that_is_missing_in_between_is_named() -> None:
    notes = Extension("notes")
    notes.migration(1)(lambda connection: None)
    notes.migration(3)(lambda connection: None)
    with pytest.raises(ValueError, match="the migration 2 is missing; the last one is 3"):
        _ = notes.tables


async def test_a_restore_brings_the_rows_back_and_the_tables_up_to_date(open_storage: Opening) -> None:
    async with open_storage(flash_cards()) as storage:
        await storage.write(add("old"))
        name = (await storage.create_backup()).name
    async with open_storage(second_version()) as storage:
        await storage.write(add("new"))
        await storage.restore_backup(name)
        assert await storage.read(cards) == ["old"]
        await storage.write(lambda work: work.connection.execute("UPDATE notes_cards SET deck = 'words'").rowcount)


async def test_a_damaged_file_keeps_the_rows(open_storage: Opening, tmp_path: Path) -> None:
    path = tmp_path / "sidecar.db"
    async with open_storage(flash_cards()) as storage:
        for number in range(300):
            await storage.write(add(f"card {number}"))
        for number in range(300):
            await storage.insert_todo(f"todo {number}")
        await storage.create_backup()
        await storage.write(add("since the backup"))
    damage.overwrite(path, damage.leaves(path, "todo")[0])
    async with open_storage(flash_cards()) as storage:
        found = await storage.read(cards)
    assert found == [*(f"card {number}" for number in range(300)), "since the backup"]


async def test_without_their_module_tables_stay_and_health_names_them(open_storage: Opening, tmp_path: Path) -> None:
    async with open_storage(flash_cards()) as storage:
        await storage.write(add("kept"))
        assert "extensions" not in await storage.health()
    async with open_storage() as storage:
        component = (await storage.health())["extensions"]
        await storage.create_backup()
    assert component.ok
    assert component.detail == "The tables of notes are kept, but no loaded extension uses them."
    with closing(sqlite3.connect(next((tmp_path / "backups").glob("*.db")))) as backup:
        assert backup.execute("SELECT front FROM notes_cards").fetchall() == [("kept",)]


async def test_a_database_without_extensions_has_no_trace_of_them(open_storage: Opening) -> None:
    async with open_storage() as storage:
        sql = "SELECT name FROM sqlite_schema WHERE name LIKE '%extension%'"
        assert await storage.read(lambda connection: connection.execute(sql).fetchall()) == []
