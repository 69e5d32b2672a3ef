"""Conversations in order: filters, folders, tags, pins and the archive, for one and for many."""

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.conversations import MAX_ORGANIZED, MAX_TAGS, ConversationCreate, ConversationStatus
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS
from sidecar.storage.sqlite.schema.migrations.m0013_organised_conversations import migrate
from sidecar.storage.unified import UnifiedStorage
from tests.storage.conftest import clock_moved_on

from ..support import backend_of

LONGEST_TAGS = [f"{number:02d}{'é' * 98}" for number in range(MAX_TAGS)]
"""As many tags as a conversation may have, each as long as it may be."""


async def ids(storage: UnifiedStorage, **filters: Any) -> list[int]:
    """The ids that the list has for these filters; the count has as many."""
    listed = (await storage.get_conversation_list(**filters)).items
    filters.pop("order", None)
    assert await storage.get_conversation_count(**filters) == len(listed)
    return [conversation.id for conversation in listed]


async def execute(storage: UnifiedStorage, sql: str) -> None:
    """Run a statement as another program would."""
    await backend_of(storage).database.write(lambda work: work.connection.execute(sql).rowcount)


async def index_of_tags(storage: UnifiedStorage) -> list[tuple[str, int]]:
    sql = "SELECT tag, conversation_id FROM conversation_tags ORDER BY conversation_id, tag"
    return await backend_of(storage).database.read(lambda connection: [tuple(row) for row in connection.execute(sql)])


async def test_a_conversation_is_made_with_its_place_and_its_times(storage: UnifiedStorage) -> None:
    made = await storage.create_conversation(
        "home",
        folder="Work",
        tags=["b", "a", "b"],
        is_pinned=True,
        created_at="2001-01-31T10:30:00+01:00",
        updated_at="2002-01-01T00:00:00Z",
    )
    assert (made.folder, made.tags, made.is_pinned) == ("Work", ["b", "a"], True)
    assert (made.created_at, made.updated_at) == ("2001-01-31T09:30:00.000Z", "2002-01-01T00:00:00.000Z")
    assert await storage.get_conversation(made.id) == made


async def test_a_conversation_last_changed_when_it_was_made_unless_that_is_given(storage: UnifiedStorage) -> None:
    made = await storage.create_conversation("home", created_at="2001-01-31T09:30:00Z")
    assert made.updated_at == made.created_at == "2001-01-31T09:30:00.000Z"


async def test_a_batch_has_places_and_times_too(storage: UnifiedStorage) -> None:
    given = ConversationCreate("home", folder="Work", tags=["a"], created_at="2001-01-31T09:30:00Z")
    (row_id, other) = await storage.batch_create_conversations([given, ConversationCreate("home")])
    made = await storage.get_conversation(row_id)
    assert (made.folder, made.tags, made.created_at) == ("Work", ["a"], "2001-01-31T09:30:00.000Z")
    assert await ids(storage, tag="a") == [row_id]
    assert await ids(storage, folder="") == [other]


async def test_a_change_before_the_creation_is_refused_and_located(storage: UnifiedStorage) -> None:
    late, early = "2002-01-01T00:00:00Z", "2001-01-01T00:00:00Z"
    with pytest.raises(InvalidInput, match="updated_at: lies before created_at"):
        await storage.create_conversation("home", created_at=late, updated_at=early)
    wrong = ConversationCreate("home", created_at=late, updated_at=early)
    with pytest.raises(InvalidInput, match=r"conversations\.1\.updated_at"):
        await storage.batch_create_conversations([ConversationCreate("home"), wrong])
    assert await storage.get_conversation_count() == 0


async def test_conversations_are_found_by_ranges_of_creation_and_change(storage: UnifiedStorage) -> None:
    days = [f"2026-01-0{day}T00:00:00.000Z" for day in range(1, 6)]
    made = [(await storage.create_conversation("home", created_at=day, updated_at=days[-1])).id for day in days[:3]]
    assert await ids(storage, created_after=days[1], order="oldest") == made[1:]
    assert await ids(storage, created_before=days[1]) == made[:1]
    assert await ids(storage, created_after=days[1], created_before=days[2]) == [made[1]]
    changed = await storage.create_conversation("home", created_at=days[0], updated_at=days[3])
    assert await ids(storage, updated_before=days[4]) == [changed.id]
    assert await ids(storage, updated_after=days[4], order="newest") == made[::-1]


async def test_conversations_of_several_statuses_are_found(storage: UnifiedStorage) -> None:
    active, archived, deleted = [(await storage.create_conversation("home")).id for _ in range(3)]
    await storage.update_conversation(archived, status="archived")
    await storage.delete_conversation(deleted)
    assert await ids(storage, status=["archived", "deleted"], order="oldest") == [archived, deleted]
    assert await ids(storage, status="archived") == [archived]
    assert await ids(storage, order="oldest") == [active, archived]


@pytest.mark.parametrize("status", [[], ["active", "lost"], ["active"] * 2 + ["x"]])
async def test_statuses_that_make_no_sense_are_refused(storage: UnifiedStorage, status: list[str]) -> None:
    with pytest.raises(InvalidInput, match="status"):
        await storage.get_conversation_list(status=status)


async def test_pinned_conversations_come_first_where_that_is_asked_for(storage: UnifiedStorage) -> None:
    made = [(await storage.create_conversation("home", is_pinned=number in (1, 3))).id for number in range(5)]
    assert await ids(storage, order="pinned") == [made[3], made[1], made[4], made[2], made[0]]
    assert await ids(storage, is_pinned=True, order="oldest") == [made[1], made[3]]
    assert await ids(storage, is_pinned=False, order="oldest") == [made[0], made[2], made[4]]
    assert await ids(storage) == made[::-1]


@pytest.mark.parametrize("order", ["changed", "pinned", "newest", "oldest"])
async def test_pages_of_every_order_make_the_whole_list(storage: UnifiedStorage, order: str) -> None:
    for number in range(7):  # some at the same moment
        moment = f"2026-01-0{number // 3 + 1}T00:00:00Z"
        await storage.create_conversation("home", is_pinned=number % 3 == 0, created_at=moment)
    found, cursor = [], None
    for _ in range(4):
        page = await storage.get_conversation_list(limit=2, cursor=cursor, order=order)
        found += [conversation.id for conversation in page.items]
        cursor = page.next_cursor
    assert (found, cursor) == (await ids(storage, order=order), None)


async def test_a_cursor_of_another_order_is_refused(storage: UnifiedStorage) -> None:
    for _ in range(2):
        await storage.create_conversation("home")
    page = await storage.get_conversation_list(limit=1, order="pinned")
    for order in ("changed", "newest"):
        with pytest.raises(InvalidInput, match="cursor"):
            await storage.get_conversation_list(limit=1, order=order, cursor=page.next_cursor)


async def test_many_are_moved_tagged_pinned_and_archived_at_once(storage: UnifiedStorage) -> None:
    first, second, third = [(await storage.create_conversation("home", tags=["old"])).id for _ in range(3)]
    result = await storage.organize_conversations(
        [second, first], "Work", add_tags=["new", "x"], remove_tags=["old"], is_pinned=True, is_archived=True
    )
    assert (result.changed, result.unchanged) == ([second, first], [])
    for row_id in (first, second):
        found = await storage.get_conversation(row_id)
        assert (found.folder, found.tags, found.is_pinned) == ("Work", ["new", "x"], True)
        assert found.status is ConversationStatus.ARCHIVED
    untouched = await storage.get_conversation(third)
    assert (untouched.folder, untouched.tags, untouched.is_pinned, untouched.status) == (None, ["old"], False, "active")


async def test_what_is_organised_is_undone_in_the_same_way(storage: UnifiedStorage) -> None:
    made = await storage.create_conversation("home")
    await storage.organize_conversations([made.id], "Work", ["a"], is_pinned=True, is_archived=True)
    await storage.organize_conversations([made.id], None, [], ["a"], is_pinned=False, is_archived=False)
    assert await storage.get_conversation(made.id) == made


async def test_organising_leaves_the_time_of_the_last_change(storage: UnifiedStorage) -> None:
    first, second = [await storage.create_conversation("home") for _ in range(2)]
    await clock_moved_on()
    await storage.organize_conversations([first.id], "Work", ["a"], is_pinned=True, is_archived=True)
    assert (await storage.get_conversation(first.id)).updated_at == first.updated_at
    assert await ids(storage) == [second.id, first.id]


async def test_a_conversation_that_is_as_wanted_is_unchanged_and_reported_as_that(storage: UnifiedStorage) -> None:
    there = await storage.create_conversation("home", folder="Work", tags=["a"])
    other = await storage.create_conversation("home")
    changes: list[int | str] = []
    storage.subscribe(lambda committed: changes.extend(change.id for change in committed))
    result = await storage.organize_conversations([there.id, other.id, there.id], "Work", ["a"], ["not there"])
    assert (result.changed, result.unchanged) == ([other.id], [there.id])
    assert changes == [other.id]


async def test_of_many_with_a_wrong_one_none_is_changed_and_the_wrong_one_is_named(storage: UnifiedStorage) -> None:
    first, deleted = [(await storage.create_conversation("home")).id for _ in range(2)]
    await storage.delete_conversation(deleted)
    with pytest.raises(Conflict, match=r"ids\.1: .*restore it first"):
        await storage.organize_conversations([first, deleted], "Work")
    with pytest.raises(NotFound, match=r"ids\.1"):
        await storage.organize_conversations([first, 999], "Work")
    assert (await storage.get_conversation(first)).folder is None


async def test_a_repeated_change_with_its_key_returns_the_first_result(storage: UnifiedStorage) -> None:
    made, key = await storage.create_conversation("home"), IdempotencyKey("twice")
    first = await storage.organize_conversations([made.id], "Work", key=key)
    assert await storage.organize_conversations([made.id], "Work", key=key) == first
    assert first.changed == [made.id]


async def test_more_tags_than_fit_are_refused(storage: UnifiedStorage) -> None:
    made = await storage.create_conversation("home", tags=LONGEST_TAGS)
    assert await ids(storage, tag=LONGEST_TAGS) == [made.id]
    with pytest.raises(InvalidInput, match=r"ids\.0\.add_tags: would give the conversation 33 tags"):
        await storage.organize_conversations([made.id], add_tags=["one more"])
    await storage.organize_conversations([made.id], add_tags=["one more"], remove_tags=LONGEST_TAGS[:1])
    assert (await storage.get_conversation(made.id)).tags == [*LONGEST_TAGS[1:], "one more"]


@pytest.mark.parametrize("tag", ["", "a,b", " a", "a ", "a\n", "x" * 101, "\0"])
async def test_what_cannot_be_a_tag_is_refused(storage: UnifiedStorage, tag: str) -> None:
    with pytest.raises(InvalidInput, match="tags"):
        await storage.create_conversation("home", tags=[tag])
    made = await storage.create_conversation("home")
    with pytest.raises(InvalidInput, match="add_tags"):
        await storage.organize_conversations([made.id], add_tags=[tag])


async def test_a_tag_that_is_added_and_removed_is_refused(storage: UnifiedStorage) -> None:
    made = await storage.create_conversation("home")
    with pytest.raises(InvalidInput, match="remove_tags: 'a' is among add_tags"):
        await storage.organize_conversations([made.id], add_tags=["a", "b"], remove_tags=["a"])


@pytest.mark.parametrize("count", [0, MAX_ORGANIZED + 1])
async def test_the_number_of_conversations_is_bounded(storage: UnifiedStorage, count: int) -> None:
    with pytest.raises(InvalidInput, match="ids"):
        await storage.organize_conversations(list(range(count)), "Work")


async def test_conversations_are_found_by_folder_and_by_tags_that_are_all_there(storage: UnifiedStorage) -> None:
    both = await storage.create_conversation("home", folder="Work", tags=["a", "b c"])
    one = await storage.create_conversation("home", folder="Work", tags=["b c"])
    none = await storage.create_conversation("home", tags=["a b c"])
    assert await ids(storage, folder="Work", order="oldest") == [both.id, one.id]
    assert await ids(storage, folder="work") == []
    assert await ids(storage, folder="") == [none.id]
    assert await ids(storage, tag="b c", order="oldest") == [both.id, one.id]
    assert await ids(storage, tag=["a", "b c"]) == [both.id]
    assert await ids(storage, tag="a b") == []


async def test_folders_and_tags_are_listed_with_the_number_of_conversations(storage: UnifiedStorage) -> None:
    for folder, tags in (("b", ["x", "y"]), ("a", ["x"]), ("b", []), (None, ["z"])):
        await storage.create_conversation("home", folder=folder, tags=tags)
    gone = await storage.create_conversation("home", folder="gone", tags=["gone", "x"])
    await storage.delete_conversation(gone.id)
    folders = await storage.get_conversation_folders()
    assert ([(each.folder, each.count) for each in folders.items], folders.total) == ([("a", 1), ("b", 2)], 2)
    listed = await storage.get_conversation_tags()
    assert ([(each.tag, each.count) for each in listed.items], listed.total) == ([("x", 2), ("y", 1), ("z", 1)], 3)
    second = await storage.get_conversation_tags(limit=1, offset=1)
    assert ([each.tag for each in second.items], second.total) == (["y"], 3)


async def test_the_index_of_tags_is_right_whichever_program_writes_them(storage: UnifiedStorage) -> None:
    for row_id in (1, 2, 3):
        await storage.create_conversation("home", tags=[f"t{row_id}"])
    await execute(storage, "UPDATE conversations SET tags = ' z ,, y,z, ' WHERE id = 1")
    await execute(storage, "INSERT OR REPLACE INTO conversations (id, page_name, tags) VALUES (2, 'home', 'new')")
    await execute(storage, "UPDATE conversations SET id = 30 WHERE id = 3")
    assert await index_of_tags(storage) == [("y", 1), ("z", 1), ("new", 2), ("t3", 30)]
    assert (await storage.get_conversation(1)).tags == ["z", "y"]
    await execute(storage, "DELETE FROM conversations WHERE id IN (1, 2)")
    assert await index_of_tags(storage) == [("t3", 30)]
    await storage.delete_conversation_permanently(30)
    assert await index_of_tags(storage) == []


async def test_tags_of_a_row_that_another_program_replaced_are_not_found(storage: UnifiedStorage) -> None:
    await storage.create_conversation("home", tags=["a"])
    await execute(storage, "INSERT OR REPLACE INTO conversations (id, page_name) VALUES (1, 'home')")
    assert await ids(storage, tag="a") == []
    assert (await storage.get_conversation_tags()).items == []
    await storage.organize_conversations([1], add_tags=["b"])
    assert await index_of_tags(storage) == [("b", 1)]


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ("folder = 'Work' ORDER BY updated_at DESC, id DESC", "idx_conversations_folder (folder=?)"),
        (
            "id IN (SELECT conversation_id FROM conversation_tags WHERE tag = 'a')",
            "SEARCH conversation_tags USING PRIMARY KEY (tag=?)",
        ),
        ("TRUE ORDER BY is_pinned DESC, updated_at DESC, id DESC", "idx_conversations_pinned"),
        ("created_at >= '2026'", "idx_conversations_created_at (created_at>?)"),
    ],
)
def test_filters_and_orders_have_an_index(migrated: Callable[[], sqlite3.Connection], filters: str, index: str) -> None:
    connection = migrated()
    plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM conversations WHERE {filters}").fetchall()
    steps = [row[3] for row in plan]
    connection.close()
    assert any(index in step for step in steps), steps
    # Rows of one moment are sorted by their ids, which costs nothing.
    assert not any("TEMP B-TREE" in step and "RIGHT PART" not in step for step in steps), steps


def test_the_migration_leaves_conversations_as_they_are_in_no_folder_and_without_tags() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for migration in MIGRATIONS:
        if migration.version < 13:
            migration.apply(connection)
    connection.executescript("""
        INSERT INTO conversations (id, page_name, status, updated_at)
        VALUES (1, 'home', 'active', '2026-01-01 10:00:00'), (2, 'home', 'deleted', '2026-01-02T00:00:00.000Z');
    """)
    migrate(connection)
    found = connection.execute("SELECT id, updated_at, folder, tags, is_pinned FROM conversations").fetchall()
    assert found == [(1, "2026-01-01T10:00:00.000Z", None, "", 0), (2, "2026-01-02T00:00:00.000Z", None, "", 0)]
    connection.execute("UPDATE conversations SET is_pinned = 'true', tags = 'a' WHERE id = 1")
    assert connection.execute("SELECT is_pinned FROM conversations WHERE id = 1").fetchone() == (1,)
    assert connection.execute("SELECT * FROM conversation_tags").fetchall() == [("a", 1)]
    with pytest.raises(sqlite3.IntegrityError, match=r"conversations\.is_pinned must be 0 or 1"):
        connection.execute("UPDATE conversations SET is_pinned = 'maybe' WHERE id = 2")
    connection.close()


async def test_a_conversation_that_is_imported_again_keeps_its_place_unless_one_is_given(
    storage: UnifiedStorage,
) -> None:
    made = await storage.create_conversation("home", source="elsewhere", external_id="c")
    await storage.organize_conversations([made.id], "Work", ["a"], is_pinned=True)
    again = await storage.create_conversation("home", title="new", source="elsewhere", external_id="c")
    assert (again.id, again.title, again.folder, again.tags, again.is_pinned) == (made.id, "new", "Work", ["a"], True)
    moved = await storage.create_conversation("home", folder="Other", tags=["b"], source="elsewhere", external_id="c")
    assert (moved.folder, moved.tags, moved.is_pinned) == ("Other", ["b"], True)
    assert await ids(storage, tag="b", source="elsewhere", external_id="c") == [made.id]
