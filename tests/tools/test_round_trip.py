"""Whatever a store holds, comes back equal from its export."""

import asyncio
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.config import DatabaseSettings
from sidecar.models import timestamps
from sidecar.models.messages import MAX_COST, MAX_TOKENS, MessageStatus, Role
from sidecar.storage.capabilities import OwnRows, StoreRows
from sidecar.storage.resources.lines import LINES
from sidecar.storage.sqlite.transfer.kinds import KINDS
from sidecar.storage.unified import UnifiedStorage, document_backend
from sidecar.tools.archive import Archive, verified_rows
from sidecar.tools.archive_limits import ArchiveLimits
from sidecar.tools.export import write_archive
from sidecar.tools.local import import_from

from ..sampling import IS_FULL
from .conftest import Content, OpenStore, archive_of, content_of, fill

EXAMPLES = settings(max_examples=60 if IS_FULL else 20, deadline=None)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
optional_texts = st.none() | texts
times = st.datetimes(timezones=st.just(timestamps.parse("2026-01-01T00:00Z").tzinfo or None)).map(timestamps.render)
optional_times = st.none() | times
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
json_objects = st.none() | st.dictionaries(texts, json_values, max_size=3)
integers = st.integers(-(2**63) + 1, 2**63 - 1)
counts = st.integers(0, 2**63 - 1)


def some(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """A few rows, with ids in order and gaps between them."""
    rows = st.lists(st.tuples(st.integers(1, 9), st.fixed_dictionaries(columns)), max_size=4)

    def numbered(drawn: Sequence[tuple[int, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        row_id = 0
        found = []
        for gap, row in drawn:
            row_id += gap
            found.append({"id": row_id, **row})
        return found

    return rows.map(numbered)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Rows of all kinds that refer to one another as they may."""
    content: Content = {kind: [] for kind in LINES}
    content["vaults"] = draw(
        some(
            title=texts,
            summary=optional_texts,
            content=texts,
            tags=texts,
            is_folder=st.booleans(),
            is_deleted=st.booleans(),
            created_at=times,
            updated_at=times,
            document_type=texts,
            sort_order=integers,
        )
    )
    # Each lies in one that comes before it in a drawn order, so that there is no circle.
    order = draw(st.permutations([vault["id"] for vault in content["vaults"]]))
    for vault in content["vaults"]:
        before = order[: order.index(vault["id"])]
        vault["parent_id"] = draw(st.none() | st.sampled_from(before)) if before else None
        vault["deleted_with"] = draw(st.sampled_from(order)) if vault["is_deleted"] else None
    content["todos"] = draw(
        some(
            content=texts,
            created_at=times,
            start_time=optional_times,
            end_time=optional_times,
            status=st.sampled_from([0, 1]),
            urgency=integers,
            assignee=optional_texts,
            reason=optional_texts,
            completed_at=optional_times,
            end_is_completion=st.sampled_from([0, 1]),
        )
    )
    content["activities"] = draw(
        some(
            title=texts,
            content=texts,
            resources=json_values,
            metadata=json_objects,
            start_time=times,
            end_time=times,
            created_at=optional_times,
        )
    )
    content["tips"] = draw(some(content=texts, created_at=times))
    statuses = st.sampled_from(["active", "archived", "deleted"])
    content["conversations"] = draw(
        some(
            title=optional_texts,
            user_id=optional_texts,
            page_name=texts,
            status=statuses,
            metadata=json_objects,
            created_at=times,
            updated_at=times,
            restored_status=st.none() | statuses,
            source=optional_texts,
            external_id=optional_texts,
            folder=optional_texts,
            tags=texts,
            is_pinned=st.booleans(),
        )
    )
    _make_unique(content["conversations"], "source")
    if content["conversations"]:
        content["messages"] = draw(_messages([row["id"] for row in content["conversations"]]))
    if content["messages"]:
        content["thinking"] = draw(
            some(
                message_id=st.sampled_from([row["id"] for row in content["messages"]]),
                content=texts,
                stage=optional_texts,
                progress=st.floats(0, 1),
                sequence=counts,
                metadata=json_objects,
                created_at=times,
            )
        )
    threads = sorted(draw(st.sets(texts.filter(bool), max_size=3)))
    for thread in threads:
        row = st.fixed_dictionaries(
            {
                "initial_request": optional_texts,
                "project_root": optional_texts,
                "current_issue": optional_texts,
                "metadata": json_objects,
                "created_at": times,
                "updated_at": times,
            }
        )
        content["threads"].append({"id": thread, **draw(row)})
        if draw(st.booleans()):
            state = st.fixed_dictionaries(
                {
                    "messages": st.lists(json_values, max_size=3),
                    "cache_info": st.dictionaries(texts, json_values, max_size=3),
                    "updated_at": times,
                }
            )
            content["states"].append({"chat_id": thread, **draw(state)})
    if threads:
        rows = draw(
            some(
                chat_id=st.sampled_from(threads),
                model=texts,
                request=texts,
                cost=st.dictionaries(texts, json_values, max_size=3),
                start=times,
                end=optional_times,
            )
        )
        content["exchanges"] = [{"exchange_id": row.pop("id"), **row} for row in rows]
    return content


@st.composite
def _messages(draw: st.DrawFn, conversations: list[int]) -> list[dict[str, Any]]:
    finished = [status for status in MessageStatus if status is not MessageStatus.STREAMING]
    messages = draw(
        some(
            conversation_id=st.sampled_from(conversations),
            role=st.sampled_from([role.value for role in Role]),
            content=texts,
            status=st.sampled_from([status.value for status in finished]),
            token_count=counts,
            metadata=json_objects,
            latency_ms=st.none() | integers,
            error_message=optional_texts,
            completed_at=optional_times,
            created_at=times,
            updated_at=times,
            external_id=optional_texts,
            parts=st.none() | st.lists(json_values, max_size=3),
            model=optional_texts,
            prompt_tokens=st.none() | st.integers(0, MAX_TOKENS),
            completion_tokens=st.none() | st.integers(0, MAX_TOKENS),
            cost=st.none() | st.floats(0, MAX_COST),
        )
    )
    _make_unique(messages, "conversation_id")
    for message in messages:
        home = message["conversation_id"]
        others = [other["id"] for other in messages if other["conversation_id"] == home and other is not message]
        message["parent_message_id"] = draw(st.sampled_from([None, *others]))
    return messages


def _make_unique(rows: list[dict[str, Any]], home: str) -> None:
    """Remove the external id of a row if another of its home has it."""
    seen: set[tuple[Any, Any]] = set()
    for row in rows:
        if (row[home], row["external_id"]) in seen:
            row["external_id"] = None
        seen.add((row[home], row["external_id"]))


async def in_memory() -> UnifiedStorage:
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(enabled=False), Path())])
    await storage.initialize()
    return storage


def archived(content: Content) -> io.BytesIO:
    file = io.BytesIO()
    write_archive(file, lambda kind: content[kind], "another store", "2026-01-31T09:30:00.000Z")
    return file


def by_position(content: Content) -> Content:
    """The content with every key replaced by its row's place, so that two stores with other ids can be compared."""
    places = {
        kind.name: {row[kind.key]: place for place, row in enumerate(content[kind.name])}
        for kind in KINDS
        if not kind.has_text_key
    }
    placed: Content = {}
    for kind in KINDS:
        names = {reference.column: reference.kind for reference in kind.references} | {kind.key: kind.name}
        placed[kind.name] = [
            {
                column: places[names[column]].get(value) if names.get(column) in places else value
                for column, value in row.items()
            }
            for row in content[kind.name]
        ]
    return placed


@EXAMPLES
@given(contents())
def test_an_import_into_an_empty_store_gives_an_equal_store(content: Content) -> None:
    async def run() -> None:
        storage = await in_memory()
        try:
            await import_from(storage, archived(content))
            found = await content_of(storage)
            if not content["vaults"]:  # then the new store keeps the document that it began with
                found["vaults"] = []
            assert found == content
        finally:
            await storage.close()

    asyncio.run(run())


@EXAMPLES
@given(contents())
def test_rows_are_the_same_with_an_archive_and_without_one(content: Content) -> None:
    of_archive = Archive.verify(archived(content)).rows()
    of_store = verified_rows(StoreRows(lambda kind: content[kind], OwnRows(), lambda: sum(map(len, content.values()))))
    assert {kind: list(of_store(kind)) for kind in LINES} == {kind: list(of_archive(kind)) for kind in LINES}


@EXAMPLES
@given(contents())
def test_an_import_into_a_store_with_other_rows_adds_equal_rows_and_references(content: Content) -> None:
    async def run() -> None:
        storage = await in_memory()
        try:
            await fill(storage)
            before = await content_of(storage)
            await import_from(storage, archived(content))
            after = await content_of(storage)
            # Threads keep their names, so what is new need not come last.
            new = {kind: [row for row in rows if row not in before[kind]] for kind, rows in after.items()}
            assert all(row in after[kind] for kind, rows in before.items() for row in rows)
            assert by_position(new) == by_position(content)
            report = await import_from(storage, archived(content))
            assert report.added == 0
            assert await content_of(storage) == after
        finally:
            await storage.close()

    asyncio.run(run())


async def test_a_filled_store_and_its_copy_export_equal_rows(open_store: OpenStore) -> None:
    source, copy = await open_store("source"), await open_store("copy")
    await fill(source)
    content = await content_of(source)
    assert all(content.values())
    await import_from(copy, await archive_of(source))
    assert await content_of(copy) == content


async def test_absent_json_stays_absent_in_a_row_that_is_read_column_by_column(open_store: OpenStore) -> None:
    store = await open_store("copy")
    times = dict.fromkeys(("start_time", "end_time"), "2026-01-31T12:00:00.000Z")
    activity = {
        "id": 3,
        "title": "",
        "content": "",
        "resources": [1e200],
        "metadata": None,
        **times,
        "created_at": None,
    }
    await import_from(store, archived({kind.name: [] for kind in KINDS} | {"activities": [activity]}))
    assert (await content_of(store))["activities"] == [activity]


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_message_larger_than_any_request_comes_back(open_store: OpenStore) -> None:
    source, copy = await open_store("source"), await open_store("copy")
    conversation = await source.create_conversation("home")
    message = await source.create_streaming_message(conversation.id, "assistant")
    for _ in range(5):  # 65 MiB, of which a line of JSON is twice as long
        await source.append_message_content(message.id, '"' * (13 << 20))
    await source.mark_message_finished(message.id)
    await import_from(copy, await archive_of(source))
    (imported,) = (await copy.get_conversation_messages(conversation.id)).items
    assert len(imported.content) == 65 << 20
    assert imported.content.count('"') == 65 << 20


@pytest.mark.parametrize("limits", [ArchiveLimits(unsuspicious_line=10_000), ArchiveLimits(unsuspicious=100_000)])
async def test_rows_that_compress_too_well_are_no_bomb(open_store: OpenStore, limits: ArchiveLimits) -> None:
    source = await open_store("source")
    await source.insert_tip("\0" * 1_000_000)
    exported = await archive_of(source, limits=limits)
    target = await open_store("target")
    await import_from(target, exported, limits=limits)
    assert await content_of(target) == await content_of(source)
