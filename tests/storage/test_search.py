"""Documents by word: what is found, in what order, with which filters, and how it is shown."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.search import SearchHit, TextFragment
from sidecar.storage.capabilities import ISearch, SearchFilters
from sidecar.storage.sqlite.search import ranking as search_ranking
from sidecar.storage.sqlite.search.kinds import SEARCH_KINDS
from sidecar.storage.sqlite.search.query import parse
from sidecar.storage.sqlite.search.ranking import Wanted
from sidecar.storage.sqlite.search.store import MOST_LOOKED_AT, SearchDocuments
from sidecar.storage.unified import UnifiedStorage

from ..support import backend_of

EARLY, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T17:00:00.000Z"


async def found(search: ISearch, query: str, **filters: Any) -> list[str]:
    """The ids of the hits, the best first."""
    page = await search.search_documents(query, filters=SearchFilters(**filters))  # type: ignore[typeddict-item]
    assert page.total == len(page.items)
    return [hit.id for hit in page.items]


async def only_hit(storage: UnifiedStorage, query: str) -> SearchHit:
    (hit,) = (await storage.search_documents(query)).items
    return hit


def shown(parts: Sequence[TextFragment]) -> str:
    return "".join(f"[{part.text}]" if part.match else part.text for part in parts)


async def one_of_each_kind(storage: UnifiedStorage) -> list[str]:
    """A document of each kind that has the word `walrus`."""
    vault = await storage.insert_vaults("On the walrus")
    todo = await storage.insert_todo("feed it", reason="the walrus is hungry")
    activity = await storage.insert_activity("Zoo", "Saw a walrus", start_time=EARLY, end_time=LATE)
    tip = await storage.insert_tip("Look at a walrus now and then")
    conversation = await storage.create_conversation("home", title="The walrus and I")
    message = await storage.create_message(conversation.id, "user", "I am the walrus")
    return [
        f"vault:{vault.id}",
        f"todo:{todo.id}",
        f"activity:{activity.id}",
        f"tip:{tip.id}",
        f"message:{message.id}",
        f"conversation:{conversation.id}",
    ]


async def test_every_kind_is_found(storage: UnifiedStorage) -> None:
    ids = await one_of_each_kind(storage)
    assert sorted(await found(storage, "walrus")) == sorted(ids)


async def test_a_search_can_be_for_some_kinds_only(storage: UnifiedStorage) -> None:
    ids = await one_of_each_kind(storage)
    assert await found(storage, "walrus", kinds=["tip"]) == [ids[3]]
    assert sorted(await found(storage, "wal", kinds=["conversation", "vault"])) == sorted([ids[5], ids[0]])
    assert await found(storage, "walrus", kinds=[]) == []
    with pytest.raises(InvalidInput, match="kinds"):
        await found(storage, "walrus", kinds=["fish"])


async def test_all_words_have_to_be_there(storage: UnifiedStorage) -> None:
    both = await storage.insert_tip("drink water and stretch")
    await storage.insert_tip("drink tea")
    assert await found(storage, "stretch drink") == [f"tip:{both.id}"]


async def test_the_last_word_may_be_incomplete(storage: UnifiedStorage) -> None:
    tip = f"tip:{(await storage.insert_tip('stretch your shoulders')).id}"
    assert await found(storage, "stretch shou") == [tip]
    assert await found(storage, "st", kinds=["tip"]) == [tip]
    assert await found(storage, "stretch s") == [tip]
    for query in ("shou stretch", "shou ", '"shou"'):
        assert await found(storage, query) == []


async def test_a_single_letter_is_a_whole_word(storage: UnifiedStorage) -> None:
    tip = await storage.insert_tip("Vitamin C")
    await storage.insert_tip("Citrus fruit")
    assert await found(storage, "c", kinds=["tip"]) == [f"tip:{tip.id}"]


async def test_case_and_accents_do_not_matter(storage: UnifiedStorage) -> None:
    tip = f"tip:{(await storage.insert_tip('Ein CAFÉ au lait')).id}"
    for query in ("cafe ", "Café ", "cafe\u0301 "):
        assert await found(storage, query) == [tip]


async def test_phrases_are_words_in_their_order(storage: UnifiedStorage) -> None:
    tip = await storage.insert_tip("to be or not to be")
    assert await found(storage, '"or not"') == [f"tip:{tip.id}"]
    assert await found(storage, '"not or"') == []


async def test_excluded_words_must_not_be_there(storage: UnifiedStorage) -> None:
    tea, coffee = await storage.insert_tip("green tea"), await storage.insert_tip("green coffee")
    assert await found(storage, "green -coffee") == [f"tip:{tea.id}"]
    assert await found(storage, '-"green tea" green') == [f"tip:{coffee.id}"]
    assert await found(storage, "-coffee") == []


@pytest.mark.parametrize(
    "query", ["机器", "器", "学习", "Python", "日本", "テスト", "컴포넌트", "포", "react", "机器学习", "React컴포"]
)
async def test_chinese_japanese_and_korean_are_found_by_any_of_their_characters(
    storage: UnifiedStorage, query: str
) -> None:
    vault = await storage.insert_vaults("React컴포넌트", content="我喜欢机器学习和Python编程。日本語テスト")
    assert await found(storage, query) == [f"vault:{vault.id}"]


async def test_characters_that_are_apart_are_no_word(storage: UnifiedStorage) -> None:
    await storage.insert_tip("机床和武器")
    assert await found(storage, "机器") == []


@pytest.mark.parametrize("length", [63, 64, 65, 4095, 4096, 4097, 262_143, 262_144])
async def test_characters_are_set_apart_wherever_they_are_in_a_text(storage: UnifiedStorage, length: int) -> None:
    tip = await storage.insert_tip("é" * length + "机器" + "a" * 10)
    assert await found(storage, "机器") == [f"tip:{tip.id}"]
    assert await found(storage, "器机") == []


@pytest.mark.parametrize(
    "query", ["", " ", "...", '"', "-", "🦭", "\x00", "\u0301", "NEAR(", "*", "^", '""""', "\ud800"]
)
async def test_what_has_no_word_finds_nothing(storage: UnifiedStorage, query: str) -> None:
    await storage.insert_tip("something")
    assert await found(storage, query) == []


@pytest.mark.parametrize(
    "query", ["a" * 100_000, "word " * 20_000, '"' * 9_999, "(" * 9_999, "机" * 50_000, "-x " * 9_999]
)
async def test_long_texts_are_searches_too(storage: UnifiedStorage, query: str) -> None:
    assert await found(storage, query) == []


@pytest.mark.parametrize("query", ["cats AND dogs", "title:cats", "cats OR", "NOT cats", "cats* dogs", "{cats}"])
async def test_what_fts5_takes_for_operators_are_words(storage: UnifiedStorage, query: str) -> None:
    tip = await storage.insert_tip("title: cats and dogs, or not")
    assert await found(storage, query) == [f"tip:{tip.id}"]


@given(query=st.text() | st.text(alphabet='ab"-*():^{}+é机\x00 \u0301', max_size=30))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_text_at_all_is_answered(searchable: UnifiedStorage, query: str) -> None:
    page = await searchable.search_documents(query)
    assert len(page.items) == page.total


@pytest.fixture
async def searchable(storage: UnifiedStorage) -> UnifiedStorage:
    await storage.insert_tip("a ab é 机")
    return storage


async def test_a_match_in_the_title_comes_first(storage: UnifiedStorage) -> None:
    in_title = await storage.insert_vaults("Otters", content="of the river and of the sea")
    in_text = await storage.insert_vaults("Animals", content="otters of the river and of the sea")
    assert await found(storage, "otters") == [f"vault:{in_title.id}", f"vault:{in_text.id}"]


async def test_what_matches_alike_comes_the_newest_first(storage: UnifiedStorage) -> None:
    ids = [f"tip:{(await storage.insert_tip('otters')).id}" for _ in range(3)]
    assert await found(storage, "otters") == ids[::-1]


async def test_of_very_many_matches_the_newest_are_ranked_and_whole_words_come_first(storage: UnifiedStorage) -> None:
    search = SearchDocuments(backend_of(storage).database, candidates=3)
    whole = await storage.insert_tip("otter")
    ids = [f"tip:{(await storage.insert_tip('otters')).id}" for _ in range(5)]
    assert await found(search, "otter") == [f"tip:{whole.id}", *ids[:1:-1]]
    assert await found(search, "otters ") == ids[:1:-1]


async def test_pages_lead_through_all_hits(storage: UnifiedStorage) -> None:
    ids = [f"tip:{(await storage.insert_tip('otters')).id}" for _ in range(5)]
    pages = [await storage.search_documents("otters", limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [hit.id for page in pages for hit in page.items] == ids[::-1]
    assert {page.total for page in pages} == {5}


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (101, 0), (10, -1), (10, 10_001)])
async def test_bounds_that_make_no_sense_are_refused(storage: UnifiedStorage, limit: int, offset: int) -> None:
    with pytest.raises(InvalidInput, match="must be from"):
        await storage.search_documents("x", limit, offset)


async def test_hits_can_be_bounded_in_time(storage: UnifiedStorage) -> None:
    early = await storage.insert_activity("walk", "", start_time=EARLY, end_time=EARLY)
    late = await storage.insert_activity("walk", "", start_time=LATE, end_time=LATE)
    assert await found(storage, "walk", since=LATE) == [f"activity:{late.id}"]
    assert await found(storage, "wal", before=LATE) == [f"activity:{early.id}"]
    with pytest.raises(InvalidInput, match="since"):
        await found(storage, "walk", since="yesterday")


async def test_hits_can_have_a_tag(storage: UnifiedStorage) -> None:
    vault = await storage.insert_vaults("Plan", tags="Work, big  deal ,学习")
    await storage.insert_vaults("Plan", tags="workshop")
    await storage.insert_todo("Plan work")
    for tag in ("work", "WORK ", "big  deal", "学习"):
        assert await found(storage, "plan", tag=tag) == [f"vault:{vault.id}"]
    for tag in ("big", "deal", "", "Work, big  deal", "*"):
        assert await found(storage, "plan", tag=tag) == []


async def test_hits_can_be_of_a_document_type(storage: UnifiedStorage) -> None:
    report = await storage.insert_vaults("Plan", document_type="Daily Report")
    await storage.insert_vaults("Plan")
    assert await found(storage, "plan", document_type="Daily Report") == [f"vault:{report.id}"]
    assert await found(storage, "plan", document_type="Daily") == []


async def test_hits_can_be_in_a_folder_and_those_below_it(storage: UnifiedStorage) -> None:
    folder = await storage.insert_vaults("Folder", is_folder=True)
    below = await storage.insert_vaults("Below", is_folder=True, parent_id=folder.id)
    inside = await storage.insert_vaults("plan inside", parent_id=folder.id)
    deeper = await storage.insert_vaults("plan deeper", parent_id=below.id)
    await storage.insert_vaults("plan outside")
    assert sorted(await found(storage, "plan", folder=folder.id)) == [f"vault:{inside.id}", f"vault:{deeper.id}"]
    await storage.move_vault(inside.id, None)
    assert await found(storage, "plan", folder=folder.id) == [f"vault:{deeper.id}"]


async def test_words_for_filters_are_not_found_by_people(storage: UnifiedStorage) -> None:
    vault = await storage.insert_vaults("Plan", tags="work")
    assert vault.parent_id is None
    for query in ("f0 ", "t776f726b ", "d4e6f7465 "):
        assert await found(storage, query) == []


async def test_matches_are_marked_in_title_and_text(storage: UnifiedStorage) -> None:
    await storage.insert_vaults("Café", summary="Two cafés", content="One CAFÉ is enough; decaf is not.")
    hit = await only_hit(storage, "cafe ")
    assert (shown(hit.title), shown(hit.snippet)) == ("[Café]", "Two cafés\nOne [CAFÉ] is enough; decaf is not.")
    hit = await only_hit(storage, "enough caf")
    assert (shown(hit.title), shown(hit.snippet)) == ("[Café]", "Two [cafés]\nOne [CAFÉ] is [enough]; decaf is not.")


async def test_phrases_and_single_characters_are_marked(storage: UnifiedStorage) -> None:
    await storage.insert_tip("我喜欢机器学习, and so on")
    assert shown((await only_hit(storage, "机器")).snippet) == "我喜欢[机器]学习, and so on"
    assert shown((await only_hit(storage, '"and so" 学习')).snippet) == "我喜欢机器[学习], [and so] on"


async def test_a_snippet_is_the_text_around_the_first_match(storage: UnifiedStorage) -> None:
    await storage.insert_tip("before " * 1000 + "otter" + " behind" * 1000)
    snippet = shown((await only_hit(storage, "otter")).snippet)
    assert snippet.startswith("…before")
    assert "before [otter] behind" in snippet
    assert snippet.endswith("…")
    assert len(snippet) < 250


@pytest.mark.parametrize("filler", ["x ", "ü ", "學"])
async def test_a_match_deep_in_a_long_text_is_marked(storage: UnifiedStorage, filler: str) -> None:
    await storage.insert_tip(filler * 100_000 + " an otter swims " + filler * 30_000)
    snippet = shown((await only_hit(storage, "otter swims")).snippet)
    assert "an [otter] [swims]" in snippet
    assert snippet.startswith("…")
    assert snippet.endswith("…")


async def test_a_match_beyond_what_is_read_of_long_texts_is_found_unmarked(storage: UnifiedStorage) -> None:
    await storage.insert_tip("x " * (MOST_LOOKED_AT // 2) + "otter")
    assert [part.match for part in (await only_hit(storage, "otter")).snippet] == [False, False]


async def test_a_query_answers_whole_documents(storage: UnifiedStorage) -> None:
    vault = await storage.insert_vaults("Otters", content="of the sea", tags="animals")
    for ask in (storage.query, storage.query_documents):
        result = await ask("otters", 10, {"kinds": ["vault"]})
        (document,) = result.documents
        assert (document.id, document.content, document.data_type) == (f"vault:{vault.id}", "of the sea", "vault")
        assert document.metadata["tags"] == "animals"
        assert result.total_count == 1
        assert result.scores[0] > 0


async def test_a_document_of_each_kind_is_read_and_deleted_by_its_id(storage: UnifiedStorage) -> None:
    for doc_id in await one_of_each_kind(storage):
        document = await storage.get_document(doc_id)
        assert (document.id, document.data_type) == (doc_id, doc_id.partition(":")[0])
        await storage.delete_document(doc_id)
        assert doc_id not in await found(storage, "walrus")
        with pytest.raises(NotFound):
            await storage.get_document(doc_id)
        with pytest.raises((NotFound, Conflict)):
            await storage.delete_document(doc_id)


@pytest.mark.parametrize(
    "doc_id", ["", "vault", "vault:", "vault:x", "fish:1", "vault:-1", "vault:²", "vault:" + "9" * 99]
)
async def test_an_id_that_names_no_document_is_not_found(storage: UnifiedStorage, doc_id: str) -> None:
    with pytest.raises(NotFound):
        await storage.get_document(doc_id)


async def test_a_message_is_a_document_while_it_streams(storage: UnifiedStorage) -> None:
    conversation = await storage.create_conversation("home")
    message = await storage.create_streaming_message(conversation.id, "assistant")
    await storage.append_message_content(message.id, "so far")
    assert (await storage.get_document(f"message:{message.id}")).content == "so far"


@pytest.mark.parametrize("query", ["walrus ", "wal"])
@pytest.mark.parametrize("since", [None, EARLY])
async def test_no_query_sorts_or_scans_a_table(storage: UnifiedStorage, query: str, since: str | None) -> None:
    await one_of_each_kind(storage)
    search = parse(query)
    assert search is not None

    def plans(connection: sqlite3.Connection) -> list[str]:
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        search_ranking.rank(connection, Wanted(search, SEARCH_KINDS, [], since))
        connection.set_trace_callback(None)
        selects = [statement for statement in statements if statement.lstrip().startswith("SELECT")]
        return [row["detail"] for sql in selects for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]

    found_plans = await backend_of(storage).database.read(plans)
    assert any("search_index VIRTUAL TABLE" in plan for plan in found_plans)
    for plan in found_plans:
        assert "TEMP B-TREE" not in plan
        bounded = ("VIRTUAL TABLE", "subquery", "search_index_config")
        assert not plan.startswith("SCAN") or any(name in plan for name in bounded), plan
