"""The index follows every write, whoever makes it, at once or in steps, and is made anew when it is damaged."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK, Clock
from sidecar.config import DatabaseSettings
from sidecar.models.tips import TipCreate
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS, m0015_folded_search
from sidecar.storage.sqlite.schema.upgrade import bring_up_to_date
from sidecar.storage.sqlite.search import index_format
from sidecar.storage.sqlite.search import pending as search_pending
from sidecar.storage.sqlite.search.pending import CHARACTERS_AT_ONCE
from sidecar.storage.sqlite.search.store import SearchDocuments
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.clocks import SlowMachineClock
from tests.storage.test_adoption import make

from ..support import backend_of

BEFORE_THE_INDEX = [migration for migration in MIGRATIONS if migration.version < 4]

Tool = Callable[[str], None]


async def ids(storage: UnifiedStorage, query: str) -> list[str]:
    return [hit.id for hit in (await storage.search_documents(query)).items]


async def opened(directory: Path, clock: Clock = SYSTEM_CLOCK) -> UnifiedStorage:
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(), directory)], clock=clock)
    await storage.initialize()
    return storage


async def unit_of(storage: UnifiedStorage, unit: Callable[[SQLiteWork], object]) -> None:
    await backend_of(storage).database.write(unit)


@pytest.fixture
async def stored(tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    """An open storage on disk."""
    storage = await opened(tmp_path)
    yield storage
    await storage.close()


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """Another program that writes to the same file."""

    def execute(sql: str) -> None:
        with closing(sqlite3.connect(tmp_path / "sidecar.db", isolation_level=None)) as connection:
            connection.executescript(sql)

    return execute


def sound(connection: sqlite3.Connection) -> None:
    """Raises when the index is not consistent in itself, or lacks a row that it should have, or has one too many."""
    connection.execute("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
    views = ("vaults", "todo", "activity", "tips", "messages", "conversations")
    wanted = " UNION ALL ".join(f"SELECT docid FROM search_{view}" for view in views)
    entries = connection.execute("SELECT id FROM search_index_docsize ORDER BY id").fetchall()
    assert entries == connection.execute(f"{wanted} ORDER BY docid").fetchall()


def test_the_format_of_the_index_is_that_of_its_migration() -> None:
    for name in ("KIND_BITS", "CREATE_INDEX", "MERGE_LATER"):
        assert getattr(index_format, name) == getattr(m0015_folded_search, name)


async def test_a_changed_row_is_found_by_its_new_words_only(storage: UnifiedStorage) -> None:
    vault = await storage.insert_vaults("otter", content="机器 café")
    await storage.update_vault(vault.id, title="walrus")
    assert await ids(storage, "otter") == []
    assert await ids(storage, "walrus 机器") == [f"vault:{vault.id}"]


async def test_deleted_vaults_are_not_found_and_restored_ones_are(storage: UnifiedStorage) -> None:
    folder = await storage.insert_vaults("walrus folder", is_folder=True)
    vault = await storage.insert_vaults("walrus", parent_id=folder.id)
    both = sorted(await ids(storage, "walrus"))
    assert len(both) == 2
    await storage.delete_vault(folder.id)
    assert await ids(storage, "walrus") == []
    await storage.restore_vault(folder.id)
    assert sorted(await ids(storage, "walrus")) == both
    await storage.delete_vault_permanently(vault.id)
    assert await ids(storage, "walrus") == [f"vault:{folder.id}"]


async def test_a_deleted_conversation_hides_its_title_and_its_messages(storage: UnifiedStorage) -> None:
    conversation = await storage.create_conversation("home", title="walrus")
    await storage.create_message(conversation.id, "user", "walrus")
    both = sorted(await ids(storage, "walrus"))
    assert len(both) == 2
    await storage.delete_conversation(conversation.id)
    assert await ids(storage, "walrus") == []
    assert await ids(storage, "wal") == []
    await storage.restore_conversation(conversation.id)
    assert sorted(await ids(storage, "walrus")) == both
    await storage.delete_conversation_permanently(conversation.id)
    assert await ids(storage, "walrus") == []


async def test_a_streamed_message_is_found_when_it_has_finished(storage: UnifiedStorage) -> None:
    conversation = await storage.create_conversation("home")
    message = await storage.create_streaming_message(conversation.id, "assistant")
    await storage.append_message_content(message.id, "I am the wal")
    await storage.append_message_content(message.id, "rus")
    assert await ids(storage, "walrus") == []
    await storage.mark_message_finished(message.id)
    assert await ids(storage, "walrus") == [f"message:{message.id}"]


async def test_a_unit_that_fails_leaves_nothing_in_the_index(storage: UnifiedStorage) -> None:
    made = await asyncio.gather(
        storage.insert_vaults("walrus"), storage.insert_vaults("walrus", parent_id=999), return_exceptions=True
    )
    assert isinstance(made[1], Exception)
    assert len(await ids(storage, "walrus")) == 1


async def test_any_sqlite_tool_can_write(stored: UnifiedStorage, tool: Tool, tmp_path: Path) -> None:
    tool("INSERT INTO tips (content) VALUES ('walrus 机器'), ('otter'), ('seal')")
    assert await ids(stored, "walrus 机器") == ["tip:1"]
    tool("UPDATE tips SET content = 'whale' WHERE id = 1; DELETE FROM tips WHERE id = 2")
    assert [await ids(stored, word) for word in ("walrus", "otter", "whale")] == [[], [], ["tip:1"]]
    tool("REPLACE INTO tips (id, content) VALUES (1, 'walrus'); UPDATE tips SET id = 7 WHERE id = 3")
    assert [await ids(stored, word) for word in ("whale", "walrus", "seal")] == [[], ["tip:1"], ["tip:7"]]
    tool("INSERT OR IGNORE INTO tips (id, content) VALUES (1, 'whale')")
    assert await stored.fill_search_index() is False
    assert [await ids(stored, word) for word in ("whale", "walrus")] == [[], ["tip:1"]]
    await stored.close()
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        sound(connection)


async def test_notes_that_make_no_sense_stop_no_write(stored: UnifiedStorage, tool: Tool) -> None:
    tool(f"INSERT INTO search_pending (docid) VALUES ({99 << 48 | 1}), (-1), ({4 << 48 | 12345})")
    tip = await stored.insert_tip("walrus")
    assert await ids(stored, "walrus") == [f"tip:{tip.id}"]


async def test_ids_too_large_for_the_index_can_be_written(stored: UnifiedStorage, tool: Tool) -> None:
    tool(f"INSERT INTO tips (id, content) VALUES ({2**48}, 'walrus'), ({2**63 - 1}, 'walrus'), (-5, 'walrus')")
    assert await ids(stored, "walrus") == []


async def test_rows_that_were_there_before_the_index_are_filled_in_at_the_start(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sidecar.db", isolation_level=None)) as connection:
        bring_up_to_date(connection, None, lambda *_: None, BEFORE_THE_INDEX, clock=SYSTEM_CLOCK)
        connection.execute("INSERT INTO tips (content) VALUES ('walrus')")
        connection.execute("INSERT INTO vaults (title, is_deleted) VALUES ('walrus', 0), ('walrus', 1)")
    storage = await opened(tmp_path)
    assert sorted(await ids(storage, "walrus")) == ["tip:1", "vault:1"]
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        sound(connection)


async def test_a_message_that_changes_its_conversation_or_role_is_found_where_it_is(
    stored: UnifiedStorage, tool: Tool, tmp_path: Path
) -> None:
    one, other = await stored.create_conversation("home"), await stored.create_conversation("home")
    message = await stored.create_message(one.id, "user", "walrus")
    tool(f"UPDATE messages SET conversation_id = {other.id}, role = 'assistant' WHERE id = {message.id}")

    async def found(**filters: object) -> int:
        return (await stored.search_documents("walrus", filters=filters)).total

    assert [await found(conversation_id=one.id), await found(role="user")] == [0, 0]
    assert await found(conversation_id=other.id, role="assistant") == 1
    await stored.close()
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        sound(connection)


@pytest.mark.parametrize("shape", ["minecontext", "minecontext-early"])
async def test_an_adopted_database_is_searched(shape: str, tmp_path: Path) -> None:
    make(shape, tmp_path / "sidecar.db")
    storage = await opened(tmp_path)
    assert "todo:1" in await ids(storage, "water")
    assert (await storage.search_documents("water")).complete
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        sound(connection)


async def test_the_index_is_filled_in_steps_while_rows_change(storage: UnifiedStorage) -> None:
    tips = [(await storage.insert_tip(f"walrus {number}")).id for number in range(10)]
    await storage.rebuild_search_index()
    assert not (await storage.search_documents("walrus")).complete
    assert (await storage.health())["search_index"].measures["rows_to_fill"] >= 10
    while len(await ids(storage, "walrus")) < 5:
        assert await storage.fill_search_index(1)
    await storage.insert_tip("walrus 10")
    assert await ids(storage, "walrus 0") == [f"tip:{tips[0]}"]
    assert await ids(storage, "walrus 9") == []
    while await storage.fill_search_index(3):
        pass
    page = await storage.search_documents("walrus")
    assert (page.total, page.complete) == (11, True)
    assert (await storage.health())["search_index"].measures["rows_to_fill"] == 0


async def insert_many(storage: UnifiedStorage, word: str, count: int = search_pending.MANY + 1) -> list[int]:
    """Tips that are too many to be followed by the commit that stores them."""
    return await storage.batch_insert_tips([TipCreate(content=f"{word} {number}") for number in range(count)])


async def test_a_batch_leaves_its_words_to_upkeep(stored: UnifiedStorage, tmp_path: Path) -> None:
    tips = await insert_many(stored, "walrus")
    assert (await stored.health())["search_index"].measures["rows_to_fill"] == len(tips)
    while await stored.fill_search_index():
        pass
    assert (await stored.health())["search_index"].measures["rows_to_fill"] == 0
    await stored.close()
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        sound(connection)


async def test_a_search_right_after_a_batch_finds_all_of_it(storage: UnifiedStorage) -> None:
    tips = await insert_many(storage, "walrus", 2_000)
    page = await storage.search_documents("walrus")
    assert (page.total, page.complete) == (len(tips), True)


@pytest.fixture
def impatient(storage: UnifiedStorage) -> SearchDocuments:
    """The storage's search, which waits for nothing."""
    return SearchDocuments(backend_of(storage).database, longest_wait_s=0.0)


async def test_a_search_that_has_waited_long_enough_says_that_rows_are_lacking(
    storage: UnifiedStorage, impatient: SearchDocuments
) -> None:
    seal = await storage.insert_tip("seal")
    await insert_many(storage, "walrus")
    pages = [await impatient.search_documents(word) for word in ("walrus", "seal")]
    assert [([hit.id for hit in page.items], page.complete) for page in pages] == [
        ([], False),
        ([f"tip:{seal.id}"], False),
    ]


async def test_what_was_deleted_or_changed_is_not_found_as_it_was_even_by_an_index_that_is_behind(
    storage: UnifiedStorage, impatient: SearchDocuments
) -> None:
    deleted = await storage.create_conversation("home", title="seal")
    changed = await storage.create_conversation("home", title="seal")
    await insert_many(storage, "walrus")
    await storage.delete_conversation(deleted.id)
    await storage.update_conversation(changed.id, title="otter")
    page = await impatient.search_documents("seal")
    assert (page.items, page.total, page.complete) == ([], 0, False)


async def test_a_search_waits_no_longer_for_the_index_where_the_writer_is_busy(stored: UnifiedStorage) -> None:
    search = SearchDocuments(backend_of(stored).database, longest_wait_s=0.05)
    await insert_many(stored, "walrus")
    is_over = threading.Event()
    busy = asyncio.create_task(unit_of(stored, lambda _: is_over.wait()))
    page = await search.search_documents("walrus")
    is_over.set()
    await busy
    assert not page.complete


async def test_a_full_disk_keeps_no_search_from_being_answered(stored: UnifiedStorage) -> None:
    seal = await stored.insert_tip("seal")
    await insert_many(stored, "walrus")
    await unit_of(stored, lambda work: work.connection.execute("PRAGMA max_page_count = 1"))
    page = await stored.search_documents("seal")
    assert ([hit.id for hit in page.items], page.complete) == ([f"tip:{seal.id}"], False)


async def test_writes_do_not_wait_for_the_words_of_a_batch_before_them(stored: UnifiedStorage) -> None:
    await insert_many(stored, "walrus")
    await stored.insert_tip("seal")
    rows_to_fill = (await stored.health())["search_index"].measures["rows_to_fill"]
    assert rows_to_fill == search_pending.MANY + 2


async def test_documents_are_followed_a_few_at_a_time_the_fewer_the_longer_they_are(
    tmp_path: Path,
) -> None:
    stored = await opened(tmp_path, SlowMachineClock())
    hundredth = CHARACTERS_AT_ONCE // 100
    long, short = "walrus " * 10 * hundredth, "seal" * hundredth
    contents = [short] * 10 + [long] * 3 + [short] * search_pending.MANY
    await stored.batch_insert_tips([TipCreate(content=content) for content in contents])
    followed = []
    for _ in range(4):
        before = (await stored.health())["search_index"].measures["rows_to_fill"]
        await stored.fill_search_index()
        followed.append(before - (await stored.health())["search_index"].measures["rows_to_fill"])
    assert followed == [10, 1, 1, 8]
    await stored.close()


async def test_rows_that_change_before_the_index_has_followed_are_found_as_they_are(
    stored: UnifiedStorage, tool: Tool, tmp_path: Path
) -> None:
    first = await stored.insert_tip("seal")
    tool(f"UPDATE tips SET content = 'otter' WHERE id = {first.id}")
    tips = await insert_many(stored, "walrus")
    await stored.delete_document(f"tip:{tips[0]}")
    tool(f"UPDATE tips SET content = 'whale' WHERE id IN ({first.id}, {tips[1]})")
    tool(f"DELETE FROM tips WHERE id = {tips[2]}; REPLACE INTO tips (id, content) VALUES ({tips[3]}, 'whale')")
    found = {word: len(await ids(stored, word)) for word in ("seal", "otter", "whale")}
    assert found == {"seal": 0, "otter": 0, "whale": 3}
    assert (await stored.search_documents("walrus")).total == len(tips) - 4
    await stored.close()
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        sound(connection)


async def test_what_the_index_had_not_followed_is_found_after_a_start(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    tips = await insert_many(storage, "walrus")
    await storage.close()
    storage = await opened(tmp_path)
    assert (await storage.search_documents("walrus")).total == len(tips)
    await storage.close()


DAMAGES = {
    "words": "UPDATE search_index_data SET block = x'00ff00ff' WHERE id > 10",
    "structure": "UPDATE search_index_data SET block = x'ffffffffff' WHERE id = 10",
    "gone": "DELETE FROM search_index_data",
    "sizes": "DELETE FROM search_index_docsize",
    "averages": "UPDATE search_index_data SET block = x'ff' WHERE id = 1",
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_index_is_made_anew_by_a_search(stored: UnifiedStorage, tool: Tool, damage: str) -> None:
    for number in range(20):
        await stored.insert_tip(f"walrus {number}")
    tool(DAMAGES[damage])
    searches = await asyncio.gather(*(stored.search_documents("walrus") for _ in range(4)))
    assert all(page.total == 20 or not page.complete for page in searches)
    await stored.insert_tip("walrus 20")
    assert (await stored.search_documents("walrus")).total == 21
    assert all(component.ok for component in (await stored.health()).values())


@pytest.mark.parametrize("damage", ["words", "structure", "averages"])
async def test_a_damaged_index_stops_no_write(stored: UnifiedStorage, tool: Tool, damage: str, tmp_path: Path) -> None:
    tips = [await stored.insert_tip(f"walrus {number} " + "word " * number) for number in range(20)]
    tool(DAMAGES[damage])
    await asyncio.gather(
        stored.insert_tip("otter"), stored.insert_todo("otter"), stored.delete_document(f"tip:{tips[0].id}")
    )
    for number in range(40):
        await stored.insert_tip(f"seal {number}")
    assert len((await stored.get_tips()).items) == 60
    while await stored.fill_search_index():
        pass
    assert (await stored.search_documents("walrus")).total == 19
    assert (await stored.search_documents("seal")).total == 40
    await stored.close()
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        sound(connection)


async def test_a_batch_that_meets_a_damaged_index_is_stored_once(stored: UnifiedStorage, tool: Tool) -> None:
    await stored.batch_insert_tips([TipCreate(content=f"walrus {number}") for number in range(20)])
    tool(DAMAGES["structure"])
    added = await stored.batch_insert_tips([TipCreate(content=f"seal {number}") for number in range(40)])
    assert added == list(range(21, 61))
    assert (await stored.get_tips(with_total=True)).total == 60


async def test_an_index_that_was_dropped_is_made_anew_at_the_start(tmp_path: Path, tool: Tool) -> None:
    storage = await opened(tmp_path)
    await storage.insert_tip("walrus")
    await storage.close()
    tool("DROP TABLE search_index")
    storage = await opened(tmp_path)
    assert await ids(storage, "walrus") == ["tip:1"]
    await storage.insert_tip("walrus")
    assert len(await ids(storage, "walrus")) == 2
    await storage.close()
