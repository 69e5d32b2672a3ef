"""Search over tables that an extension declares."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.errors import ExtensionRefused, InvalidInput, NotFound
from sidecar.extension import Searched, Work
from sidecar.storage.unified import UnifiedStorage

from .conftest import Opening
from .declared import Study


async def add(storage: UnifiedStorage, study: Study, front: str, back: str | None = None) -> int:
    def insert(work: Work) -> int:
        return study.cards.insert(
            work, {"deck_id": 1, "front": front, "back": back, "tags": ["sea"], "created_at": work.now}
        ).id

    return await storage.write(insert)


async def found(storage: UnifiedStorage, query: str, *kinds: str) -> list[str]:
    page = await storage.search_documents(query, filters={"kinds": kinds or None})
    assert page.complete
    return [hit.id for hit in page.items]


async def rebuild(storage: UnifiedStorage) -> None:
    await storage.rebuild_search_index()
    while await storage.fill_search_index():
        pass


async def test_rows_are_found_beside_the_built_in_ones(open_storage: Opening) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        card = await add(storage, study, "la mer", "the wide sea")
        todo = (await storage.insert_todo("paint the sea")).id
        assert sorted(await found(storage, "sea")) == [f"notes.card:{card}", f"todo:{todo}"]
        assert await found(storage, "mer", "notes.card") == [f"notes.card:{card}"]
        assert await found(storage, "mer", "todo") == []
        (hit,) = (await storage.search_documents("wide")).items
        assert [part.text for part in hit.title] == ["la mer"]
        assert [part.text for part in hit.snippet if part.match] == ["wide"]


async def test_a_row_is_a_document(open_storage: Opening) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        card = await add(storage, study, "la mer", "the sea")
        document = await storage.get_document(f"notes.card:{card}")
        assert document.content == "la mer\nthe sea"
        assert document.metadata == {"deck_id": 1, "tags": ["sea"]}
        assert document.data_type == "notes.card"
        await storage.delete_document(f"notes.card:{card}")
        with pytest.raises(NotFound):
            await storage.get_document(f"notes.card:{card}")
        assert await found(storage, "mer") == []


async def test_the_index_follows_changes_by_anybody(open_storage: Opening) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        card = await add(storage, study, "la mer")
        await storage.write(lambda work: study.cards.update(work, card, {"front": "le ciel"}))
        assert (await found(storage, "mer"), await found(storage, "ciel")) == ([], [f"notes.card:{card}"])
        sql = "UPDATE notes_cards SET front = 'la lune'"
        await storage.write(lambda work: work.connection.execute(sql).rowcount)
        assert (await found(storage, "ciel"), await found(storage, "lune")) == ([], [f"notes.card:{card}"])
        await rebuild(storage)
        assert await found(storage, "lune") == [f"notes.card:{card}"]


async def test_a_kind_that_nobody_declared_is_named(open_storage: Opening) -> None:
    async with open_storage(Study().extension) as storage:
        with pytest.raises(InvalidInput, match=r"filters\.kinds: is not known; did you mean notes\.card\?"):
            await storage.search_documents("sea", filters={"kinds": ["notes.deck"]})


async def test_two_storages_of_one_process_have_kinds_of_their_own(
    open_storage: Opening, memory: UnifiedStorage
) -> None:
    async with open_storage(Study().extension):
        with pytest.raises(InvalidInput):
            await memory.search_documents("sea", filters={"kinds": ["notes.card"]})
        with pytest.raises(NotFound):
            await memory.get_document("notes.card:1")


async def test_rows_from_before_the_declaration_are_found(open_storage: Opening) -> None:
    study = Study()
    plain = Study().extension
    plain._tables.clear()  # noqa: SLF001 - the version of the module that declared nothing
    async with open_storage(plain) as storage:
        card = await add(storage, study, "la mer")
        assert await found(storage, "mer") == []
    async with open_storage(study.extension) as storage:
        assert await found(storage, "mer") == [f"notes.card:{card}"]


async def test_another_declaration_indexes_the_rows_again(open_storage: Opening, tmp_path: Path) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        card = await add(storage, study, "la mer", "the sea")
        number = numbers(tmp_path)
    async with open_storage(Study(searched=Searched(time="created_at", content=("back",))).extension) as storage:
        assert (await found(storage, "mer"), await found(storage, "sea")) == ([], [f"notes.card:{card}"])
        assert numbers(tmp_path) == number
        await storage.delete_document(f"notes.card:{card}")
        assert await found(storage, "sea") == []
        assert (await storage.check_integrity()).is_sound


async def test_a_table_that_is_not_declared_any_more_is_not_found(open_storage: Opening) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        await add(storage, study, "la mer")
    study.extension._tables.clear()  # noqa: SLF001 - the version of the module that declares nothing
    async with open_storage(study.extension) as storage:
        assert await found(storage, "mer") == []
    async with open_storage(Study().extension) as storage:
        assert await found(storage, "mer") == ["notes.card:1"]


async def test_a_migration_that_makes_the_table_anew_keeps_its_rows_found(open_storage: Opening) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        await add(storage, study, "la mer")

    @study.extension.migration(2)
    def rebuild(connection: sqlite3.Connection) -> None:
        (sql,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'notes_cards'").fetchone()
        connection.execute(sql.replace("notes_cards", "notes_new"))
        connection.execute("INSERT INTO notes_new SELECT * FROM notes_cards")
        connection.execute("UPDATE notes_new SET front = 'le ciel'")
        connection.execute("DROP TABLE notes_cards")
        connection.execute("ALTER TABLE notes_new RENAME TO notes_cards")

    async with open_storage(study.extension) as storage:
        assert (await found(storage, "mer"), await found(storage, "ciel")) == ([], ["notes.card:1"])
        await storage.write(lambda work: study.cards.delete(work, 1))
        assert await found(storage, "ciel") == []


async def test_without_the_module_the_index_follows_and_nothing_is_found(open_storage: Opening, tmp_path: Path) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        for front in ("la mer", "la lune"):
            await add(storage, study, front)
    async with open_storage() as storage:
        assert await found(storage, "mer") == []
        with pytest.raises(NotFound):
            await storage.get_document("notes.card:1")
        with closing(sqlite3.connect(tmp_path / "sidecar.db")) as other, other:
            other.execute("UPDATE notes_cards SET front = 'le ciel' WHERE id = 1")
            other.execute("DELETE FROM notes_cards WHERE id = 2")
        await storage.insert_todo("mer")
        assert await found(storage, "mer") == ["todo:1"]
        await rebuild(storage)
        assert await found(storage, "ciel") == []
    async with open_storage(study.extension) as storage:
        assert await found(storage, "ciel") == ["notes.card:1"]
        assert await found(storage, "lune") == []


async def test_a_restored_backup_of_another_number_is_searched(open_storage: Opening) -> None:
    study = Study()
    async with open_storage() as storage:
        empty = (await storage.create_backup()).name
    async with open_storage(study.extension) as storage:
        await add(storage, study, "la mer")
        backup = (await storage.create_backup()).name
        await storage.restore_backup(empty)
        assert await found(storage, "mer") == []
        await storage.restore_backup(backup)
        assert await found(storage, "mer") == ["notes.card:1"]


def numbers(directory: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(directory / "sidecar.db")) as connection:
        return connection.execute("SELECT table_name, number FROM extension_search_kinds").fetchall()


async def test_a_table_that_another_program_drops_disturbs_no_search(open_storage: Opening, tmp_path: Path) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        await add(storage, study, "la mer")
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as other:
        other.execute("DROP TABLE notes_cards")
    async with open_storage() as storage:
        await rebuild(storage)
        await storage.insert_todo("mer")
        assert await found(storage, "mer") == ["todo:1"]
        assert (await storage.health())["search_index"].ok
    with pytest.raises(ExtensionRefused, match="declares the table 'notes_cards', which no migration of it makes"):
        async with open_storage(study.extension):
            pass
