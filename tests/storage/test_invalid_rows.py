"""Invalid rows: a row with values that cannot be read takes no other with it, is reported, and can be repaired."""

import json
import sqlite3
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sidecar.config import DatabaseSettings
from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.storage.resources.rows.columns import UNKNOWN_TIME
from sidecar.storage.sqlite.schema import guards
from sidecar.storage.unified import UnifiedStorage, document_backend

Write = Callable[..., None]


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    """An open storage in a file."""
    opened = UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)])
    await opened.initialize()
    yield opened
    await opened.close()


@pytest.fixture
def write(storage: UnifiedStorage, tmp_path: Path) -> Write:
    """Another program that writes to the same file, past the guards."""

    def run(*statements: str) -> None:
        with closing(sqlite3.connect(tmp_path / "sidecar.db", isolation_level=None)) as connection:
            removed = guards.remove(connection)
            for statement in statements:
                connection.execute(statement)
            guards.add_again(connection, removed)

    return run


def stored(tmp_path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        return connection.execute(sql).fetchall()


ODD_TODO = "INSERT INTO todo (id, content, status, urgency, created_at) VALUES (7, x'ff', 2, 'high', 'yesterday')"
LATIN_1 = "INSERT INTO todo (id, content) VALUES (8, CAST(x'4dfc6c6c6572' AS TEXT))"


async def test_a_list_holds_the_row_with_safe_values_and_names_what_cannot_be_read(
    storage: UnifiedStorage, write: Write
) -> None:
    await storage.insert_todo("good")
    write(ODD_TODO, LATIN_1)
    items = {todo.id: todo for todo in (await storage.get_todos()).items}
    assert items.keys() == {1, 7, 8}
    assert items[1].invalid == ()
    odd = items[7]
    assert (odd.content, odd.status, odd.urgency, odd.created_at) == ("�", 0, 0, UNKNOWN_TIME)
    assert odd.invalid == ("content", "created_at", "status", "urgency")
    assert (items[8].content, items[8].invalid) == ("M�ller", ("content",))
    assert await storage.get_todo(7) == odd


async def test_pages_go_on_behind_a_row_whose_place_is_no_time(storage: UnifiedStorage, write: Write) -> None:
    write(*(f"INSERT INTO todo (content, created_at) VALUES ('{n}', '{'no time ' * 50}')" for n in range(3)))
    first = await storage.get_todos(limit=2)
    second = await storage.get_todos(limit=2, cursor=first.next_cursor)
    assert sorted(todo.id for todo in [*first.items, *second.items]) == [1, 2, 3]


async def test_a_conversation_shows_every_message(storage: UnifiedStorage, write: Write) -> None:
    conversation = await storage.create_conversation("home")
    good = await storage.create_message(conversation.id, "user", "good")
    write(
        "INSERT INTO messages (id, conversation_id, role, content, status, metadata, created_at) "
        "VALUES (20, 1, 'narrator', x'ff', 'open', '{oops', 'yesterday')",
        "INSERT INTO messages (id, conversation_id, role, content, metadata) VALUES (21, 1, 'user', 'a list', '[1]')",
        "INSERT INTO message_thinking (message_id, content, progress, created_at) VALUES (1, 'hm', 7, 'yesterday')",
    )
    page = await storage.get_conversation_messages(conversation.id)
    assert [message.id for message in page.items] == [good.id, 20, 21]
    odd = page.items[1]
    assert (odd.role, odd.status, odd.content, odd.metadata) == ("assistant", "completed", "�", {"value": "{oops"})
    assert odd.invalid == ("content", "created_at", "metadata", "role", "status")
    assert page.items[2].invalid == ("metadata",)
    assert page.items[0].thinking[0].invalid == ("created_at", "progress")
    assert await storage.get_message(20) == odd


async def test_an_open_message_of_another_program_is_finished_at_the_start(tmp_path: Path) -> None:
    async with UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)]) as storage:
        await storage.create_conversation("home")
    with closing(sqlite3.connect(tmp_path / "sidecar.db", isolation_level=None)) as connection:
        removed = guards.remove(connection)
        connection.execute(
            "INSERT INTO messages (conversation_id, role, content, status, created_at) "
            "VALUES (1, 'assistant', CAST(x'4dfc' AS TEXT), 'streaming', CURRENT_TIMESTAMP)"
        )
        guards.add_again(connection, removed)
    async with UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)]) as storage:
        message = await storage.get_message(1)
        assert (message.status, message.content) == ("failed", "M�")
        (original,) = (await storage.get_rows_set_aside()).items
        assert original.is_carried
        assert original.row["content"] == {"base64": "Tfw="}


async def test_states_threads_and_exchanges_are_read(storage: UnifiedStorage, write: Write) -> None:
    write(
        "INSERT INTO chats (id, metadata, updated_at) VALUES ('t', 'oops', 'yesterday')",
        "INSERT INTO chat_histories (chat_id, messages, cache_info) VALUES ('t', 'oops', '[1]')",
        "INSERT INTO exchanges (chat_id, model, request, cost) VALUES ('t', 'm', 'r', '{\"total\": 2}')",
        "INSERT INTO exchanges (chat_id, model, request, cost, start) VALUES ('t', 'm', x'ff', 'oops', 'yesterday')",
    )
    (thread,) = (await storage.get_threads()).items
    assert (thread.metadata, thread.invalid) == ({"value": "oops"}, ("metadata", "updated_at"))
    state = await storage.get_conversation_state("t")
    assert (state.messages, state.cache_info) == (["oops"], {"value": [1]})
    assert state.invalid == ("cache_info", "messages")
    exchanges = (await storage.get_exchanges("t")).items
    assert [exchange.invalid for exchange in exchanges] == [(), ("cost", "request", "start")]
    assert (await storage.get_thread_cost("t")).cost == {"total": 2}


async def test_a_search_finds_and_shows_the_row(storage: UnifiedStorage, write: Write) -> None:
    write("INSERT INTO activity (title, content, metadata, start_time) VALUES ('walrus', '', '{oops', 'yesterday')")
    (hit,) = (await storage.search_documents("walrus")).items
    assert hit.time == UNKNOWN_TIME
    document = await storage.get_document(hit.id)
    assert (document.metadata["metadata"], document.invalid) == ({"value": "{oops"}, ("metadata", "start_time"))


async def test_a_message_of_no_conversation_is_read_and_changed(storage: UnifiedStorage, write: Write) -> None:
    write("INSERT INTO messages (id, conversation_id, role, status) VALUES (5, 'chat', 'user', 'completed')")
    message = await storage.get_message(5)
    assert (message.conversation_id, message.invalid) == (0, ("conversation_id",))
    changed = await storage.update_message_metadata(5, {"a": 1})
    assert (changed.metadata, changed.invalid) == ({"a": 1}, ("conversation_id",))


async def test_the_rest_of_an_invalid_row_can_be_changed(storage: UnifiedStorage, write: Write) -> None:
    write(
        "INSERT INTO todo (id, content, created_at, urgency) VALUES (7, 'odd', 'yesterday', 'high')",
        "INSERT INTO conversations (id, page_name) VALUES (1, 'home')",
        "INSERT INTO messages (id, conversation_id, role, status, created_at, token_count) "
        "VALUES (5, 1, 'assistant', 'streaming', 'yesterday', -1)",
    )
    todo = await storage.update_todo_status(7, 1, "2026-01-31T09:30:00.000Z")
    assert (todo.end_time, todo.invalid) == ("2026-01-31T09:30:00.000Z", ("created_at", "urgency"))
    todo = await storage.update_todo(7, urgency=3)
    assert (todo.urgency, todo.invalid) == (3, ("created_at",))
    message = await storage.mark_message_finished(5)
    assert (message.status, message.invalid) == ("completed", ("created_at",))


async def test_a_start_finishes_an_open_message_whose_time_cannot_be_read(
    storage: UnifiedStorage, write: Write
) -> None:
    conversation = await storage.create_conversation("home")
    write(
        "INSERT INTO messages (id, conversation_id, role, status, created_at) "
        f"VALUES (5, {conversation.id}, 'assistant', 'streaming', 'yesterday')"
    )
    await storage.close()
    await storage.initialize()
    message = await storage.get_message(5)
    assert (message.status, message.invalid) == ("failed", ("created_at",))


@pytest.mark.parametrize("hour", ["x'e280a6'", "CAST(x'e4' AS TEXT)", "strftime('%Y-%m-%dT%H') || CAST(x'e4' AS TEXT)"])
async def test_the_trend_counts_on_beside_an_hour_that_is_no_text(
    storage: UnifiedStorage, write: Write, hour: str
) -> None:
    write(f"INSERT INTO monitoring_data_stats (time_bucket, data_type) VALUES ({hour}, 'odd')")
    await storage.query_monitoring_data_stats_trend(24)
    await storage.save_monitoring_data_stats("good", 3)
    trend = await storage.query_monitoring_data_stats_trend(24)
    assert {data.data_type: data.count for interval in trend.intervals for data in interval.data}["good"] == 3


async def test_invalid_rows_are_listed_as_they_are_stored(storage: UnifiedStorage, write: Write) -> None:
    await storage.insert_todo("good")
    write(ODD_TODO)
    page = await storage.get_invalid_rows()
    assert page.next_cursor is None
    (row,) = page.items
    assert (row.table, row.id, row.invalid) == ("todo", 7, ("content", "created_at", "status", "urgency"))
    assert row.row["content"] == {"base64": "/w=="}
    assert (row.row["status"], row.row["urgency"], row.row["created_at"]) == (2, "high", "yesterday")


async def test_a_cursor_goes_on_behind_the_last_row_of_a_page(storage: UnifiedStorage, write: Write) -> None:
    write(*(f"INSERT INTO tips (id, content, created_at) VALUES ({n}, 'x', 'never')" for n in (1, 2, 3)), ODD_TODO)
    found, cursor = [], None
    while True:
        page = await storage.get_invalid_rows(limit=2, cursor=cursor)
        found += [(row.table, row.id) for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [("todo", 7), ("tips", 1), ("tips", 2), ("tips", 3)]
    assert [row.id for row in (await storage.get_invalid_rows(table="tips")).items] == [1, 2, 3]


async def test_vaults_that_lie_in_one_another_are_listed_and_taken_apart(storage: UnifiedStorage, write: Write) -> None:
    write(
        "INSERT INTO vaults (id, title, is_folder, parent_id) VALUES (10, 'a', 1, 12), (11, 'b', 1, 10)",
        "INSERT INTO vaults (id, title, is_folder, parent_id) VALUES (12, 'c', 1, 11)",
        "INSERT INTO vaults (id, title, parent_id) VALUES (13, 'inside', 12)",
    )
    (row,) = (await storage.get_invalid_rows()).items
    assert (row.id, row.invalid) == (10, ("parent_id",))
    assert (await storage.repair_invalid_rows()).repaired == 1
    assert (await storage.get_vault(10)).parent_id is None
    assert (await storage.get_invalid_rows()).items == []


async def test_health_and_doctor_report_them(storage: UnifiedStorage, write: Write) -> None:
    assert (await storage.health())["invalid_rows"].detail is None
    write(ODD_TODO)
    component = (await storage.health())["invalid_rows"]
    assert component.ok
    assert component.detail == (
        "Rows have values that cannot be read: 1 of todo. List them (GET /invalid-rows), then repair them."
    )
    assert component.measures == {"rows": 1.0}
    assert any(
        finding.subject == "invalid rows" and "1 of todo" in finding.message
        for finding in await storage.examine_database()
    )


async def test_a_repair_stores_the_safe_values_and_keeps_the_original(
    storage: UnifiedStorage, write: Write, tmp_path: Path
) -> None:
    write(ODD_TODO)
    before = await storage.get_todo(7)
    assert (await storage.repair_invalid_rows(table="todo", id=7)).repaired == 1
    assert await storage.get_todo(7) == before.model_copy(update={"invalid": ()})
    assert stored(tmp_path, "SELECT status, urgency FROM todo WHERE id = 7") == [(0, 0)]
    (original,) = (await storage.get_rows_set_aside()).items
    assert (original.origin, original.is_carried, original.row["urgency"]) == ("repair", True, "high")
    assert (await storage.health())["invalid_rows"].measures == {"rows": 0.0}


async def test_a_row_can_be_set_aside_and_brought_back(storage: UnifiedStorage, write: Write) -> None:
    write(ODD_TODO)
    assert (await storage.repair_invalid_rows("set_aside")).set_aside == 1
    with pytest.raises(NotFound):
        await storage.get_todo(7)
    (original,) = (await storage.get_rows_set_aside()).items
    values = {"content": "x", "status": 1, "urgency": 3, "created_at": "2026-01-31T09:30:00Z"}
    restored = await storage.restore_row_set_aside(original.id, values)
    assert (restored.table, restored.id) == ("todo", 7)
    assert (await storage.get_todo(7)).urgency == 3


async def test_bringing_back_the_original_of_a_repair_names_what_does_not_fit_and_keeps_it(
    storage: UnifiedStorage, write: Write
) -> None:
    write(ODD_TODO)
    await storage.repair_invalid_rows()
    (original,) = (await storage.get_rows_set_aside()).items
    with pytest.raises(InvalidInput) as refusal:
        await storage.restore_row_set_aside(original.id)
    assert {error.field for error in refusal.value.errors} == {"content", "status", "urgency", "created_at"}
    assert (await storage.get_rows_set_aside()).items == [original]
    await storage.update_todo(7, urgency=5)
    await storage.restore_row_set_aside(original.id, {"content": "x", "status": 1, "created_at": UNKNOWN_TIME})
    todo = await storage.get_todo(7)
    assert (todo.content, todo.status, todo.urgency) == ("x", 1, 5)
    assert (await storage.get_rows_set_aside()).items == []


async def test_a_folder_that_opens_a_circle_is_found_once_whatever_else_is_wrong_with_it(
    storage: UnifiedStorage, write: Write, tmp_path: Path
) -> None:
    values = "(id, title, content, is_folder, created_at)"
    write(
        f"INSERT INTO vaults {values} VALUES (101, '', '', 1, 'yesterday'), (102, '', '', 1, 'yesterday')",
        "UPDATE vaults SET parent_id = 203 - id WHERE id > 100",
    )
    assert [(row.id, row.invalid) for row in (await storage.get_invalid_rows()).items] == [
        (102, ("created_at",)),
        (101, ("created_at", "parent_id")),
    ]
    assert (await storage.repair_invalid_rows()).repaired == 2
    assert stored(tmp_path, "SELECT id, parent_id FROM vaults WHERE id > 100") == [(101, None), (102, 101)]
    assert [row.row["id"] for row in (await storage.get_rows_set_aside()).items] == [102, 101]


async def test_a_row_that_others_belong_to_is_not_set_aside(storage: UnifiedStorage, write: Write) -> None:
    conversation = await storage.create_conversation("home")
    await storage.create_message(conversation.id, "user", "hello")
    write("UPDATE conversations SET status = 'open'")
    with pytest.raises(Conflict, match="repair it instead"):
        await storage.repair_invalid_rows("set_aside")
    assert (await storage.get_conversation(conversation.id)).invalid == ("status",)


async def test_what_is_asked_for_must_exist(storage: UnifiedStorage) -> None:
    with pytest.raises(InvalidInput, match="table"):
        await storage.get_invalid_rows(table="sqlite_schema")
    with pytest.raises(InvalidInput, match="cursor"):
        await storage.get_invalid_rows(cursor="nonsense")
    with pytest.raises(InvalidInput, match="table"):
        await storage.repair_invalid_rows(id=1)
    with pytest.raises(NotFound):
        await storage.repair_invalid_rows(table="todo", id=1)


async def test_what_was_appended_and_cannot_be_read_is_set_aside_as_it_is_stored(
    storage: UnifiedStorage, write: Write, tmp_path: Path
) -> None:
    conversation = await storage.create_conversation("home")
    message = await storage.create_streaming_message(conversation.id, "assistant")
    await storage.append_message_content(message.id, "begun ", 2)
    write(
        f"INSERT INTO message_chunks (message_id, sequence, content, token_count) "
        f"VALUES ({message.id}, 1, CAST(x'e4' AS TEXT), 'many')"
    )
    finished = await storage.mark_message_finished(message.id)
    assert (finished.content, finished.token_count, finished.invalid) == ("begun �", 2, ())
    (row,) = stored(tmp_path, "SELECT row FROM adopted_orphans WHERE table_name = 'messages'")
    assert json.loads(row[0])["content"] == {"base64": b64encode(b"begun \xe4").decode()}
    assert json.loads(row[0])["token_count"] == "0 + 2 + many"
