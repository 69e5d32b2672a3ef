"""A store answers everything as before: after an export and an import, a backup and a restore, a close and a start."""

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from ..sampling import sampled
from .everything import Answers, assert_equal, read_everything, without
from .populated import open_message, populate, populate_exported
from .records import contents, records
from .stores import database, export, import_archive, opened, read

NOT_EXPORTED = ("contexts.", "jobs.", "monitoring.", "todos.similar", "search.hybrid", "adoption.rows")
"""Operations that read what only a backup carries as it is; ids in rows set aside follow an import."""


@pytest.mark.parametrize("is_on_disk", sampled([True, False], every=2))
async def test_an_import_into_an_empty_store_answers_everything_as_before(tmp_path: Path, is_on_disk: bool) -> None:
    async with opened(tmp_path / "source") as source:
        await populate_exported(source)
        before = await read_everything(source)
        archive = await export(source)
    async with opened(tmp_path / "target" if is_on_disk else None) as target:
        await import_archive(target, archive)
        assert_equal(without(before, NOT_EXPORTED), without(await read_everything(target), NOT_EXPORTED))


@pytest.mark.slow
async def test_importing_again_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path / "source") as source:
        await populate_exported(source)
        archive = await export(source)
    async with opened(tmp_path / "target") as target:
        await import_archive(target, archive)
        before = await read_everything(target)
        kinds = await import_archive(target, archive)
        assert {kind: report["added"] for kind, report in kinds.items() if report["added"]} == {}
        assert_equal(before, await read_everything(target))


@pytest.mark.slow
async def test_importing_into_the_store_itself_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await populate(store)
        before = await read_everything(store)
        await import_archive(store, await export(store))
        assert_equal(before, await read_everything(store))


@pytest.mark.slow
async def test_an_import_beside_other_rows_answers_the_contents_of_both(tmp_path: Path) -> None:
    async with opened(tmp_path / "source") as source:
        await populate_exported(source)
        archive, imported = await export(source), contents(records(await read_everything(source)))
    async with opened(tmp_path / "target") as target:
        await _add_other_rows(target)
        others = contents(records(await read_everything(target)))
        await import_archive(target, archive)
        found = contents(records(await read_everything(target)))
    both = {model: sorted(others.get(model, []) + imported.get(model, [])) for model in others.keys() | imported.keys()}
    assert found == both


async def test_a_message_that_was_growing_is_imported_as_failed_with_all_it_had(tmp_path: Path) -> None:
    async with opened(tmp_path / "source") as source:
        message_id = await open_message(source)
        before = await read_everything(source)
        archive = await export(source)
    async with opened(tmp_path / "target") as target:
        await import_archive(target, archive)
        _assert_failed_with_all_it_had(before, await read_everything(target), message_id)


async def test_a_restored_backup_answers_everything_as_before(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await populate(store)
        before = _without_jobs(await read_everything(store))
        backup = (await store.post("/backups", json={})).raise_for_status().json()
        await _change_everything(store)
        (await store.post(f"/backups/{backup['name']}/restore")).raise_for_status()
        assert_equal(before, _without_jobs(await read_everything(store)))


def _without_jobs(answers: Answers) -> Answers:
    """Backups and restores are jobs themselves."""
    return {line: answer for line, answer in answers.items() if not line.startswith("GET /jobs")}


async def test_a_row_without_a_place_is_set_aside_once(tmp_path: Path) -> None:
    async with opened(tmp_path / "exported") as store:
        with closing(sqlite3.connect(database(tmp_path / "exported"), isolation_level=None)) as connection:
            connection.execute("INSERT INTO messages (conversation_id, role, status) VALUES (99, 'user', 'completed')")
        archive = await export(store)
    async with opened(tmp_path / "imported") as store:
        first, second = await import_archive(store, archive), await import_archive(store, archive)
        assert [(kinds["messages"]["set_aside"], kinds["messages"]["skipped"]) for kinds in (first, second)] == [
            (1, 0),
            (0, 1),
        ]
        assert len((await store.get("/adoption/rows")).json()["items"]) == 1


async def test_a_row_set_aside_that_another_program_wrote_is_exported_and_imported(tmp_path: Path) -> None:
    async with opened(tmp_path / "exported") as store:
        with closing(sqlite3.connect(database(tmp_path / "exported"), isolation_level=None)) as connection:
            connection.execute(
                "INSERT INTO adopted_orphans (table_name, row, reason, is_carried, created_at) "
                "VALUES ('todo', '{}', 'mine', 0, CURRENT_TIMESTAMP), ('todo', 'no json', x'ff', 'maybe', 'yesterday')"
            )
        before = (await store.get("/adoption/rows")).json()["items"]
        archive = await export(store)
    async with opened(tmp_path / "imported") as store:
        assert (await import_archive(store, archive))["set_aside"]["added"] == 2
        after = (await store.get("/adoption/rows")).json()["items"]
    assert [row["reason"] for row in after[:2]] == [row["reason"] for row in before]
    assert [row["created_at"] for row in after[:2]] == [row["created_at"] for row in before]


async def test_a_store_that_is_opened_again_answers_everything_as_before(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await populate(store)
        before = await read_everything(store)
    assert_equal(before, await read(tmp_path))


@pytest.mark.slow
async def test_a_message_that_was_growing_at_the_end_has_failed_with_all_it_had(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await populate(store)
        message_id = await open_message(store)
        before = await read_everything(store)
    _assert_failed_with_all_it_had(before, await read(tmp_path), message_id)


def _assert_failed_with_all_it_had(before: Answers, after: Answers, message_id: int) -> None:
    """All records are equal but for the message's end, and the time at which its conversation changed."""
    old, new = records(before), records(after)
    new.pop("Job")  # of the import
    growing, ended = old["Message"].pop(message_id), new["Message"].pop(message_id)
    may_change = {"status", "error_message", "completed_at", "latency_ms", "updated_at", "next_sequence"}
    assert {name: value for name, value in growing.items() if name not in may_change} == {
        name: value for name, value in ended.items() if name not in may_change
    }
    assert (growing["status"], ended["status"], ended["content"]) == ("streaming", "failed", "one two 日本")
    assert ended["error_message"]
    conversation_id = growing["conversation_id"]
    old["Conversation"].pop(conversation_id)
    new["Conversation"].pop(conversation_id)
    assert old == new


async def _add_other_rows(client: httpx.AsyncClient) -> None:
    """Some that take ids which rows of an archive have, and so must make room."""
    (await client.post("/vaults", json={"title": "Other", "is_folder": True})).raise_for_status()
    (await client.post("/todos", json={"content": "other"})).raise_for_status()
    (await client.post("/tips", json={"content": "other"})).raise_for_status()
    conversation = (await client.post("/conversations", json={"page_name": "other"})).raise_for_status().json()
    message = {"role": "user", "content": "other"}
    path = f"/conversations/{conversation['id']}/messages"
    (await client.post(path, json=message)).raise_for_status()
    times = {"start_time": "2026-01-31T09:30:00.000Z", "end_time": "2026-01-31T09:30:00.000Z"}
    (await client.post("/activities", json={"title": "other", "content": "", **times})).raise_for_status()
    (await client.put("/states/other", json={"messages": []})).raise_for_status()
    (await client.post("/states/other/exchanges", json={"model": "m", "request": "other"})).raise_for_status()


async def _change_everything(client: httpx.AsyncClient) -> None:
    """Remove, change and add rows."""
    await populate(client)
    for path in ("/vaults/1/permanent", "/conversations/1/permanent", "/states/thread-1/permanent", "/todos/1"):
        (await client.delete(path)).raise_for_status()
    (await client.patch("/todos/2", json={"content": "changed"})).raise_for_status()
