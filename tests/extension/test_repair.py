"""Tables of extensions in repairs, in recoveries and in the commands, with their modules and without."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sidecar import testing
from sidecar.cli import main
from sidecar.errors import InvalidInput
from sidecar.extension import Work
from sidecar.storage.unified import UnifiedStorage
from tests.storage import damage

from .conftest import Opening
from .declared import Study

CARDS = 300


def fill(study: Study, first: int = 0) -> Callable[[Work], None]:
    def unit(work: Work) -> None:
        deck = study.decks.insert(work, {"name": f"deck {first}"})
        rows = (
            {"deck_id": deck.id, "front": f"card {number}", "back": "word " * 20, "created_at": work.now}
            for number in range(first, first + CARDS)
        )
        study.cards.insert_many(work, rows)

    return unit


async def fronts(storage: UnifiedStorage) -> list[str]:
    sql = "SELECT front FROM notes_cards ORDER BY id"
    return await storage.read(lambda connection: [row["front"] for row in connection.execute(sql)])


async def test_invalid_rows_are_listed_and_repaired(open_storage: Opening) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        await storage.write(fill(study))
        await storage.write(
            lambda work: work.connection.execute("UPDATE notes_cards SET tags = 'no list' WHERE id = 7").rowcount
        )
        (row,) = (await storage.get_invalid_rows(table="notes_cards")).items
        assert (row.id, row.invalid) == (7, ("tags",))
        assert [row.table for row in (await storage.get_invalid_rows()).items] == ["notes_cards"]
        findings = {finding.subject: finding.message for finding in await storage.examine_database()}
        assert "1 of notes_cards" in findings["invalid rows"]
        assert (await storage.repair_invalid_rows()).repaired == 1
        card = await storage.read(lambda connection: study.cards.get(connection, 7))
        assert (card.tags, card.invalid) == (["no list"], ())
        (kept,) = (await storage.get_rows_set_aside()).items
        assert kept.row["tags"] == "no list"
    async with open_storage() as storage:
        with pytest.raises(InvalidInput, match="table"):
            await storage.get_invalid_rows(table="notes_cards")


@pytest.mark.parametrize("is_loaded", [True, False], ids=["with its module", "without"])
@pytest.mark.parametrize("table", ["notes_cards", "todo"])
async def test_a_damaged_page_costs_only_what_changed_on_it_since_the_backup(
    open_storage: Opening, tmp_path: Path, table: str, *, is_loaded: bool
) -> None:
    study, path = Study(), tmp_path / "sidecar.db"
    expected = await backed_up(open_storage, study)
    damage.overwrite(path, damage.leaves(path, table)[1])
    async with open_storage(*([study.extension] if is_loaded else [])) as storage:
        assert await fronts(storage) == expected
        (report,) = (await storage.get_recoveries()).items
        kept = report.tables["notes_cards"]
        assert (kept.from_backup > 0) == (table == "notes_cards")
        assert kept.saved + kept.from_backup == CARDS
    await is_usable(open_storage, study)


@pytest.mark.parametrize("is_loaded", [True, False], ids=["with its module", "without"])
async def test_a_damaged_list_of_tables_leaves_what_the_newest_backup_has(
    open_storage: Opening, tmp_path: Path, *, is_loaded: bool
) -> None:
    study, path = Study(), tmp_path / "sidecar.db"
    await backed_up(open_storage, study)
    (page,) = (
        number for number in damage.schema_pages(path) if b"CREATE TABLE notes_cards" in damage_page(path, number)
    )
    damage.overwrite(path, page)
    async with open_storage(*([study.extension] if is_loaded else [])) as storage:
        assert await fronts(storage) == [f"card {number}" for number in range(CARDS)]
    await is_usable(open_storage, study)


async def test_without_a_backup_the_schema_of_the_file_is_enough(open_storage: Opening, tmp_path: Path) -> None:
    study, path = Study(), tmp_path / "sidecar.db"
    async with open_storage(study.extension) as storage:
        await storage.write(fill(study))
    damage.overwrite(path, damage.leaves(path, "notes_cards")[1])
    async with open_storage() as storage:
        found = await fronts(storage)
        (report,) = (await storage.get_recoveries()).items
        assert len(found) == report.tables["notes_cards"].saved
        assert report.tables["notes_cards"].lost == CARDS - len(found) > 0
    await is_usable(open_storage, study)


@pytest.mark.parametrize("has_backup", [True, False])
async def test_triggers_of_the_extension_stay_and_do_not_fire_in_a_recovery(
    open_storage: Opening, tmp_path: Path, *, has_backup: bool
) -> None:
    study, path = Study(), tmp_path / "sidecar.db"

    @study.extension.migration(2)
    def count(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE notes_counts (added INTEGER NOT NULL)")
        connection.execute("INSERT INTO notes_counts VALUES (0)")
        connection.execute("CREATE VIEW notes_all AS SELECT front FROM notes_cards")
        connection.execute(
            "CREATE TRIGGER notes_count AFTER INSERT ON notes_cards "
            "BEGIN UPDATE notes_counts SET added = added + 1; END"
        )

    async with open_storage(study.extension) as storage:
        await storage.write(fill(study))
        if has_backup:
            await storage.create_backup()
    damage.overwrite(path, damage.leaves(path, "notes_cards")[1])
    async with open_storage(study.extension) as storage:
        assert len((await storage.get_recoveries()).items) == 1
        await storage.write(fill(study, CARDS))
        counted = await storage.read(
            lambda connection: connection.execute("SELECT added FROM notes_counts").fetchone()[0]
        )
        shown = await storage.read(
            lambda connection: connection.execute("SELECT count(*) FROM notes_all").fetchone()[0]
        )
        assert counted == 2 * CARDS
        assert shown == len(await fronts(storage))


def test_the_commands_work_without_the_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = Study()
    asyncio.run(filled(tmp_path / "a", study))
    archive = str(tmp_path / "a.zip")
    assert main(["export", archive, "--data-dir", str(tmp_path / "a")]) == 0
    assert f"{CARDS} notes.cards, 1 notes.decks to {archive}" in capsys.readouterr().out
    assert main(["import", archive, "--data-dir", str(tmp_path / "b")]) == 0
    assert f"Left out {CARDS} notes.cards, 1 notes.decks: no loaded module declares them." in capsys.readouterr().out
    assert main(["backup", "--data-dir", str(tmp_path / "a")]) == 0
    (backup,) = (tmp_path / "a" / "backups").glob("*.db")
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT count(*) FROM notes_cards").fetchone() == (CARDS,)
    capsys.readouterr()
    assert main(["doctor", "--data-dir", str(tmp_path / "a")]) == 0
    assert "The database has tables of notes (version 1)" in capsys.readouterr().out
    assert main(["restore", backup.name, "--data-dir", str(tmp_path / "a")]) == 0
    assert asyncio.run(filled(tmp_path / "a", study)) == 2 * CARDS


async def filled(directory: Path, study: Study) -> int:
    """Add the cards to the store of a directory; return how many it has then."""
    async with testing.open_storage([study.extension], directory) as storage:
        first = len(await fronts(storage))
        await storage.write(fill(study, first))
        return len(await fronts(storage))


async def backed_up(open_storage: Opening, study: Study) -> list[str]:
    """Fill the store, make a backup, and change the last card; return the fronts of all."""
    async with open_storage(study.extension) as storage:
        await storage.write(fill(study))
        for number in range(CARDS):
            await storage.insert_todo(f"todo {number}")
        await storage.create_backup()
        await storage.write(lambda work: study.cards.update(work, CARDS, {"front": "since the backup"}))
        return await fronts(storage)


async def is_usable(open_storage: Opening, study: Study) -> None:
    """Check that the module works with the recovered store."""
    async with open_storage(study.extension) as storage:
        while await storage.fill_search_index():
            pass
        found = await storage.search_documents("card", limit=1)
        assert found.total > CARDS / 2
        await storage.write(fill(study, 1_000))
        assert [hit.id for hit in (await storage.search_documents("1007")).items] == [f"notes.card:{CARDS + 8}"]
        assert (await storage.check_integrity()).is_sound


def damage_page(path: Path, number: int) -> bytes:
    return path.read_bytes()[(number - 1) * damage.PAGE : number * damage.PAGE]
