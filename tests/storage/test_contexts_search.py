"""Search by meaning: what is nearest, what filters let through, and that it is always as the last commit left it."""

import asyncio
import random
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from sidecar.config import Settings
from sidecar.errors import Conflict, InvalidInput, NotAvailable, StorageError
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.resources import processed_contexts
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.unified import UnifiedStorage, configured_backends
from sidecar.storage.vectors import index as index_module
from sidecar.storage.vectors.cache import MOST_NOTES, ROWS_AT_ONCE, VectorCache
from tests.vectors.contexts import context, cosine

from ..support import backend_of

EARLY, NOON, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T12:00:00.000Z", "2026-01-31T17:00:00.000Z"


T = TypeVar("T")


async def found(storage: UnifiedStorage, *query: float, **more: object) -> list[str]:
    return [hit.id for hit, _ in await storage.search(query, **more)]  # type: ignore[arg-type]


async def test_the_nearest_come_first_with_their_cosine(storage: UnifiedStorage) -> None:
    vectors = {"same": (2, 2), "right": (1, 0), "opposite": (-1, -1)}
    await storage.batch_upsert_processed_context([context(name, *vector) for name, vector in vectors.items()])
    hits = await storage.search([1, 1], top_k=3)
    assert [hit.id for hit, _ in hits] == ["same", "right", "opposite"]
    assert [score for _, score in hits] == pytest.approx([1, 0.5**0.5, -1])
    assert hits[0][0] == await storage.get_processed_context("same", need_vector=False)
    assert await found(storage, 1, 1, top_k=1) == ["same"]


async def test_a_store_without_contexts_finds_nothing(storage: UnifiedStorage) -> None:
    assert await storage.search([1, 2, 3]) == []


async def test_the_nearest_ten_of_a_thousand_are_exactly_those(storage: UnifiedStorage) -> None:
    source = random.Random(1)
    vectors = {f"c{n}": [source.gauss() for _ in range(32)] for n in range(1_000)}
    await storage.batch_upsert_processed_context([context(name, *vector) for name, vector in vectors.items()])
    for _ in range(10):
        query = [source.gauss() for _ in range(32)]
        expected = sorted(vectors, key=lambda name: -cosine(vectors[name], query))[:10]
        assert await found(storage, *query) == expected


async def test_only_the_types_that_are_asked_for_are_searched(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("knowledge", 1, 0))
    await storage.upsert_processed_context(context("state", 0, 1, kind="state"))
    assert await found(storage, 1, 0) == ["knowledge", "state"]
    assert await found(storage, 1, 0, context_types=["state", "state"]) == ["state"]
    with pytest.raises(InvalidInput, match="context_types"):
        await found(storage, 1, 0, context_types=["mood"])


async def test_a_query_of_another_dimension_is_a_conflict_where_there_are_vectors(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("knowledge", 1, 0))
    with pytest.raises(Conflict, match="'knowledge' have 2 dimensions, and the query has 3"):
        await found(storage, 1, 0, 0)
    assert await found(storage, 1, 0, 0, context_types=["state"]) == []


@pytest.mark.parametrize("query", [[], [0.0, 0.0], [float("nan"), 1.0]])
async def test_a_query_without_direction_is_refused(storage: UnifiedStorage, query: list[float]) -> None:
    with pytest.raises(InvalidInput, match="query"):
        await storage.search(query)


@pytest.mark.parametrize("top_k", [0, 1_001])
async def test_how_many_are_asked_for_is_bounded(storage: UnifiedStorage, top_k: int) -> None:
    with pytest.raises(InvalidInput, match="top_k"):
        await storage.search([1.0], top_k=top_k)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["a", "b"]),
        ({"source": "screen"}, ["a"]),
        ({"source": ["screen", "mail"]}, ["a", "b"]),
        ({"source": "screen", "raw_type": "none"}, []),
        ({"call_count": 2}, ["b"]),
        ({"keywords": "bread"}, ["a"]),
        ({"keywords": ["milk", "x"]}, ["b"]),
        ({"entities": "Ada"}, ["b"]),
        ({'metadata.it\'s "x".y': 1}, ["a"]),
        ({"metadata.flag": True}, ["b"]),
        ({"metadata.none": "x"}, []),
        ({"create_time": {"from": NOON}}, ["b"]),
        ({"create_time": {"before": NOON}}, ["a"]),
        ({"create_time": {"from": "2026-01-31T10:30:00+01:00", "before": NOON}}, ["a"]),
        ({"event_time": {"from": NOON}}, ["a"]),
    ],
)
async def test_filters_let_through_what_fulfils_all(
    storage: UnifiedStorage, filters: dict[str, object], expected: list[str]
) -> None:
    a = context(
        "a",
        1,
        0,
        extracted_data={"keywords": ["bread"]},
        properties={"source": "screen", "create_time": EARLY, "event_time": LATE},
        metadata={'it\'s "x".y': 1},
    )
    b = context(
        "b",
        1,
        0.1,
        extracted_data={"keywords": ["milk", "tea"], "entities": ["Ada"]},
        properties={"source": "mail", "create_time": LATE, "event_time": EARLY, "call_count": 2},
        metadata={"flag": True},
    )
    await storage.batch_upsert_processed_context([a, b])
    assert await found(storage, 1, 0, filters=filters) == expected
    lists = await storage.get_all_processed_contexts(["knowledge"], filter=filters)
    assert sorted(item.id for page in lists.values() for item in page.items) == expected


@pytest.mark.parametrize(
    "filters",
    [
        {"mood": "good"},
        {"metadata.": 1},
        {"source": None},
        {"source": []},
        {"source": {"from": EARLY}},
        {"source": [["screen"]]},
        {"call_count": 2**70},
        {"create_time": EARLY},
        {"create_time": {}},
        {"create_time": {"from": "yesterday"}},
        {"create_time": {"from": 5}},
        {"create_time": {"since": EARLY}},
    ],
)
async def test_what_is_no_filter_is_refused_and_named(storage: UnifiedStorage, filters: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=rf"^filters\.{next(iter(filters))}"):
        await found(storage, 1, filters=filters)


async def test_a_filter_reaches_beyond_the_short_list_to_the_farthest(storage: UnifiedStorage) -> None:
    many = ROWS_AT_ONCE + 200
    for start in range(0, many, 600):
        await storage.batch_upsert_processed_context(
            [context(f"c{n}", 1, n / many, metadata={"n": n}) for n in range(start, min(start + 600, many))]
        )
    assert await found(storage, 1, 0, filters={"metadata.n": [many - 1, 700]}) == ["c700", f"c{many - 1}"]
    assert await found(storage, 1, 0, filters={"metadata.n": -1}) == []


async def test_what_was_committed_is_found_at_once(storage: UnifiedStorage) -> None:
    assert await found(storage, 1, 0) == []
    await storage.upsert_processed_context(context("a", 1, 0))
    assert await found(storage, 1, 0) == ["a"]
    await storage.batch_upsert_processed_context([context("b", 1, 0.5), context("a", 0, 1)])
    assert await found(storage, 1, 0) == ["b", "a"]
    await storage.upsert_processed_context(context("b", 1, 0.5, kind="state"))
    assert await found(storage, 1, 0, context_types=["knowledge"]) == ["a"]
    assert await found(storage, 1, 0, context_types=["state"]) == ["b"]
    await storage.delete_processed_context("a")
    assert await found(storage, 1, 0) == ["b"]


async def test_a_write_that_failed_leaves_the_search_as_it_was(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("a", 1, 0))
    assert await found(storage, 1, 0) == ["a"]
    with pytest.raises(Conflict):
        await storage.batch_upsert_processed_context([context("b", 1, 0), context("c", 1, 0, 0)])
    assert await found(storage, 1, 0) == ["a"]


async def test_a_write_whose_caller_was_cancelled_is_found_if_it_was_made(storage: UnifiedStorage) -> None:
    await found(storage, 1, 0)
    for number in range(20):
        writing = asyncio.create_task(storage.upsert_processed_context(context(f"c{number}", 1, number)))
        for _ in range(number % 4):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await storage.upsert_processed_context(context("last", 1, 0))
    lists = await storage.get_all_processed_contexts()
    stored = {item.id for page in lists.values() for item in page.items}
    assert set(await found(storage, 1, 0, top_k=100)) == stored


async def test_a_cancelled_search_leaves_the_next_one_whole(storage: UnifiedStorage) -> None:
    await storage.batch_upsert_processed_context([context(f"c{n}", 1, n) for n in range(50)])
    for steps in range(8):
        searching = asyncio.create_task(storage.search([1, 0]))
        for _ in range(steps):
            await asyncio.sleep(0)
        searching.cancel()
        await asyncio.gather(searching, return_exceptions=True)
        await storage.upsert_processed_context(context(f"d{steps}", 1, steps))
    assert len(await found(storage, 1, 0, top_k=100)) == 58


async def report_too_many_changes(storage: UnifiedStorage) -> None:
    """Commit a unit of work that reports more changes than a cache notes."""

    def report(work: SQLiteWork) -> None:
        for number in range(MOST_NOTES + 1):
            work.changed(processed_contexts.TOPIC, number, {"number": number})

    await backend_of(storage).database.write(report)


async def test_too_many_changes_are_read_anew(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("a", 1, 0))
    assert await found(storage, 1, 0) == ["a"]
    await storage.batch_upsert_processed_context([context(f"c{n}", 0, 1) for n in range(20)])
    await report_too_many_changes(storage)
    assert (await storage.health())["contexts.vectors"].measures["loaded"] == 0
    assert len(await found(storage, 1, 0, top_k=100)) == 21


@pytest.mark.parametrize("are_too_many", [False, True])
async def test_writes_while_a_collection_is_loaded_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, are_too_many: bool
) -> None:
    storage = UnifiedStorage.create(configured_backends(Settings(), tmp_path))
    await storage.initialize()
    await storage.upsert_processed_context(context("before", 1, 0))
    assert await found(storage, 1, 0, context_types=["state"]) == []
    read, go_on = asyncio.Event(), threading.Event()
    loop, read_isolated = asyncio.get_running_loop(), Database.read_isolated

    async def read_and_wait(database: Database, query: Callable[[sqlite3.Connection], T]) -> T:
        def query_and_wait(connection: sqlite3.Connection) -> T:
            result = query(connection)
            loop.call_soon_threadsafe(read.set)
            assert go_on.wait(10)
            return result

        return await read_isolated(database, query_and_wait)

    monkeypatch.setattr(Database, "read_isolated", read_and_wait)
    loading = asyncio.create_task(found(storage, 1, 0, context_types=["knowledge"]))
    await read.wait()
    await storage.batch_upsert_processed_context([context(name, 1, 1) for name in ("one", "two", "three")])
    if are_too_many:
        await report_too_many_changes(storage)
    else:
        assert await found(storage, 1, 0, context_types=["state"]) == []
    go_on.set()
    assert await loading == ["before", "one", "two", "three"]
    await storage.close()


async def test_changes_that_could_not_be_read_are_read_by_the_next_search(
    storage: UnifiedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await found(storage, 1, 0) == []
    await storage.upsert_processed_context(context("a", 1, 0))

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(VectorCache, "_read_again", fail)
        with pytest.raises(StorageError):
            await found(storage, 1, 0)
    assert await found(storage, 1, 0) == ["a"]


async def test_searches_and_writes_at_the_same_time_end_with_the_truth(storage: UnifiedStorage) -> None:
    async def write(name: str) -> None:
        for number in range(15):
            await storage.upsert_processed_context(context(f"{name}{number}", 1, number))
            assert f"{name}{number}" in await found(storage, 1, number, top_k=1_000)
            if number % 3 == 0:
                await storage.delete_processed_context(f"{name}{number}")

    await asyncio.gather(*(write(name) for name in "abcd"))
    assert len(await found(storage, 1, 0, top_k=1_000)) == 40


async def test_after_the_store_was_replaced_everything_is_read_anew(tmp_path: Path) -> None:
    async with UnifiedStorage.create(configured_backends(Settings(), tmp_path)) as storage:
        await storage.upsert_processed_context(context("a", 1, 0))
        backup = await storage.create_backup()
        await storage.upsert_processed_context(context("b", 1, 0))
        assert await found(storage, 1, 0) == ["a", "b"]
        await storage.restore_backup(backup.name)
        assert (await storage.health())["contexts.vectors"].measures["loaded"] == 0
        assert await found(storage, 1, 0) == ["a"]


async def test_what_was_stored_is_found_after_opening_again(tmp_path: Path) -> None:
    for expected in ([], ["a"]):
        storage = UnifiedStorage.create(configured_backends(Settings(), tmp_path))
        await storage.initialize()
        assert await found(storage, 1, 0) == expected
        await storage.upsert_processed_context(context("a", 1, 0), key=IdempotencyKey("a"))
        await storage.close()


async def test_without_the_extra_everything_but_search_works(
    storage: UnifiedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    index_module.libraries.cache_clear()
    await storage.upsert_processed_context(context("a", 1, 0))
    assert (await storage.get_processed_context("a")).vector == [1, 0]
    with pytest.raises(NotAvailable, match=r"electron-sidecar\[vectors\]"):
        await found(storage, 1, 0)
