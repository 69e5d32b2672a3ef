"""What an import adds, what it leaves alone, and what it tells."""

import asyncio
import io
import json
import threading
from hashlib import sha256
from zipfile import ZipFile

import pytest

from sidecar.errors import Conflict
from sidecar.models.transfer import ImportReport
from sidecar.storage.capabilities import RowsOf
from sidecar.storage.interfaces import Change
from sidecar.storage.unified import UnifiedStorage
from sidecar.tools.archive import line_of
from sidecar.tools.export import write_archive
from sidecar.tools.local import export_to, import_from

from .conftest import EARLY, OpenStore, archive_of, content_of, fill, write


async def test_the_report_counts_what_was_added_and_what_was_there(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    await fill(source)
    archive = await archive_of(source)
    content = await content_of(source)
    first, second = await import_from(target, archive), await import_from(target, archive)
    counts = {kind: len(rows) for kind, rows in content.items()}
    assert {kind: report.added for kind, report in first.kinds.items()} == counts
    assert {kind: report.skipped for kind, report in second.kinds.items()} == counts
    assert (first.skipped, second.added) == (0, 0)


async def test_a_dry_run_reports_the_same_and_changes_nothing(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    await fill(source)
    await target.insert_tip("mine")
    archive, before = await archive_of(source), await content_of(target)
    tried = await import_from(target, archive, dry_run=True)
    assert await content_of(target) == before
    assert tried == (await import_from(target, archive)).model_copy(update={"dry_run": True})


async def test_an_import_into_the_store_that_was_exported_changes_nothing(storage: UnifiedStorage) -> None:
    await fill(storage)
    before = await content_of(storage)
    report = await import_from(storage, await archive_of(storage))
    assert report.added == 0
    assert await content_of(storage) == before


async def test_rows_that_were_changed_since_stay_as_they_are(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    await target.insert_todo("mine")
    todo = await source.insert_todo("theirs")
    archive = await archive_of(source)
    await import_from(target, archive)
    (imported,) = [row for row in (await content_of(target))["todos"] if row["content"] == "theirs"]
    assert imported["id"] != todo.id
    await target.update_todo(imported["id"], content="theirs, and changed")
    assert (await import_from(target, archive)).added == 0
    assert (await target.get_todo(imported["id"])).content == "theirs, and changed"


async def test_activities_and_tips_that_were_changed_at_home_are_known_by_their_archive(
    storage: UnifiedStorage,
) -> None:
    activity, tip = await storage.insert_activity("a", "b"), await storage.insert_tip("c")
    archive = await archive_of(storage)
    await storage.update_activity(activity.id, title="changed", start_time=EARLY)
    await storage.update_tip(tip.id, content="changed")
    assert (await import_from(storage, archive)).added == 0


async def test_activities_and_tips_that_were_changed_at_their_origin_are_known(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    activity, tip = await source.insert_activity("a", "b"), await source.insert_tip("c")
    await import_from(target, await archive_of(source))
    await source.update_activity(activity.id, title="changed", start_time=EARLY)
    await source.update_tip(tip.id, content="changed")
    assert (await import_from(target, await archive_of(source))).added == 0


async def test_activities_of_before_are_told_apart_by_their_content(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    for content in ("first", "second"):
        await target.insert_activity(content, "")
    activity = await source.insert_activity("first", "")
    forget = "UPDATE activity SET created_at = NULL"
    await write(source, lambda work: work.connection.execute(forget).rowcount)
    assert (await import_from(target, await archive_of(source))).kinds["activities"].added == 1
    assert (await import_from(target, await archive_of(source))).kinds["activities"].added == 0
    await source.delete_activity(activity.id)
    reuse = "INSERT INTO activity (id, title) VALUES (?, 'another')"
    await write(source, lambda work: work.connection.execute(reuse, (activity.id,)).rowcount)
    assert (await import_from(target, await archive_of(source))).kinds["activities"].added == 1


async def test_an_archive_of_before_a_column_came_is_imported(storage: UnifiedStorage) -> None:
    done = await storage.insert_todo("done", end_time=EARLY, status=1)
    await storage.insert_activity("a", "")
    archive = await archive_of(storage)
    old = without_columns(archive, {"todos": {"completed_at", "end_is_completion"}, "activities": {"created_at"}})
    await storage.delete_todo(done.id)
    assert (await import_from(storage, old)).added == 1
    (todo,) = (await storage.get_todos()).items
    assert (todo.end_time, todo.completed_at) == (EARLY, EARLY)


def without_columns(archive: io.BytesIO, columns: dict[str, set[str]]) -> io.BytesIO:
    """The archive as it was when these columns did not exist."""
    old = io.BytesIO()
    with ZipFile(archive) as source, ZipFile(old, "w") as target:
        manifest = json.loads(source.read("manifest.json"))
        for name in source.namelist():
            content = source.read(name)
            left_out = columns.get(name.removesuffix(".jsonl"))
            if left_out is not None:
                rows = [json.loads(line) for line in content.splitlines()]
                kept = [{column: row[column] for column in row if column not in left_out} for row in rows]
                content = b"".join(map(line_of, kept))
                entry = manifest["files"][name.removesuffix(".jsonl")]
                entry |= {"bytes": len(content), "sha256": sha256(content).hexdigest()}
            target.writestr(name, json.dumps(manifest) if name == "manifest.json" else content)
    return old


async def test_rows_that_were_removed_since_come_back(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    todo = await source.insert_todo("theirs")
    archive = await archive_of(source)
    await import_from(target, archive)
    await target.delete_todo(todo.id)
    assert (await import_from(target, archive)).kinds["todos"].added == 1
    assert [row["content"] for row in (await content_of(target))["todos"]] == ["theirs"]


async def test_a_later_export_adds_only_what_is_new_and_it_refers_to_what_was_imported(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    await target.create_conversation("mine")
    conversation = await source.create_conversation("theirs")
    await source.create_message(conversation.id, "user", "one")
    await import_from(target, await archive_of(source))
    await source.create_message(conversation.id, "user", "two")
    report = await import_from(target, await archive_of(source))
    assert report.added == 1
    (imported,) = (await target.get_conversation_list(page_name="theirs")).items
    page = await target.get_conversation_messages(imported.id)
    assert [message.content for message in page.items] == ["one", "two"]


async def test_the_document_of_a_new_store_gives_way_unless_it_was_changed(open_store: OpenStore) -> None:
    source, new, used = await open_store("source"), await open_store("new"), await open_store("used")
    await used.update_vault(1, content="mine now")
    archive = await archive_of(source)
    await import_from(new, archive)
    await import_from(used, archive)
    assert await content_of(new) == await content_of(source)
    assert len((await used.get_vaults()).items) == 2


async def test_a_message_that_streams_is_exported_with_its_text_so_far_and_imported_as_failed(
    open_store: OpenStore,
) -> None:
    source, target = await open_store("source"), await open_store("target")
    conversation = await source.create_conversation("home")
    message = await source.create_streaming_message(conversation.id, "assistant")
    for chunk in ("so ", "far"):
        await source.append_message_content(message.id, chunk, 1)
    await import_from(target, await archive_of(source))
    imported = await target.get_message(message.id)
    assert (imported.content, imported.token_count, imported.status) == ("so far", 2, "failed")
    assert imported.error_message == "This message was still being written when it was exported."


async def test_one_notice_tells_of_an_import_that_added_something(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    await fill(source)
    archive = await archive_of(source)
    heard: list[Change] = []
    target.subscribe(heard.extend)
    await import_from(target, archive, dry_run=True)
    assert heard == []
    await import_from(target, archive)
    await import_from(target, archive)
    assert [(change.topic, change.id) for change in heard] == [("imports", "import")]
    assert (heard[0].data or {})["todos"] == 1


async def test_a_key_is_good_for_one_archive(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    await source.insert_tip("one")
    archive = await archive_of(source)
    reports: list[ImportReport] = [await import_from(target, archive, key="key") for _ in range(2)]
    assert reports[0] == reports[1]
    await source.insert_tip("two")
    other = await archive_of(source)
    with pytest.raises(Conflict):
        await import_from(target, other, key="key")


async def test_progress_counts_the_rows_of_the_whole(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    for number in range(1001):
        await source.insert_tip(f"{number}")
    reported: list[tuple[int, int | None, str]] = []
    file = io.BytesIO()
    manifest = await export_to(source, file, progress=lambda *progress: reported.append(progress))
    rows = sum(kind.count for kind in manifest.files.values())
    assert (rows - 1, rows, "exporting tips") in reported
    exported = [done for done, _, _ in reported]
    assert (exported, exported[-1]) == (sorted(exported), rows)
    reported.clear()
    await import_from(target, file, progress=lambda *progress: reported.append(progress))
    activities = dict.fromkeys(activity for done, _, activity in reported if done)
    assert [name for name in activities if "tips" in name] == ["checking tips", "importing tips"]
    imported = [done for done, _, _ in reported]
    assert imported == sorted(imported)
    assert reported[-1][:2] == (2 * rows, 2 * rows)


async def test_an_export_is_of_one_moment(open_store: OpenStore) -> None:
    source = await open_store("source")
    await source.insert_tip("before")

    reading, written = threading.Event(), threading.Event()

    def take(rows: RowsOf, _: str) -> list[str]:
        found = iter(rows("tips"))
        first = next(found)
        reading.set()
        assert written.wait(20)
        return [first["content"], *(row["content"] for row in found)]

    exporting = asyncio.create_task(source.export_rows(take))
    assert await asyncio.to_thread(reading.wait, 20)
    await source.insert_tip("meanwhile")
    written.set()
    assert await exporting == ["before"]


async def test_an_export_of_an_import_goes_home_without_a_second_copy(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    await fill(source)
    before = await content_of(source)
    await import_from(target, await archive_of(source))
    assert (await import_from(source, await archive_of(target))).added == 0
    assert await content_of(source) == before


async def test_equal_rows_stay_as_many_as_they_are(open_store: OpenStore) -> None:
    target = await open_store("target")
    await target.insert_tip("mine")
    twins = [{"id": number, "content": "twin", "created_at": EARLY} for number in range(1, 5)]
    file = io.BytesIO()
    write_archive(file, lambda kind: twins if kind == "tips" else [], "a store", "2026-01-31T09:30:00.000Z")
    assert [(await import_from(target, file)).added for _ in range(2)] == [4, 0]
    assert [row["content"] for row in (await content_of(target))["tips"]] == ["mine", *["twin"] * 4]
