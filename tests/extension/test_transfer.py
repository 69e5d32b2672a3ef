"""Exports and imports of tables that an extension declares, with its module and without."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from sidecar.errors import ArchiveRefused
from sidecar.extension import Extension, Work
from sidecar.models.transfer import ArchiveManifest, ManifestFile
from sidecar.storage.sqlite.transfer.store import rows_of, store_id
from sidecar.storage.unified import UnifiedStorage
from sidecar.testing import open_storage
from sidecar.tools.archive import verified_rows
from sidecar.tools.local import export_to, import_from

from .declared import Card, Study
from .flash_cards import flash_cards

Store = Callable[..., AbstractAsyncContextManager[UnifiedStorage]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Opens one of several stores, by its name."""

    @asynccontextmanager
    async def opening(name: str, *extensions: Extension) -> AsyncIterator[UnifiedStorage]:
        async with open_storage(extensions, tmp_path / name) as storage:
            yield storage

    return opening


def fill(study: Study, front: str, todo: int | None = None) -> Callable[[Work], None]:
    def unit(work: Work) -> None:
        deck = study.decks.insert(work, {"name": f"deck of {front}"})
        card = {"deck_id": deck.id, "todo_id": todo, "front": front, "is_known": True, "tags": [1, {"a": None}]}
        study.cards.insert(work, {**card, "created_at": work.now})

    return unit


async def cards(storage: UnifiedStorage, study: Study) -> list[tuple[Card, str]]:
    def query(connection: Any) -> list[tuple[Card, str]]:
        rows = connection.execute(f"SELECT {study.cards.selected} FROM notes_cards ORDER BY id").fetchall()
        records = [study.cards.record(row) for row in rows]
        return [(card, study.decks.get(connection, card.deck_id).name) for card in records]

    return await storage.read(query)


async def archive(storage: UnifiedStorage) -> BytesIO:
    file = BytesIO()
    await export_to(storage, file)
    return file


def manifest(file: BytesIO) -> ArchiveManifest:
    with ZipFile(file) as content:
        return ArchiveManifest.model_validate_json(content.read("manifest.json"))


async def test_rows_arrive_with_what_they_refer_to(store: Store) -> None:
    study = Study()
    async with store("a", study.extension) as storage:
        todo = (await storage.insert_todo("exported")).id
        await storage.write(fill(study, "la mer", todo))
        ((sent, _),) = await cards(storage, study)
        file = await archive(storage)
        again = await import_from(storage, file)
        assert (again.added, again.skipped) == (0, 4)  # the quick start is a row, too
    async with store("b", study.extension) as storage:
        other = (await storage.insert_todo("there before")).id
        await storage.write(fill(study, "le ciel", other))
        report = await import_from(storage, file)
        assert (report.kinds["notes.cards"].added, report.kinds["notes.decks"].added) == (1, 1)
        assert report.not_imported == {}
        (_, deck), (card, card_deck) = await cards(storage, study)
        assert (deck, card_deck) == ("deck of le ciel", "deck of la mer")
        assert card == sent.model_copy(update={"id": 2, "deck_id": 2, "todo_id": card.todo_id})
        assert card.todo_id is not None
        assert (await storage.get_todo(card.todo_id)).content == "exported"
        assert [hit.id for hit in (await storage.search_documents("mer")).items] == ["notes.card:2"]
        assert (await import_from(storage, file)).added == 0


async def test_a_deck_of_the_same_name_is_the_same(store: Store) -> None:
    study = Study()
    async with store("a", study.extension) as storage:
        await storage.write(fill(study, "la mer"))
        file = await archive(storage)
    async with store("b", study.extension) as storage:
        await storage.write(lambda work: study.decks.insert(work, {"name": "deck of la mer"}).id)
        assert (await import_from(storage, file)).kinds["notes.decks"].added == 0
        assert [deck for _, deck in await cards(storage, study)] == ["deck of la mer"]


async def test_without_the_module_the_rest_is_imported_and_the_report_names_the_rows(store: Store) -> None:
    study = Study()
    async with store("a", study.extension) as storage:
        await storage.insert_todo("exported")
        await storage.write(fill(study, "la mer"))
        file = await archive(storage)
    async with store("b") as storage:
        report = await import_from(storage, file)
        assert report.not_imported == {"notes.cards": 1, "notes.decks": 1}
        assert report.kinds["todos"].added == 1
    async with store("b", study.extension) as storage:
        report = await import_from(storage, file)
        assert (report.kinds["notes.cards"].added, report.kinds["todos"].added) == (1, 0)
        assert [deck for _, deck in await cards(storage, study)] == ["deck of la mer"]


async def test_without_the_module_rows_are_exported_as_they_are(store: Store) -> None:
    study = Study()
    async with store("a", study.extension) as storage:
        await storage.write(fill(study, "la mer"))
        sent = await cards(storage, study)
    async with store("a") as storage:
        file = await archive(storage)
    assert manifest(file).extensions == {"notes": 1}
    async with store("b", study.extension) as storage:
        assert (await import_from(storage, file)).not_imported == {}
        assert await cards(storage, study) == sent


async def test_a_table_that_is_not_declared_is_exported_and_stays_in_the_archive(store: Store) -> None:
    async with store("a", flash_cards()) as storage:
        sql = "INSERT INTO notes_cards (front, back) VALUES (x'ff00', 9e999)"
        await storage.write(lambda work: work.connection.execute(sql).rowcount)
        file = await archive(storage)
        assert (await import_from(storage, file)).not_imported == {"notes.cards": 1}
    with ZipFile(file) as content:
        line = content.read("notes.cards.jsonl")
    assert line == b'{"id":1,"front":{"base64":"/wA="},"back":"Inf"}\n'


async def test_rows_of_a_newer_module_wait_for_it(store: Store) -> None:
    newer = Study()
    newer.extension.migration(2)(lambda connection: connection.execute("ALTER TABLE notes_cards ADD COLUMN hint TEXT"))
    async with store("a", newer.extension) as storage:
        await storage.write(fill(newer, "la mer"))
        file = await archive(storage)
    async with store("b", Study().extension) as storage:
        assert (await import_from(storage, file)).not_imported == {"notes.cards": 1, "notes.decks": 1}
    async with store("b", newer.extension) as storage:
        assert (await import_from(storage, file)).not_imported == {}
        assert len(await cards(storage, newer)) == 1


async def test_rows_of_an_older_module_get_the_columns_that_came_since(store: Store) -> None:
    async with store("a", flash_cards()) as storage:
        await storage.write(
            lambda work: work.connection.execute("INSERT INTO notes_cards (front, back) VALUES ('sea', 'mer')").rowcount
        )
        file = await archive(storage)
    study = Study()
    async with store("b", study.extension) as storage:
        report = await import_from(storage, file)
        # It belongs to no deck: a card of this version has no place without one.
        assert report.kinds["notes.cards"].set_aside == 1
        (row,) = (await storage.get_rows_set_aside()).items
        assert (row.table, row.reason) == ("notes_cards", "deck_id: there is no row 0 in notes.decks")
        deck = await storage.write(lambda work: study.decks.insert(work, {"name": "found"}).id)
        await storage.restore_row_set_aside(row.id, {"deck_id": deck})
        assert [(card.front, name) for card, name in await cards(storage, study)] == [("sea", "found")]


async def test_values_that_cannot_be_read_arrive_with_their_originals_set_aside(store: Store) -> None:
    study = Study()
    async with store("a", study.extension) as storage:
        await storage.write(fill(study, "la mer"))
        sql = "UPDATE notes_cards SET tags = 'no list', created_at = 'yesterday'"
        await storage.write(lambda work: work.connection.execute(sql).rowcount)
        file = await archive(storage)
    async with store("b", study.extension) as storage:
        await import_from(storage, file)
        ((card, _),) = await cards(storage, study)
        assert (card.tags, card.created_at) == (["no list"], "1970-01-01T00:00:00.000Z")
        (row,) = (await storage.get_rows_set_aside()).items
        assert (row.is_carried, row.row["created_at"]) == (True, "yesterday")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id":2}\n{"id":1}\n', "notes.decks, row 2: id does not come after"),
        (b'{"id":"1"}\n', "notes.decks, row 1: id does not come after"),
        (b'{"id":1,"name":[]}\n', r"notes.decks.jsonl, line 1 is not a row"),
        (b'{"id":1,"name":{"base64":"?"}}\n', r"notes.decks.jsonl, line 1 is not a row"),
        (b'{"id":99999999999999999999}\n', r"notes.decks.jsonl, line 1 is not a row"),
        (b"[]\n", r"notes.decks.jsonl, line 1 is not a row"),
    ],
)
async def test_a_line_that_no_export_has_is_refused(store: Store, line: bytes, reason: str) -> None:
    study = Study()
    async with store("a", study.extension) as storage:
        await storage.write(fill(study, "la mer"))
        file = changed(await archive(storage), "notes.decks", line)
        with pytest.raises(ArchiveRefused, match=reason):
            await import_from(storage, file)


async def test_a_database_of_this_program_is_imported_with_its_own_tables(store: Store, tmp_path: Path) -> None:
    study = Study()
    async with store("a", study.extension) as storage:
        await storage.write(fill(study, "la mer"))
    with closing(sqlite3.connect(tmp_path / "a" / "sidecar.db", check_same_thread=False)) as connection:
        connection.row_factory = sqlite3.Row
        async with store("b", study.extension) as storage:
            report = await storage.import_rows(verified_rows(rows_of(connection)), store_id(connection))
            assert report.kinds["notes.cards"].added == 1


def changed(file: BytesIO, kind: str, lines: bytes) -> BytesIO:
    """Return the archive with other lines of a kind, which its manifest vouches for."""
    target = BytesIO()
    with ZipFile(file) as source, ZipFile(target, "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            if name == f"{kind}.jsonl":
                content = lines
            if name == "manifest.json":
                said = ArchiveManifest.model_validate_json(content)
                said.files[kind] = ManifestFile(
                    count=lines.count(b"\n"), bytes=len(lines), sha256=sha256(lines).hexdigest()
                )
                content = said.model_dump_json().encode()
            copy.writestr(name, content)
    return target


async def test_a_table_with_any_name_is_in_an_archive_that_can_be_imported(store: Store) -> None:
    odd = Extension("odd")
    odd.migration(1)(lambda connection: connection.execute('CREATE TABLE "Odd_Names/../ä" (a)'))
    async with store("a", odd) as storage:
        await storage.write(lambda work: work.connection.execute('INSERT INTO "Odd_Names/../ä" VALUES (1)').rowcount)
        report = await import_from(storage, await archive(storage))
        assert report.not_imported == {"odd.Names%2F..%2F%C3%A4": 1}
