# ruff: noqa: RUF001
"""Which words are one word to a search, and how it takes what a person types."""

import re
import sqlite3
import unicodedata
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.config import DatabaseSettings
from sidecar.errors import InvalidInput
from sidecar.storage.sqlite.search.folding import folded, folded_with_places
from sidecar.storage.unified import UnifiedStorage, document_backend

from .test_search import found, only_hit, shown

ONE_WORD = {
    "sharp s": ("Straße", "STRASSE"),
    "full width": ("ＡＢＣ１２３", "abc123"),
    "half-width katakana": ("ｶﾞｷﾞｸﾞ", "ガギグ"),
    "a square": ("㌔", "キロ"),
    "ligature": ("ﬁnal ofﬁce", "final office"),
    "final sigma": ("ὈΔΥΣΣΕΎΣ", "οδυσσευς"),
    "dotless i": ("ısı", "ISI"),
    "dotted I": ("İstanbul", "istanbul"),
    "crossed d": ("Đạt", "dat"),
    "crossed l": ("Łódź", "lodz"),
    "crossed o": ("Øresund", "oresund"),
    "ae": ("Ærø", "aero"),
    "short i": ("Ёлка, мой", "елка мои"),
    "decomposed accents": ("cafe\u0301", "café"),
    "decomposed Korean": (unicodedata.normalize("NFD", "한글"), "한글"),
    "decomposed voicing": ("か\u3099く", "がく"),
    "superscript": ("m²", "m2"),
    "points of Hebrew": ("שָׁלוֹם", "שלום"),
    "vowel marks of Arabic": ("مُحَمَّد", "محمد"),
    "hamza": ("الإسلام", "الاسلام"),
    "madda": ("القرآن", "القران"),
    "dotless yeh": ("على", "علي"),
    "ta marbuta": ("مدرسة", "مدرسه"),
    "tatweel": ("كتـــاب", "كتاب"),
    "Persian letters": ("کتابی", "كتابي"),
    "digits": ("٢٠٢٦", "2026"),
    "soft hyphen": ("hy\u00adphen", "hyphen"),
    "variant of an emoji": ("❤️", "❤"),
    "colour of skin": ("👍🏽", "👍"),
}


@pytest.mark.parametrize("name", ONE_WORD)
async def test_forms_of_one_word_find_each_other_and_are_marked(storage: UnifiedStorage, name: str) -> None:
    one, other = ONE_WORD[name]
    for text, query in ((one, other), (other, one)):
        tip = await storage.insert_tip(f"well {text} then")
        assert await found(storage, f"{query} ") == [f"tip:{tip.id}"], (text, query)
        marked = shown((await only_hit(storage, f"{query} ")).snippet)
        assert marked.startswith("well "), marked
        assert marked.endswith("] then"), marked
        await storage.delete_document(f"tip:{tip.id}")


@given(st.text() | st.text(alphabet="aé\u0301ßﬁ㌔ｶﾞかがΣσςİıđ각ᄀ\u1161א\u05b8ا\u064bहि\u0943👍🏽\u200d\n -+#c"))
@settings(max_examples=500, deadline=None)
def test_each_folded_character_has_its_place_in_the_text(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    form, places = folded_with_places(text)
    assert form == folded(text)
    assert len(places) == len(form) + 1
    assert places == sorted(places)
    assert places[-1] == len(text)


@given(st.text())
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert folded(folded(text)) == folded(text)


async def test_marks_without_end_keep_no_text_from_being_found_and_shown(storage: UnifiedStorage) -> None:
    tip = await storage.insert_tip("otter a" + "\u0300\u0316" * 300_000 + "b")
    assert await found(storage, "ab ") == [f"tip:{tip.id}"]
    assert shown((await only_hit(storage, "otter")).snippet).startswith("[otter] a")


async def test_a_word_that_is_typed_twice_is_one_and_may_go_on(storage: UnifiedStorage) -> None:
    tip = await storage.insert_tip("otters and seals")
    assert await found(storage, "ott seals ott") == [f"tip:{tip.id}"]
    assert await found(storage, "ott sea ott") == []


@pytest.mark.parametrize("query", ["น้ำ", "น้ำตก", "สวย", "ตกสวย", "ອາຫານ", "ភាសា", "စာ"])
async def test_words_inside_a_run_of_thai_lao_khmer_and_burmese_are_found(storage: UnifiedStorage, query: str) -> None:
    tip = await storage.insert_tip("ไปเที่ยวน้ำตกสวยมาก ອາຫານລາວ ភាសាខ្មែរ မြန်မာစာ")
    assert await found(storage, query) == [f"tip:{tip.id}"]
    assert f"[{query}]" in shown((await only_hit(storage, query)).snippet)


async def test_vowel_signs_of_hindi_are_parts_of_their_words(storage: UnifiedStorage) -> None:
    water = await storage.insert_tip("पानी पीना")
    await storage.insert_tip("पान पना")
    assert await found(storage, "पानी ") == [f"tip:{water.id}"]
    assert await found(storage, "न ") == []
    assert shown((await only_hit(storage, "पानी ")).snippet) == "[पानी] पीना"


@pytest.mark.parametrize("query", ["🎉", "👩‍💻", "🇩🇪", "party 🎉"])
async def test_emoji_are_words(storage: UnifiedStorage, query: str) -> None:
    tip = await storage.insert_tip("party🎉 with a 👩‍💻 from 🇩🇪")
    await storage.insert_tip("party")
    assert await found(storage, query) == [f"tip:{tip.id}"]


async def test_text_behind_a_nul_is_found(storage: UnifiedStorage) -> None:
    tip = await storage.insert_tip("seal\x00otter")
    assert await found(storage, "otter") == [f"tip:{tip.id}"]
    assert await found(storage, "seal") == [f"tip:{tip.id}"]
    await storage.delete_document(f"tip:{tip.id}")
    assert await found(storage, "otter") == []


async def test_a_wrapped_line_of_chinese_is_one_run(storage: UnifiedStorage) -> None:
    tip = await storage.insert_tip("我喜欢机\n器学习")
    assert await found(storage, "机器") == [f"tip:{tip.id}"]
    assert shown((await only_hit(storage, "机器")).snippet) == "我喜欢[机\n器]学习"


AS_TYPED = {
    "--force": ("use --force here", "use force here"),
    "git push --force": ("try git push --force now", "push by force with git"),
    "ls -la": ("run ls -la there", "ls and la"),
    "-5": ("it was -5 outside", "it was 5 outside"),
    "C++": ("written in C++.", "written in C."),
    "C#": ("written in C#, mostly", "written in C, mostly"),
    ".NET": ("for .NET only", "for net only"),
    "$HOME": ("in $HOME it is", "at home, in it"),
    "#idea": ("an #idea for you", "an idea for you"),
    "@ada": ("ask @ada today", "ask Ada today"),
    "-Wl,--as-needed": ("gcc -Wl,--as-needed x.c", "as needed, wl"),
}


@pytest.mark.parametrize("query", AS_TYPED)
async def test_what_is_typed_with_signs_is_found_before_the_words_alone(storage: UnifiedStorage, query: str) -> None:
    literal, words = AS_TYPED[query]
    with_signs = await storage.insert_tip(literal)
    for _ in range(3):
        await storage.insert_tip(words)
    ids = await found(storage, query)
    assert ids[0] == f"tip:{with_signs.id}"
    hit = (await storage.search_documents(query)).items[0]
    last = re.split("[ ,]", query)[-1]
    assert f"[{last}]" in shown(hit.snippet)


@pytest.mark.parametrize(
    ("query", "text", "other"),
    [
        ("/usr/local/bin", "put it into /usr/local/bin/x", "bin local usr"),
        ("3.11.4", "Python 3.11.4 is out", "3 4 11"),
        ("node.js", "with node.js today", "js node"),
        ("ada@example.org", "write to ada@example.org", "example ada org"),
        ("foo_bar", "call foo_bar()", "bar foo"),
        ("e-mail", "an e-mail for you", "mail e"),
    ],
)
async def test_paths_versions_and_names_are_found_as_they_are_typed(
    storage: UnifiedStorage, query: str, text: str, other: str
) -> None:
    tip = await storage.insert_tip(text)
    await storage.insert_tip(other)
    assert await found(storage, query) == [f"tip:{tip.id}"]


async def test_a_dash_excludes_only_a_word_of_letters_behind_a_space(storage: UnifiedStorage) -> None:
    tea, coffee = await storage.insert_tip("green tea"), await storage.insert_tip("green coffee 机器")
    assert await found(storage, "green -coffee") == [f"tip:{tea.id}"]
    assert await found(storage, "green -机器") == [f"tip:{tea.id}"]
    for query in ("green --coffee", "coffee-green", "coffee - green", "green -c", "coffee -"):
        assert f"tip:{coffee.id}" in [*await found(storage, query), *await found(storage, "green coffee")], query
    assert await found(storage, "green-coffee") == [f"tip:{coffee.id}"]
    assert await found(storage, "green --coffee") == [f"tip:{coffee.id}"]


async def test_a_query_of_many_words_finds_what_lacks_one_below_what_has_all(storage: UnifiedStorage) -> None:
    every = await storage.insert_tip("quarterly budget review for the sales team, at length and in detail " * 5)
    lacking = await storage.insert_tip("quarterly budget review")
    await storage.insert_tip("budget for the team")
    query = "quarterly budget review sales "
    assert await found(storage, query) == [f"tip:{every.id}", f"tip:{lacking.id}"]
    scores = [hit.score for hit in (await storage.search_documents(query)).items]
    assert scores == sorted(scores, reverse=True)


async def test_a_misspelt_word_among_many_is_left_out(storage: UnifiedStorage) -> None:
    tip = await storage.insert_tip("the quick brown fox jumps over the lazy dog")
    assert await found(storage, "quikc brown fox jumps ") == [f"tip:{tip.id}"]
    assert await found(storage, "quikc brwon fox jumps ") == []


async def test_headings_count_more_than_text(storage: UnifiedStorage) -> None:
    filler = "of the river and the sea\n" * 3
    for heading in ("# Otters", "OTTERS"):
        in_heading = await storage.insert_vaults("Notes", content=f"{heading}\n{filler}")
        for _ in range(2):
            await storage.insert_vaults("Notes", content=f"otters\n{filler}")
        hits = await found(storage, "otters ")
        assert hits[0] == f"vault:{in_heading.id}"
        for doc_id in hits:
            await storage.delete_document(doc_id)


async def test_whole_words_count_more_than_beginnings(storage: UnifiedStorage) -> None:
    whole = await storage.insert_tip("one otter in a long text about rivers and the sea")
    for _ in range(3):
        await storage.insert_tip("otters")
    assert (await found(storage, "otter"))[0] == f"tip:{whole.id}"
    assert (await found(storage, "rivers otter"))[0] == f"tip:{whole.id}"


async def test_words_that_stand_together_count_more(storage: UnifiedStorage) -> None:
    together = await storage.insert_tip("a white wine and a red car")
    for _ in range(3):
        await storage.insert_tip("a red wine and a white car")
    assert (await found(storage, "white wine "))[0] == f"tip:{together.id}"


async def test_a_search_can_be_inside_one_conversation_and_by_role(storage: UnifiedStorage) -> None:
    one, other = await storage.create_conversation("home", title="walrus"), await storage.create_conversation("home")
    asked = await storage.create_message(one.id, "user", "walrus?")
    answered = await storage.create_message(one.id, "assistant", "walrus!")
    elsewhere = await storage.create_message(other.id, "user", "walrus")
    assert sorted(await found(storage, "walrus", conversation_id=one.id)) == [
        f"message:{asked.id}",
        f"message:{answered.id}",
    ]
    assert await found(storage, "walrus", conversation_id=one.id, role="user") == [f"message:{asked.id}"]
    assert sorted(await found(storage, "walrus", role="user")) == [f"message:{asked.id}", f"message:{elsewhere.id}"]
    assert await found(storage, "walrus", conversation_id=999) == []
    with pytest.raises(InvalidInput, match="role"):
        await found(storage, "walrus", role="us")


async def test_a_snippet_is_where_most_of_the_words_are(storage: UnifiedStorage) -> None:
    await storage.insert_tip("otter " + "word " * 200 + "an otter in a river by the sea " + "word " * 200)
    assert "an [otter] in a [river]" in shown((await only_hit(storage, "river otter ")).snippet)


async def opened(directory: Path) -> UnifiedStorage:
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(), directory)])
    await storage.initialize()
    return storage


@pytest.fixture
async def emptied(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    """A closed store of one tip whose index has lost its words."""
    storage = await opened(tmp_path)
    await storage.insert_tip("walrus")
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "sidecar.db", isolation_level=None)) as connection:
        connection.execute("INSERT INTO search_index (search_index) VALUES ('delete-all')")
        yield connection


async def test_an_index_of_other_rules_is_filled_again_at_the_start(
    emptied: sqlite3.Connection, tmp_path: Path
) -> None:
    emptied.execute("UPDATE search_format SET version = 'of another program'")
    storage = await opened(tmp_path)
    assert await found(storage, "walrus") == ["tip:1"]
    await storage.close()


async def test_an_index_of_the_same_rules_is_kept_at_the_start(emptied: sqlite3.Connection, tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    assert await found(storage, "walrus") == []
    await storage.close()
    assert emptied.execute("SELECT count(*) FROM search_format").fetchone() == (1,)
