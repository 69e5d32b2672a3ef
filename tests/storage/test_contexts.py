"""Processed contexts as rows: stored whole, replaced, listed, counted, removed."""

import math
from typing import Any

import pytest

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.contexts import ContextType, ProcessedContextInput
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.interfaces import Change
from sidecar.storage.unified import UnifiedStorage
from tests.storage.conftest import clock_moved_on
from tests.vectors.contexts import context

from ..support import backend_of

EARLY, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T17:00:00.000Z"

WHOLE: dict[str, Any] = {
    "id": "whole",
    "extracted_data": {
        "context_type": "intent",
        "title": "Buy bread",
        "summary": "For breakfast",
        "keywords": ["bread", "パン"],
        "entities": ["Ada", {"name": "bakery"}],
        "confidence": 0.75,
        "importance": 3.0,
    },
    "properties": {
        "create_time": EARLY,
        "event_time": LATE,
        "update_time": LATE,
        "call_count": 1,
        "merge_count": 2,
        "duration_count": 3,
        "source": "screen",
        "raw_type": "picture",
        "raw_id": "p1",
    },
    "text": "long \x00 text",
    "vector": [0.5, -0.25],
    "metadata": {"nested": {"null": None}},
}


async def test_a_context_is_read_back_whole(storage: UnifiedStorage) -> None:
    assert await storage.upsert_processed_context(ProcessedContextInput.model_validate(WHOLE)) == "whole"
    read = await storage.get_processed_context("whole", "intent")
    assert read.model_dump() == {**WHOLE, "invalid": ()}
    without = await storage.get_processed_context("whole", need_vector=False)
    assert without.model_dump() == WHOLE | {"vector": None, "invalid": ()}


async def test_what_is_left_out_is_made(storage: UnifiedStorage) -> None:
    first = await storage.upsert_processed_context(context(None, 1, 0))
    assert first != await storage.upsert_processed_context(context(None, 1, 0))
    read = await storage.get_processed_context(first)
    assert read.properties.create_time == read.properties.event_time == read.properties.update_time
    assert (read.extracted_data.keywords, read.text, read.metadata) == ([], "", {})


async def test_an_upsert_takes_the_place_of_its_id_and_keeps_when_that_was_made(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("one", 1, 0, text="old", metadata={"a": 1}))
    made = await storage.get_processed_context("one")
    await clock_moved_on()
    await storage.upsert_processed_context(context("one", 0, 1, kind="state", text="new"))
    now = await storage.get_processed_context("one")
    assert (now.text, now.vector, now.metadata, now.extracted_data.context_type) == ("new", [0, 1], {}, "state")
    assert now.properties.create_time == made.properties.create_time < now.properties.update_time
    assert sum((await storage.get_all_processed_context_counts()).values()) == 1


async def test_a_batch_is_stored_in_order(storage: UnifiedStorage) -> None:
    ids = await storage.batch_upsert_processed_context([context(f"c{n}", 1, n) for n in (3, 1, 2)])
    assert ids == ["c3", "c1", "c2"]


async def test_a_batch_with_one_that_does_not_fit_stores_nothing(storage: UnifiedStorage) -> None:
    with pytest.raises(Conflict, match="'knowledge' have 2 dimensions"):
        await storage.batch_upsert_processed_context([context("one", 1, 2), context("two", 1, 2, 3)])
    with pytest.raises(InvalidInput, match=r"contexts\.1\.vector"):
        await storage.batch_upsert_processed_context([context("one", 1, 2), context("two", 0, 0)])
    assert await storage.get_processed_context_count("knowledge") == 0


@pytest.mark.parametrize("count", [0, 1_001])
async def test_a_batch_is_bounded(storage: UnifiedStorage, count: int) -> None:
    with pytest.raises(InvalidInput, match="contexts"):
        await storage.batch_upsert_processed_context([context(None, 1)] * count)


async def test_the_first_vector_of_a_type_fixes_dimension_and_model(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("one", 1, 0, model="small"))
    with pytest.raises(Conflict, match="2 dimensions"):
        await storage.upsert_processed_context(context("two", 1, 0, 0, model="small"))
    with pytest.raises(Conflict, match=r"'small'.*'large'"):
        await storage.upsert_processed_context(context("two", 1, 0, model="large"))
    await storage.upsert_processed_context(context("two", 1, 0))
    await storage.upsert_processed_context(context("three", 1, 0, 0, kind="state", model="large"))


async def test_a_type_that_was_emptied_begins_again(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("one", 1, 0, model="small"))
    await storage.upsert_processed_context(context("one", 1, 0, 0, model="large"))
    await storage.delete_processed_context("one")
    await storage.upsert_processed_context(context("two", 1))
    assert [found.id for found, _ in await storage.search([1])] == ["two"]


@pytest.mark.parametrize("vector", [[0.0], [math.nan], [math.inf, 1.0], [1e39]])
async def test_vectors_that_have_no_direction_are_refused(storage: UnifiedStorage, vector: list[float]) -> None:
    with pytest.raises(InvalidInput, match="vector"):
        await storage.upsert_processed_context(context("one", *vector))


async def test_a_context_that_is_not_there_or_of_another_type_is_not_found(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("one", 1))
    for wrong in (("none", None), ("one", "state")):
        with pytest.raises(NotFound):
            await storage.get_processed_context(*wrong)
        with pytest.raises(NotFound):
            await storage.delete_processed_context(*wrong)
    with pytest.raises(InvalidInput, match="context_type"):
        await storage.get_processed_context("one", "mood")
    await storage.delete_processed_context("one", "knowledge")
    with pytest.raises(NotFound):
        await storage.get_processed_context("one")


async def test_a_repeated_upsert_with_its_key_makes_one_context(storage: UnifiedStorage) -> None:
    key, batch_key = IdempotencyKey("key-1"), IdempotencyKey("key-2")
    ids = {await storage.upsert_processed_context(context(None, 1), key=key) for _ in range(2)}
    batches = [await storage.batch_upsert_processed_context([context(None, 1)] * 2, key=batch_key) for _ in range(2)]
    assert len(ids) == 1
    assert batches[0] == batches[1]
    assert await storage.get_processed_context_count("knowledge") == 3


async def test_contexts_are_listed_by_type_the_newest_first(storage: UnifiedStorage) -> None:
    def at(time: str) -> dict[str, str]:
        return {"create_time": time}

    await storage.upsert_processed_context(context("late", 1, properties=at(LATE)))
    await storage.upsert_processed_context(context("early", 1, properties=at(EARLY)))
    await storage.upsert_processed_context(context("other", 1, kind="state"))
    lists = await storage.get_all_processed_contexts()
    assert list(lists) == list(ContextType)
    ids = {kind: [item.id for item in page.items] for kind, page in lists.items() if page.items}
    assert ids == {"knowledge": ["late", "early"], "state": ["other"]}
    assert all(item.vector is None for page in lists.values() for item in page.items)
    only = await storage.get_all_processed_contexts(["state"], need_vector=True)
    assert [item.vector for item in only[ContextType.STATE].items] == [[1.0]]


async def test_a_cursor_leads_through_one_type(storage: UnifiedStorage) -> None:
    await storage.batch_upsert_processed_context([context(f"c{n}", 1, metadata={"even": n % 2 == 0}) for n in range(9)])
    seen: list[str] = []
    cursor = None
    while True:
        lists = await storage.get_all_processed_contexts(
            ["knowledge"], limit=2, filter={"metadata.even": True}, cursor=cursor, with_total=True
        )
        page = lists[ContextType.KNOWLEDGE]
        assert page.total == 5
        seen += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["c8", "c6", "c4", "c2", "c0"]
    with pytest.raises(InvalidInput, match="cursor"):
        await storage.get_all_processed_contexts(cursor="x")


async def test_contexts_are_counted_by_type(storage: UnifiedStorage) -> None:
    await storage.batch_upsert_processed_context([context(None, 1), context(None, 1), context(None, 1, kind="state")])
    counts = await storage.get_all_processed_context_counts()
    assert list(counts) == await storage.get_available_context_types() == list(ContextType)
    assert (counts[ContextType.KNOWLEDGE], counts[ContextType.STATE], counts[ContextType.ENTITY]) == (2, 1, 0)
    assert await storage.get_processed_context_count("knowledge") == 2


async def test_every_change_is_told_once_to_subscribers(storage: UnifiedStorage) -> None:
    told: list[Change] = []
    storage.subscribe(told.extend)
    await storage.batch_upsert_processed_context([context("one", 1), context("two", 1)])
    await storage.delete_processed_context("one")
    assert [(change.topic, change.id) for change in told] == [("contexts", id_) for id_ in ("one", "two", "one")]


async def test_a_context_is_found_by_word_until_it_is_removed(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(ProcessedContextInput.model_validate(WHOLE))
    for word in ("bread", "breakfast", "long", "パン"):
        (document,) = (await storage.query(word)).documents
        assert document.metadata["context_id"] == "whole"
    await storage.upsert_processed_context(context("whole", 0.5, -0.25, kind="intent", text="rolls"))
    assert (await storage.query("bread")).documents == []
    (document,) = (await storage.query("rolls")).documents
    await storage.delete_document(document.id)
    assert (await storage.query("rolls")).documents == []
    assert await storage.search([0.5, -0.25]) == []


async def test_contexts_are_deleted_together_with_their_vectors(storage: UnifiedStorage) -> None:
    await storage.batch_upsert_processed_context([context(name, 1, 0) for name in ("a", "b", "c")])
    changes: list[Change] = []
    storage.subscribe(changes.extend)
    assert await storage.delete_contexts(["a", "c", "a"]) == 2
    assert [change.id for change in changes] == ["a", "c"]
    assert await storage.get_processed_context_count("knowledge") == 1
    sql = "SELECT count(*) FROM context_vectors"
    assert await backend_of(storage).database.read(lambda connection: tuple(connection.execute(sql).fetchone())) == (1,)


async def test_of_contexts_of_which_one_is_missing_none_is_deleted(storage: UnifiedStorage) -> None:
    await storage.batch_upsert_processed_context([context("a", 1, 0), context("b", 1, 0, kind="state")])
    with pytest.raises(NotFound, match=r"ids\.1: .*'gone'"):
        await storage.delete_contexts(["a", "gone"])
    with pytest.raises(NotFound, match=r"ids\.1: .*type 'knowledge'"):
        await storage.delete_contexts(["a", "b"], "knowledge")
    assert (await storage.get_processed_context("a")).id == "a"
    assert await storage.delete_contexts(["b"], "state") == 1


@pytest.mark.parametrize("ids", [[], ["x"] * 1_001, [""]])
async def test_the_contexts_to_delete_are_bounded(storage: UnifiedStorage, ids: list[str]) -> None:
    with pytest.raises(InvalidInput, match="ids"):
        await storage.delete_contexts(ids)


async def test_a_repeated_deletion_with_its_key_is_done_once(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("a", 1, 0))
    for _ in range(2):
        assert await storage.delete_contexts(["a"], key=IdempotencyKey("twice")) == 1


async def test_each_type_of_context_has_a_collection_and_todos_have_one(storage: UnifiedStorage) -> None:
    names = await storage.get_collection_names()
    assert names == [*ContextType, "todo"]
    await storage.upsert_processed_context(context("a", 1, 0))
    todo = await storage.insert_todo("word")
    await storage.upsert_todo_embedding(todo.id, embedding=[1.0, 0.0])
    sql = "SELECT name FROM vector_collections"
    used = await backend_of(storage).database.read(lambda connection: {name for (name,) in connection.execute(sql)})
    assert used == {"knowledge", "todo"}
    assert used <= {*names}
