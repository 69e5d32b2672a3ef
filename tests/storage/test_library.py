"""The library without a server: how it is opened and closed, its parameters, and times as objects."""

import asyncio
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from sidecar.config import DatabaseSettings
from sidecar.errors import BadConfiguration, Conflict, InvalidInput, StorageClosed
from sidecar.models.todos import TodoCreate
from sidecar.storage.arguments import UNSET
from sidecar.storage.resources.todos import TODOS
from sidecar.storage.unified import UnifiedStorage, document_backend

from ..support import backend_of

MOMENT = datetime(2026, 1, 31, 10, 30, 0, 123_456, timezone(timedelta(hours=1)))
STORED = "2026-01-31T09:30:00.123Z"
LONGEST_END_S = 20


def created(directory: Path, *, is_enabled: bool = True) -> UnifiedStorage:
    return UnifiedStorage.create([document_backend(DatabaseSettings(enabled=is_enabled), directory)])


async def test_async_with_opens_and_closes(tmp_path: Path) -> None:
    async with created(tmp_path) as storage:
        await storage.insert_tip("stretch")
    with pytest.raises(StorageClosed):
        await storage.get_tips()


async def test_async_with_closes_after_an_error_and_raises_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with created(tmp_path) as storage:
            1 / 0  # noqa: B018 - the error of a caller
    with pytest.raises(StorageClosed):
        await storage.get_tips()


async def test_opening_what_is_open_does_nothing(storage: UnifiedStorage) -> None:
    await storage.insert_tip("stretch")
    await asyncio.gather(storage.initialize(), storage.initialize())
    assert [tip.content for tip in (await storage.get_tips()).items] == ["stretch"]


async def test_opening_twice_at_once_opens_once(tmp_path: Path) -> None:
    storage = created(tmp_path)
    await asyncio.gather(storage.initialize(), storage.initialize())
    await storage.insert_tip("stretch")
    await storage.close()


async def test_what_could_not_be_opened_can_be_tried_again(tmp_path: Path) -> None:
    blocked = tmp_path / "sidecar.db"
    blocked.mkdir()
    storage = created(tmp_path)
    with pytest.raises(BadConfiguration):
        await storage.initialize()
    blocked.rmdir()
    await storage.initialize()
    await storage.insert_tip("stretch")
    await storage.close()


async def test_what_was_closed_can_be_opened_again(tmp_path: Path) -> None:
    storage = created(tmp_path)
    for count in (1, 2):
        async with storage:
            await storage.insert_tip("stretch")
            assert len((await storage.get_tips()).items) == count
        await storage.close()


@pytest.mark.parametrize("wait", ["", "await asyncio.sleep(0.01)"], ids=["nothing runs", "a commit runs"])
def test_a_program_that_raises_without_closing_ends(tmp_path: Path, wait: str) -> None:
    program = f"""
        import asyncio
        from pathlib import Path
        from sidecar.config import DatabaseSettings
        from sidecar.storage.unified import UnifiedStorage, document_backend

        async def main():
            storage = UnifiedStorage.create([document_backend(DatabaseSettings(), Path({str(tmp_path)!r}))])
            await storage.initialize()
            await storage.insert_tip("kept")
            left = [asyncio.create_task(storage.insert_tip("x" * 1000)) for _ in range(1000)]
            {wait}
            raise ValueError("the caller's own")

        asyncio.run(main())
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=LONGEST_END_S
    )
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith("ValueError: the caller's own")
    assert "thread" not in ended.stderr
    assert not (tmp_path / "sidecar.db-wal").exists(), "the last connection to close empties the log"

    async def tips() -> list[str]:
        async with created(tmp_path) as storage:
            return [tip.content for tip in (await storage.get_tips(limit=1000)).items]

    assert "kept" in asyncio.run(tips())


async def test_the_seeds_positional_arguments_mean_what_they_mean_there(storage: UnifiedStorage) -> None:
    kept = await storage.insert_vaults("kept", "", "text", "DailyReport")
    gone = await storage.insert_vaults("gone", "", "text", "DailyReport")
    await storage.update_vault(gone.id, "gone", "text", "", "", True)
    changed = await storage.update_vault(kept.id, "title", "content", "summary", "tags")
    assert (changed.title, changed.content, changed.summary, changed.tags) == ("title", "content", "summary", "tags")
    assert [vault.id for vault in (await storage.get_reports(50)).items] == [kept.id]
    assert [vault.id for vault in (await storage.get_reports(50, 0, True)).items] == [gone.id]
    conversation = await storage.create_conversation("home")
    archived = await storage.update_conversation(conversation.id, "title", "archived")
    assert (archived.title, archived.status) == ("title", "archived")


async def test_an_update_leaves_what_is_not_given_and_empties_what_is_none(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x", assignee="ada", reason="why")
    changed = await storage.update_todo(todo.id, reason=None, content=UNSET)
    assert (changed.content, changed.assignee, changed.reason) == ("x", "ada", None)


async def test_an_update_of_nothing_changes_nothing(storage: UnifiedStorage) -> None:
    vault = await storage.insert_vaults("x")
    assert await storage.update_vault(vault.id) == vault


async def test_a_name_that_no_parameter_has_is_a_type_error(storage: UnifiedStorage) -> None:
    vault = await storage.insert_vaults("x")
    for name in ("title = 'y', content", "created_at", "parent_id", "is_folder", "id"):
        with pytest.raises(TypeError):
            await storage.update_vault(vault.id, **{name: 1})  # type: ignore[arg-type]
    assert await storage.get_vault(vault.id) == vault


async def test_arguments_are_counted_as_python_does(storage: UnifiedStorage) -> None:
    with pytest.raises(TypeError):
        await storage.insert_tip("x", None, "y")  # type: ignore[call-arg, arg-type]
    with pytest.raises(TypeError):
        await storage.insert_tip("x", content="y")  # type: ignore[misc]
    with pytest.raises(TypeError):
        await storage.insert_tip()  # type: ignore[call-arg]


async def test_a_table_makes_no_statement_of_a_name_that_is_no_column(storage: UnifiedStorage) -> None:
    database = backend_of(storage).database
    with pytest.raises(ValueError, match="no column content = 1"):
        await database.write(lambda work: TODOS.update(work, 1, {"content = 1": "x"}))
    with pytest.raises(ValueError, match="no column colour"):
        await database.write(lambda work: TODOS.insert(work, {"content": "x", "colour": "red"}))


async def test_a_deleted_vault_is_restored_and_changed_in_one_update(storage: UnifiedStorage) -> None:
    vault = await storage.insert_vaults("x")
    await storage.update_vault(vault.id, is_deleted=True)
    with pytest.raises(Conflict):
        await storage.update_vault(vault.id, title="y")
    restored = await storage.update_vault(vault.id, title="y", is_deleted=False)
    assert (restored.title, restored.is_deleted) == ("y", False)


async def test_a_time_may_be_an_object(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("x", start_time=MOMENT)
    assert todo.start_time == STORED
    assert (await storage.update_todo(todo.id, end_time=MOMENT + timedelta(seconds=1))).end_time is not None
    assert (await storage.update_todo_status(todo.id, 1, MOMENT)).completed_at == STORED
    (row_id,) = await storage.batch_insert_todos([TodoCreate(content="y", end_time=MOMENT)])
    assert (await storage.get_todo(row_id)).end_time == STORED
    activity = await storage.insert_activity("x", "", start_time=MOMENT, end_time=MOMENT)
    assert (activity.start_time, activity.end_time) == (STORED, STORED)
    exchange = await storage.add_exchange("thread", "model", "hello", start=MOMENT, end=MOMENT)
    assert (exchange.start, exchange.end) == (STORED, STORED)


async def test_a_filter_by_time_may_be_an_object(storage: UnifiedStorage) -> None:
    before, after = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    await storage.insert_todo("walrus")
    await storage.insert_tip("walrus")
    vault = await storage.insert_vaults("walrus")
    assert len((await storage.get_todos(created_after=before, created_before=after)).items) == 1
    assert (await storage.get_todos(end_time=before)).items == []
    assert (await storage.get_tips(start_time=after)).items == []
    assert vault.id in [each.id for each in (await storage.get_vaults(created_after=before)).items]
    assert (await storage.search_documents("walrus", filters={"since": after})).items == []
    assert (await storage.search_documents("walrus", filters={"before": after})).total == 3
    assert (await storage.query_monitoring_data_stats_by_range(before, after)).items == []


async def test_a_time_without_an_offset_is_refused_as_text_and_as_object(storage: UnifiedStorage) -> None:
    messages = set()
    for moment in ("2026-01-31T09:30:00", datetime(2026, 1, 31, 9, 30)):  # noqa: DTZ001 - the naive one is the subject
        with pytest.raises(InvalidInput) as refused:
            await storage.insert_todo("x", start_time=moment)
        assert [error.field for error in refused.value.errors] == ["start_time"]
        messages.add(refused.value.message)
    assert len(messages) == 1
