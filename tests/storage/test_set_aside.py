"""Rows that were set aside are listed, named until they are acknowledged, and brought back."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sidecar.config import DatabaseSettings
from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.interfaces import Change
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources.rows.columns import UNKNOWN_TIME
from sidecar.storage.resources.rows_set_aside import Origin
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.unified import UnifiedStorage, document_backend

from ..support import backend_of
from .test_adoption import make

NOON = "2026-01-31T12:00:00.000Z"


@pytest.fixture
async def adopted(tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    """A storage over an adopted database with rows set aside."""
    make("minecontext", tmp_path / "sidecar.db")
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)])
    await storage.initialize()
    yield storage
    await storage.close()


async def set_aside(
    storage: UnifiedStorage,
    table: str,
    row: Mapping[str, Any],
    reason: str = "no reason",
    *,
    is_carried: bool = False,
    origin: Origin = "recovery",
) -> int:
    """Set a row aside; returns its id in the list."""

    def keep(work: SQLiteWork) -> int:
        orphans.keep(work.connection, table, row, reason, work.now, is_carried=is_carried, origin=origin)
        return int(work.connection.execute("SELECT last_insert_rowid()").fetchone()[0])

    return await backend_of(storage).database.write(keep)


async def entry(storage: UnifiedStorage, table: str, row_id: int, *, is_carried: bool = False) -> int:
    """The id in the list of the row set aside that had this id in its table."""
    page = await storage.get_rows_set_aside(table, is_carried=is_carried)
    return next(item.id for item in page.items if item.row["id"] == row_id)


def message(**columns: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "conversation_id": 9,
        "role": "user",
        "content": "lost",
        "status": "completed",
        "created_at": NOON,
        "updated_at": NOON,
    } | columns


class TestList:
    async def test_rows_are_listed_with_table_origin_reason_and_content(self, storage: UnifiedStorage) -> None:
        await set_aside(storage, "tips", {"id": 3, "content": None}, "content: is missing")
        (item,) = (await storage.get_rows_set_aside()).items
        assert (item.table, item.origin, item.reason, item.is_carried) == (
            "tips",
            "recovery",
            "content: is missing",
            False,
        )
        assert (item.row, item.acknowledged_at) == ({"id": 3, "content": None}, None)

    async def test_bytes_and_infinite_numbers_are_shown_as_objects(self, storage: UnifiedStorage) -> None:
        await set_aside(storage, "tips", {"content": b"\xff\x00", "weight": float("-inf")})
        (item,) = (await storage.get_rows_set_aside()).items
        assert item.row == {"content": {"base64": "/wA="}, "weight": {"real": "-inf"}}

    async def test_it_is_filtered(self, adopted: UnifiedStorage) -> None:
        await set_aside(adopted, "messages", message())
        for filters, count in (
            ({"table": "messages"}, 4),
            ({"is_carried": True}, 5),
            ({"origin": "recovery"}, 1),
            ({"table": "messages", "is_carried": False, "origin": "adoption"}, 1),
        ):
            assert (await adopted.get_rows_set_aside(**filters, with_total=True)).total == count

    async def test_it_is_paged_by_cursor(self, adopted: UnifiedStorage) -> None:
        seen: list[int] = []
        cursor = None
        while True:
            page = await adopted.get_rows_set_aside(limit=2, cursor=cursor)
            seen += [item.id for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == list(range(1, 9))

    async def test_an_origin_that_does_not_exist_is_refused(self, storage: UnifiedStorage) -> None:
        with pytest.raises(InvalidInput, match="origin"):
            await storage.get_rows_set_aside(origin="elsewhere")

    async def test_an_entry_that_another_tool_wrote_takes_no_other_with_it(
        self, adopted: UnifiedStorage, tmp_path: Path
    ) -> None:
        with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection, connection:
            connection.execute("UPDATE adopted_orphans SET row = 'no JSON', origin = 'a tool' WHERE id = 1")
        page = await adopted.get_rows_set_aside()
        assert (len(page.items), page.items[0].row) == (8, {"text": "no JSON"})


class TestAcknowledging:
    async def test_health_names_rows_until_they_are_acknowledged(self, adopted: UnifiedStorage) -> None:
        before = (await adopted.health())["adoption"]
        assert (before.ok, before.measures["not_acknowledged"]) == (True, 8)
        assert "3 of messages" in (before.detail or "")
        overview = await adopted.acknowledge_rows_set_aside()
        assert (overview.not_acknowledged, sum(overview.set_aside.values())) == ({}, 8)
        after = (await adopted.health())["adoption"]
        assert (after.detail, after.measures["not_acknowledged"]) == (None, 0)

    async def test_rows_that_are_set_aside_later_are_named_again(self, adopted: UnifiedStorage) -> None:
        await adopted.acknowledge_rows_set_aside()
        await set_aside(adopted, "tips", {"id": 1})
        assert (await adopted.get_adoptions()).not_acknowledged == {"tips": 1}

    async def test_subscribers_hear_of_it_once(self, adopted: UnifiedStorage) -> None:
        heard: list[Change] = []
        adopted.subscribe(heard.extend)
        for _ in range(2):
            await adopted.acknowledge_rows_set_aside()
        assert [(change.topic, change.id) for change in heard] == [("adoption", "acknowledged")]


class TestBringingBack:
    async def test_a_row_gets_its_own_id_where_that_is_free(self, storage: UnifiedStorage) -> None:
        entry_id = await set_aside(storage, "tips", {"id": 12, "content": "drink", "created_at": NOON})
        done = await storage.restore_row_set_aside(entry_id)
        assert (done.table, done.id, done.needed) == ("tips", 12, [])
        assert [(tip.id, tip.content, tip.created_at) for tip in (await storage.get_tips()).items] == [
            (12, "drink", NOON)
        ]

    async def test_it_gets_a_new_id_where_its_own_is_taken(self, storage: UnifiedStorage) -> None:
        taken = await storage.insert_tip("there")
        entry_id = await set_aside(storage, "tips", {"id": taken.id, "content": "drink", "created_at": NOON})
        assert (await storage.restore_row_set_aside(entry_id)).id == taken.id + 1
        assert len((await storage.get_tips()).items) == 2

    async def test_it_is_then_no_longer_set_aside(self, storage: UnifiedStorage) -> None:
        entry_id = await set_aside(storage, "tips", {"id": 12, "content": "drink", "created_at": NOON})
        await storage.restore_row_set_aside(entry_id)
        assert (await storage.get_rows_set_aside()).items == []
        with pytest.raises(NotFound):
            await storage.restore_row_set_aside(entry_id)

    async def test_the_same_key_again_brings_it_back_once(self, storage: UnifiedStorage) -> None:
        entry_id = await set_aside(storage, "tips", {"id": 12, "content": "drink", "created_at": NOON})
        key = IdempotencyKey("key", b"request")
        first = await storage.restore_row_set_aside(entry_id, key=key)
        assert await storage.restore_row_set_aside(entry_id, key=key) == first
        assert len((await storage.get_tips()).items) == 1

    async def test_subscribers_hear_of_the_row_and_of_the_entry(self, storage: UnifiedStorage) -> None:
        entry_id = await set_aside(storage, "tips", {"id": 12, "content": "drink", "created_at": NOON})
        heard: list[Change] = []
        storage.subscribe(heard.extend)
        await storage.restore_row_set_aside(entry_id)
        assert [(change.topic, change.id) for change in heard] == [("adoption", entry_id), ("tips", 12)]

    async def test_given_values_replace_those_of_the_row(self, storage: UnifiedStorage) -> None:
        conversation = await storage.create_conversation("home")
        entry_id = await set_aside(storage, "messages", message())
        await storage.restore_row_set_aside(entry_id, {"conversation_id": conversation.id, "metadata": {"a": [1]}})
        (found,) = (await storage.get_conversation_messages(conversation.id)).items
        assert (found.id, found.content, found.metadata) == (7, "lost", {"a": [1]})

    async def test_a_value_that_does_not_fit_is_named_and_changes_nothing(self, storage: UnifiedStorage) -> None:
        entry_id = await set_aside(storage, "messages", message(role="narrator", token_count=-1))
        with pytest.raises(InvalidInput) as refused:
            await storage.restore_row_set_aside(entry_id)
        assert {error.field: error.message for error in refused.value.errors} == {
            "role": "must be one of 'user', 'assistant', 'system', 'tool', 'developer' or 'function'",
            "token_count": "must be at least 0",
        }
        assert len((await storage.get_rows_set_aside()).items) == 1
        assert (await storage.get_conversation_list()).items == []
        await storage.restore_row_set_aside(entry_id, {"role": "system", "token_count": 1})
        assert (await storage.get_message(7)).role == "system"

    async def test_a_column_that_is_not_there_is_named(self, storage: UnifiedStorage) -> None:
        entry_id = await set_aside(storage, "tips", {"id": 12, "content": "drink"})
        with pytest.raises(InvalidInput, match="colour"):
            await storage.restore_row_set_aside(entry_id, {"colour": "red"})

    async def test_times_in_sqlites_forms_become_canonical(self, storage: UnifiedStorage) -> None:
        entry_id = await set_aside(storage, "tips", {"id": 12, "content": "x", "created_at": "2026-01-31 12:00:00"})
        await storage.restore_row_set_aside(entry_id)
        assert (await storage.get_tips()).items[0].created_at == NOON

    async def test_bytes_that_are_text_come_back_as_that_text(self, storage: UnifiedStorage) -> None:
        entry_id = await set_aside(storage, "tips", {"id": 12, "content": "trinken ü".encode(), "created_at": NOON})
        await storage.restore_row_set_aside(entry_id)
        assert (await storage.get_tips()).items[0].content == "trinken ü"

    async def test_bytes_that_are_no_text_need_a_value(self, storage: UnifiedStorage) -> None:
        entry_id = await set_aside(storage, "tips", {"id": 12, "content": b"\xfc", "created_at": NOON})
        with pytest.raises(InvalidInput, match=r"content: holds bytes that are not text in UTF-8"):
            await storage.restore_row_set_aside(entry_id)
        await storage.restore_row_set_aside(entry_id, {"content": "ü"})
        assert (await storage.get_tips()).items[0].content == "ü"

    async def test_json_may_be_text_or_parsed(self, storage: UnifiedStorage) -> None:
        for number, metadata in ((7, '{"a": [1]}'), (8, {"a": [1]})):
            await storage.restore_row_set_aside(
                await set_aside(storage, "messages", message(id=number, metadata=metadata), origin="import")
            )
            assert (await storage.get_message(number)).metadata == {"a": [1]}

    async def test_a_search_finds_it(self, storage: UnifiedStorage) -> None:
        entry_id = await set_aside(storage, "tips", {"id": 12, "content": "a marmoset", "created_at": NOON})
        await storage.restore_row_set_aside(entry_id)
        assert [hit.id for hit in (await storage.search_documents("marmoset")).items] == ["tip:12"]

    async def test_a_column_of_another_tool_is_brought_back_too(self, adopted: UnifiedStorage, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection, connection:
            connection.execute("ALTER TABLE tips ADD COLUMN colour TEXT")
        row = {"id": 12, "content": "x", "created_at": NOON, "colour": "red"}
        await adopted.restore_row_set_aside(await set_aside(adopted, "tips", row))
        with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
            assert connection.execute("SELECT colour FROM tips WHERE id = 12").fetchall() == [("red",)]

    async def test_columns_are_compared_without_case(self, adopted: UnifiedStorage, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection, connection:
            connection.execute("ALTER TABLE tips ADD COLUMN MyColour TEXT")
        row = {"id": 12, "content": "x", "created_at": NOON, "mycolour": "red"}
        await adopted.restore_row_set_aside(await set_aside(adopted, "tips", row))
        await adopted.restore_row_set_aside(
            await set_aside(adopted, "tips", {**row, "id": 13}), {"MYCOLOUR": "blue", "Content": "y"}
        )
        with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
            found = connection.execute("SELECT content, MyColour FROM tips WHERE id >= 12 ORDER BY id").fetchall()
        assert found == [("x", "red"), ("y", "blue")]

    async def test_a_message_that_was_streaming_has_failed(self, storage: UnifiedStorage) -> None:
        await storage.restore_row_set_aside(await set_aside(storage, "messages", message(status="streaming")))
        assert (await storage.get_message(7)).status == "failed"

    @pytest.mark.parametrize(
        "table", ["adopted_orphans", "imported_rows", "sqlite_sequence", "schema_migrations", "nowhere", 'a"b']
    )
    async def test_a_table_that_is_not_for_rows_of_people_is_refused(self, storage: UnifiedStorage, table: str) -> None:
        entry_id = await set_aside(storage, table, {"id": 1, "name": "vaults", "seq": 99})
        with pytest.raises(Conflict):
            await storage.restore_row_set_aside(entry_id)
        assert len((await storage.get_rows_set_aside()).items) == 1

    async def test_a_row_that_another_tool_garbled_is_refused(self, adopted: UnifiedStorage, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection, connection:
            connection.execute("UPDATE adopted_orphans SET row = 'no JSON' WHERE table_name = 'messages'")
        entry_id = (await adopted.get_rows_set_aside("messages")).items[0].id
        with pytest.raises(InvalidInput):
            await adopted.restore_row_set_aside(entry_id)


class TestParents:
    async def test_a_lost_conversation_is_made_under_its_id_and_says_so(self, storage: UnifiedStorage) -> None:
        done = await storage.restore_row_set_aside(await set_aside(storage, "messages", message()))
        assert [(place.table, place.id) for place in done.needed] == [("conversations", 9)]
        made = await storage.get_conversation(9)
        assert (made.title, made.status) == ("Restored messages: their conversation was lost", "active")
        second = await set_aside(storage, "messages", message(id=8, parent_message_id="7"))
        assert (await storage.restore_row_set_aside(second)).needed == []
        assert [each.id for each in (await storage.get_conversation_messages(9)).items] == [7, 8]
        assert (await storage.get_message(8)).parent_message_id == 7

    async def test_a_conversation_that_is_itself_set_aside_comes_back_first(self, storage: UnifiedStorage) -> None:
        await set_aside(
            storage,
            "conversations",
            {"id": 9, "title": "Talk", "page_name": "home", "status": "active", "created_at": NOON, "updated_at": NOON},
        )
        done = await storage.restore_row_set_aside(await set_aside(storage, "messages", message()))
        assert [(place.table, place.id) for place in done.needed] == [("conversations", 9)]
        assert (await storage.get_conversation(9)).title == "Talk"
        assert (await storage.get_rows_set_aside()).items == []

    async def test_a_misfit_of_a_parent_is_named_with_its_table(self, storage: UnifiedStorage) -> None:
        await set_aside(storage, "conversations", {"id": 9, "page_name": "home", "status": "odd"})
        entry_id = await set_aside(storage, "messages", message())
        with pytest.raises(InvalidInput, match=r"conversations\.status"):
            await storage.restore_row_set_aside(entry_id)
        assert len((await storage.get_rows_set_aside()).items) == 2

    async def test_thinking_of_a_lost_message_gets_a_message(self, storage: UnifiedStorage) -> None:
        row = {"id": 2, "message_id": 77, "content": "hm", "created_at": NOON}
        done = await storage.restore_row_set_aside(await set_aside(storage, "message_thinking", row))
        assert [place.table for place in done.needed] == ["conversations", "messages"]
        assert [step.content for step in (await storage.get_message(77)).thinking] == ["hm"]

    async def test_an_answered_message_that_is_not_there_is_left_out(self, storage: UnifiedStorage) -> None:
        conversation = await storage.create_conversation("home")
        row = message(conversation_id=conversation.id, parent_message_id="5")
        await storage.restore_row_set_aside(await set_aside(storage, "messages", row))
        assert (await storage.get_message(7)).parent_message_id is None

    async def test_a_thread_is_made_for_its_state(self, storage: UnifiedStorage) -> None:
        row = {"chat_id": "t", "messages": '["hello"]', "cache_info": "{}", "updated_at": NOON}
        done = await storage.restore_row_set_aside(await set_aside(storage, "chat_histories", row))
        assert (done.table, done.id, done.needed[0].id) == ("chat_histories", "t", "t")
        assert (await storage.get_conversation_state("t")).messages == ["hello"]
        assert "Restored" in ((await storage.get_thread("t")).initial_request or "")

    async def test_an_older_state_of_a_thread_becomes_a_thread_of_its_own(self, storage: UnifiedStorage) -> None:
        await storage.save_conversation_state("t", ["new"])
        row = {"chat_id": "t", "messages": '["old"]', "cache_info": "{}", "updated_at": NOON}
        done = await storage.restore_row_set_aside(await set_aside(storage, "chat_histories", row))
        assert done.id == "t (restored 2)"
        assert (await storage.get_conversation_state("t")).messages == ["new"]
        assert (await storage.get_conversation_state("t (restored 2)")).messages == ["old"]

    async def test_folders_that_lie_in_one_another_are_no_circle_without_end(self, storage: UnifiedStorage) -> None:
        folder = {"content": "", "tags": "", "is_folder": 1, "is_deleted": 0, "document_type": "Note", "sort_order": 0}
        folder |= {"created_at": NOON, "updated_at": NOON}
        first = await set_aside(storage, "vaults", {**folder, "id": 50, "title": "a", "parent_id": 51})
        await set_aside(storage, "vaults", {**folder, "id": 51, "title": "b", "parent_id": 50})
        with pytest.raises(InvalidInput, match="parent_id"):
            await storage.restore_row_set_aside(first)
        await storage.restore_row_set_aside(first, {"parent_id": None})
        assert (await storage.get_vault(50)).parent_id is None

    async def test_a_document_is_no_folder(self, storage: UnifiedStorage) -> None:
        document = await storage.insert_vaults("document")
        row = {"id": 60, "title": "a", "parent_id": document.id, "is_folder": 0, "is_deleted": 0, "tags": ""}
        row |= {"content": "", "document_type": "Note", "sort_order": 0, "created_at": NOON, "updated_at": NOON}
        with pytest.raises(InvalidInput, match="not a folder"):
            await storage.restore_row_set_aside(await set_aside(storage, "vaults", row))


class TestAdopted:
    async def test_a_row_in_the_form_of_its_system_becomes_what_the_adoption_would_have_made(
        self, adopted: UnifiedStorage
    ) -> None:
        await adopted.restore_row_set_aside(await entry(adopted, "messages", 3), {"conversation_id": 1})
        found = await adopted.get_message(3)
        assert (found.content, found.token_count, found.status) == ("whose am I", 1, "completed")
        assert found.created_at == found.updated_at == "2025-06-01T08:00:00.000Z"

    async def test_a_carried_row_gets_back_what_was_replaced(self, adopted: UnifiedStorage) -> None:
        entry_id = await entry(adopted, "todo", 8, is_carried=True)
        with pytest.raises(InvalidInput) as refused:
            await adopted.restore_row_set_aside(entry_id)
        assert [error.field for error in refused.value.errors] == ["start_time", "status", "urgency"]
        values = {"start_time": "2026-01-31T13:00:00+01:00", "status": 1, "urgency": 2}
        done = await adopted.restore_row_set_aside(entry_id, values)
        todo = await adopted.get_todo(8)
        assert (done.table, done.id) == ("todo", 8)
        assert (todo.content, todo.start_time, todo.status, todo.urgency) == ("odd", NOON, 1, 2)

    async def test_what_was_changed_since_stays(self, adopted: UnifiedStorage) -> None:
        await adopted.update_todo(8, urgency=5)
        entry_id = await entry(adopted, "todo", 8, is_carried=True)
        await adopted.restore_row_set_aside(entry_id, {"start_time": NOON, "status": 0})
        assert (await adopted.get_todo(8)).urgency == 5

    async def test_a_vault_returns_to_a_folder_that_is_given(self, adopted: UnifiedStorage) -> None:
        entry_id = await entry(adopted, "vaults", 3, is_carried=True)
        with pytest.raises(InvalidInput, match="parent_id: there is no row 99 in vaults"):
            await adopted.restore_row_set_aside(entry_id)
        await adopted.restore_row_set_aside(entry_id, {"parent_id": 1})
        assert (await adopted.get_vault(3)).parent_id == 1

    async def test_a_carried_row_that_was_deleted_since_is_made_again(self, adopted: UnifiedStorage) -> None:
        await adopted.delete_todo(8)
        entry_id = await entry(adopted, "todo", 8, is_carried=True)
        await adopted.restore_row_set_aside(entry_id, {"start_time": None, "status": 0, "urgency": 0})
        assert (await adopted.get_todo(8)).content == "odd"

    async def test_two_rows_of_one_hour_cannot_both_be_there(self, adopted: UnifiedStorage) -> None:
        row = {"time_bucket": NOON, "data_type": "screenshot", "count": 5, "created_at": NOON}
        first = await set_aside(adopted, "monitoring_data_stats", {"id": 20, **row})
        await adopted.restore_row_set_aside(first)
        entry_id = await set_aside(adopted, "monitoring_data_stats", {"id": 21, **row})
        with pytest.raises(InvalidInput):
            await adopted.restore_row_set_aside(entry_id)


async def test_an_adoption_that_another_program_wrote_is_listed_beside_the_others(storage: UnifiedStorage) -> None:
    sql = "INSERT INTO adoptions (system, source, time_zone, adopted_at, report) VALUES (?, ?, ?, ?, ?)"
    rows = [
        ("minecontext", "app.db", "UTC", "yesterday", "no report"),
        (b"\xff", 5, "UTC", "2026-01-01 10:00:00", "{}"),
    ]

    def write(work: SQLiteWork) -> None:
        for row in rows:
            work.connection.execute(sql, row)

    await backend_of(storage).database.write(write)
    first, second = (await storage.get_adoptions()).adoptions
    assert (first.source, first.adopted_at) == ("app.db", UNKNOWN_TIME)
    assert (second.source, second.adopted_at) == ("5", "2026-01-01T10:00:00.000Z")
