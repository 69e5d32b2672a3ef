"""Search by word and by meaning at once."""

from math import isclose

import pytest

from sidecar.errors import Conflict, NotAvailable
from sidecar.models.contexts import ContextType, ExtractedData, ProcessedContextInput
from sidecar.models.search import HybridHit, HybridPage
from sidecar.storage.hybrid import fuse
from sidecar.storage.unified import UnifiedStorage

EAST, NORTH_EAST, NORTH = [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]


def context(title: str, vector: list[float]) -> ProcessedContextInput:
    extracted = ExtractedData(context_type=ContextType.SEMANTIC, title=title)
    return ProcessedContextInput(id=title, extracted_data=extracted, vector=vector)


def by_title(page: HybridPage) -> dict[str, HybridHit]:
    return {"".join(part.text for part in (*hit.title, *hit.snippet)): hit for hit in page.items}


def test_what_both_rankings_have_comes_before_what_leads_one() -> None:
    fused = fuse(["a", "b"], ["c", "b"])
    assert [found.id for found in fused] == ["b", "a", "c"]
    assert isclose(fused[0].score, 1 / 62 + 1 / 62)
    assert fused[1] == ("a", 1 / 61, 1, None)
    assert fused[2] == ("c", 1 / 61, None, 1)


def test_nothing_found_is_nothing_fused() -> None:
    assert fuse([], []) == []


async def test_each_hit_says_which_search_found_it(storage: UnifiedStorage) -> None:
    await storage.batch_upsert_processed_context([context("walrus", NORTH_EAST), context("otter", EAST)])
    await storage.insert_tip("a walrus")
    page = await storage.search_hybrid("walrus", EAST)
    hits = by_title(page)
    assert page.items[0].id == hits["walrus"].id
    assert (hits["walrus"].word_rank is not None, hits["walrus"].meaning_rank) == (True, 2)
    assert (hits["otter"].word_rank, hits["otter"].meaning_rank) == (None, 1)
    assert (hits["a walrus"].meaning_rank, hits["a walrus"].similarity) == (None, None)
    assert isclose(hits["walrus"].similarity or 0, 0.5**0.5, abs_tol=1e-6)


async def test_todos_are_found_by_what_they_mean(storage: UnifiedStorage) -> None:
    todo = await storage.insert_todo("call the dentist")
    await storage.upsert_todo_embedding(todo.id, embedding=NORTH)
    (hit,) = (await storage.search_hybrid("tooth", NORTH)).items
    assert (hit.id, hit.word_rank, hit.meaning_rank) == (f"todo:{todo.id}", None, 1)


async def test_only_kinds_that_are_asked_for_are_found(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("walrus", EAST))
    tip = await storage.insert_tip("walrus")
    page = await storage.search_hybrid("walrus", EAST, kinds=["tip"])
    assert [hit.id for hit in page.items] == [f"tip:{tip.id}"]


async def test_a_vector_of_another_dimension_is_refused(storage: UnifiedStorage) -> None:
    await storage.upsert_processed_context(context("walrus", EAST))
    with pytest.raises(Conflict):
        await storage.search_hybrid("walrus", [1.0, 0.0, 0.0])


async def test_without_a_vector_or_an_endpoint_it_is_not_available(storage: UnifiedStorage) -> None:
    with pytest.raises(NotAvailable, match="endpoint"):
        await storage.search_hybrid("walrus")
