"""Batches: many rows in one unit of work, each as it would be alone, all of them or none."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sidecar.config import DatabaseSettings
from sidecar.errors import Conflict, InvalidInput, NotFound, RequestRefused
from sidecar.models.activities import ActivityCreate
from sidecar.models.base import MAX_BATCH, Record
from sidecar.models.conversations import ConversationCreate
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import MessageCreate, Role, ThinkingCreate
from sidecar.models.tips import TipCreate
from sidecar.models.todos import TodoCreate, TodoStatus
from sidecar.models.vaults import VaultCreate
from sidecar.storage.interfaces import Change
from sidecar.storage.sqlite.engine.unit_of_work import ROWS_AT_ONCE
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.storage.conftest import clock_moved_on

EARLY, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T17:00:00.000Z"
TIMES: dict[str, Any] = {"start_time": EARLY, "end_time": LATE}
BACKWARDS: dict[str, Any] = {"start_time": LATE, "end_time": EARLY}
NOT_A_NUMBER: dict[str, Any] = {"n": float("nan")}
MISSING = 999

Storage = UnifiedStorage


class Kind(NamedTuple):
    """Rows of one kind, and how they are made; messages belong to `conversation`, thinking to `message`."""

    create: Callable[[Storage, Any], Awaitable[Record]]
    batch: Callable[..., Awaitable[list[int]]]
    read: Callable[[Storage, int], Awaitable[Record]]
    rows: Sequence[Any]


class Ground(NamedTuple):
    """What is there before a batch."""

    folder: int
    conversation: int
    message: int


GROUND = Ground(folder=2, conversation=1, message=1)


async def tip(storage: Storage, tip_id: int) -> Record:
    return {tip.id: tip for tip in (await storage.get_tips(limit=1_000)).items}[tip_id]


async def step(storage: Storage, step_id: int) -> Record:
    return {step.id: step for step in await storage.get_message_thinking(GROUND.message)}[step_id]


KINDS = {
    "todos": Kind(
        lambda storage, row: storage.insert_todo(**vars(row)),
        Storage.batch_insert_todos,
        Storage.get_todo,
        [
            TodoCreate(content="walrus"),
            TodoCreate(content="walrus 2", status=TodoStatus.COMPLETED),
            TodoCreate(content="walrus 3", status=TodoStatus.COMPLETED, **TIMES),
            TodoCreate(content="walrus 4", urgency=3, assignee="Ada", reason="it is time", **TIMES),
        ],
    ),
    "activities": Kind(
        lambda storage, row: storage.insert_activity(**vars(row)),
        Storage.batch_insert_activities,
        Storage.get_activity,
        [
            ActivityCreate(title="walrus", content="", **TIMES),
            ActivityCreate(title="walrus", content="c", resources=[1, "日本"], metadata={"k": None}, **TIMES),
        ],
    ),
    "tips": Kind(
        lambda storage, row: storage.insert_tip(**vars(row)),
        Storage.batch_insert_tips,
        tip,
        [TipCreate(content="walrus"), TipCreate(content="walrus 2")],
    ),
    "vaults": Kind(
        lambda storage, row: storage.insert_vaults(**vars(row)),
        Storage.batch_insert_vaults,
        Storage.get_vault,
        [
            VaultCreate(title="walrus"),
            VaultCreate(title="walrus 2", parent_id=GROUND.folder, sort_order=-5),
            VaultCreate(title="walrus 3", parent_id=GROUND.folder),
            VaultCreate(title="walrus 4", summary="s", content="c", document_type="Idea", tags="a,b", is_folder=True),
            VaultCreate(title="walrus 5", parent_id=GROUND.folder, sort_order=10_000),
            VaultCreate(title="walrus 6", parent_id=GROUND.folder),
        ],
    ),
    "conversations": Kind(
        lambda storage, row: storage.create_conversation(**vars(row)),
        Storage.batch_create_conversations,
        Storage.get_conversation,
        [
            ConversationCreate(page_name="home", title="walrus"),
            ConversationCreate(page_name="home", title="walrus 2", user_id="ada", metadata={"k": [1]}),
        ],
    ),
    "messages": Kind(
        lambda storage, row: storage.create_message(GROUND.conversation, **vars(row)),
        lambda storage, rows, **key: storage.batch_create_messages(GROUND.conversation, rows, **key),
        Storage.get_message,
        [
            MessageCreate(role=Role.USER, content="walrus"),
            MessageCreate(role=Role.TOOL, content="walrus 2", parent_message_id=GROUND.message, metadata={"k": 1}),
            MessageCreate(role=Role.ASSISTANT, content="walrus 3", is_complete=False, token_count=7),
        ],
    ),
    "thinking": Kind(
        lambda storage, row: storage.add_message_thinking(GROUND.message, **vars(row)),
        lambda storage, rows, **key: storage.batch_add_message_thinking(GROUND.message, rows, **key),
        step,
        [
            ThinkingCreate(content="walrus"),
            ThinkingCreate(content="walrus 2", sequence=7, stage="plan", progress=0.5, metadata={"k": 1}),
            ThinkingCreate(content="walrus 3"),
        ],
    ),
}


async def prepared(storage: Storage) -> Storage:
    """The storage, with what the rows belong to."""
    folder = await storage.insert_vaults("folder", is_folder=True)
    conversation = await storage.create_conversation("home")
    message = await storage.create_message(conversation.id, "user", "question")
    assert Ground(folder.id, conversation.id, message.id) == GROUND
    return storage


@pytest.fixture
async def ground(storage: Storage) -> Storage:
    return await prepared(storage)


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Storage]:
    """A second storage, with the same rows."""
    opened = UnifiedStorage.create([document_backend(DatabaseSettings(enabled=False), tmp_path)])
    await opened.initialize()
    yield await prepared(opened)
    await opened.close()


def but_for_the_clock(record: Record) -> dict[str, Any]:
    columns = record.model_dump()
    now = columns.get("created_at")
    return {name: "now" if value == now else value for name, value in columns.items()}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_a_batch_makes_the_rows_that_would_be_made_one_by_one(
    ground: Storage, other: Storage, kind: Kind
) -> None:
    alone = [await kind.create(other, row) for row in kind.rows]
    ids = await kind.batch(ground, kind.rows)
    rows = [await kind.read(ground, row_id) for row_id in ids]
    assert [but_for_the_clock(row) for row in rows] == [but_for_the_clock(row) for row in alone]


@pytest.mark.parametrize("count", [1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE + 5])
async def test_ids_come_in_the_order_of_the_rows(storage: Storage, count: int) -> None:
    ids = await storage.batch_insert_todos([TodoCreate(content=f"{number}") for number in range(count)])
    todos = [await storage.get_todo(todo_id) for todo_id in ids]
    assert [todo.content for todo in todos] == [f"{number}" for number in range(count)]


async def test_ids_go_on_behind_those_of_rows_that_were_deleted(storage: Storage) -> None:
    first = await storage.batch_insert_todos([TodoCreate(content="x")] * 40)
    await storage.delete_todo(first[-1])
    await storage.delete_todo(first[0])
    second = await storage.batch_insert_todos([TodoCreate(content="x")] * 40)
    assert second == list(range(first[-1] + 1, first[-1] + 41))


REFUSED: dict[str, tuple[str, Any, type[RequestRefused], str]] = {
    "a todo that ends before it starts": ("todos", TodoCreate(content="x", **BACKWARDS), InvalidInput, ".end_time"),
    "an activity that ends before it starts": (
        "activities",
        ActivityCreate(title="x", content="", **BACKWARDS),
        InvalidInput,
        ".end_time",
    ),
    "a vault in a folder that is not there": ("vaults", VaultCreate(title="x", parent_id=MISSING), NotFound, ""),
    "a conversation with what JSON cannot hold": (
        "conversations",
        ConversationCreate(page_name="x", metadata=NOT_A_NUMBER),
        InvalidInput,
        ".metadata",
    ),
    "a message whose parent is not there": (
        "messages",
        MessageCreate(role=Role.USER, content="x", parent_message_id=MISSING),
        NotFound,
        "",
    ),
    "a step with what JSON cannot hold": (
        "thinking",
        ThinkingCreate(content="x", metadata=NOT_A_NUMBER),
        InvalidInput,
        ".metadata",
    ),
}


@pytest.mark.parametrize(("name", "wrong", "error", "field"), REFUSED.values(), ids=REFUSED)
async def test_of_a_batch_with_a_wrong_row_nothing_is_kept_and_the_row_is_named(
    ground: Storage, name: str, wrong: Any, error: type[RequestRefused], field: str
) -> None:
    kind = KINDS[name]
    place = len(kind.rows)
    (before,) = await kind.batch(ground, kind.rows[:1])
    told: list[Change] = []
    ground.subscribe(told.extend)
    with pytest.raises(error, match=rf"^{name}\.{place}{field}: ") as raised:
        await kind.batch(ground, [*kind.rows, wrong, *kind.rows])
    assert [each.field for each in raised.value.errors] == [f"{name}.{place}{field}"]
    assert told == []
    assert await kind.batch(ground, kind.rows[:1]) == [before + 1], "ids of rows that were undone are free again"


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
@pytest.mark.parametrize("name", KINDS)
async def test_a_batch_of_no_rows_or_too_many_is_refused(ground: Storage, name: str, count: int) -> None:
    with pytest.raises(InvalidInput, match=f"^{name}: must be from 1 to 10000"):
        await KINDS[name].batch(ground, list(KINDS[name].rows[:1]) * count)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_a_batch_with_a_key_is_done_once(ground: Storage, kind: Kind) -> None:
    key = IdempotencyKey("key-1")
    ids = await kind.batch(ground, kind.rows, key=key)
    assert await kind.batch(ground, kind.rows, key=key) == ids
    assert (await kind.batch(ground, kind.rows))[0] == ids[-1] + 1


@pytest.mark.parametrize("name", KINDS)
async def test_every_row_is_told_to_subscribers(ground: Storage, name: str) -> None:
    told: list[Change] = []
    ground.subscribe(told.extend)
    ids = await KINDS[name].batch(ground, KINDS[name].rows)
    assert [change.id for change in told if change.topic == name] == ids


@pytest.mark.parametrize("name", [name for name in KINDS if name != "thinking"])
async def test_a_search_finds_the_rows(ground: Storage, name: str) -> None:
    await KINDS[name].batch(ground, KINDS[name].rows)
    assert (await ground.search_documents("walrus")).total == len(KINDS[name].rows)


async def test_messages_keep_their_order_and_move_their_conversation_to_the_top(ground: Storage) -> None:
    await clock_moved_on()
    later = await ground.create_conversation("home")
    await clock_moved_on()
    texts = [f"{number}" for number in range(50)]
    await ground.batch_create_messages(
        GROUND.conversation, [MessageCreate(role=Role.USER, content=text) for text in texts]
    )
    page = await ground.get_conversation_messages(GROUND.conversation)
    assert [message.content for message in page.items] == ["question", *texts]
    listed = (await ground.get_conversation_list()).items
    assert [conversation.id for conversation in listed] == [GROUND.conversation, later.id]


async def test_messages_come_to_a_conversation_that_is_there_only(ground: Storage) -> None:
    rows = [MessageCreate(role=Role.USER, content="x")]
    with pytest.raises(NotFound, match="conversation"):
        await ground.batch_create_messages(MISSING, rows)
    await ground.delete_conversation(GROUND.conversation)
    with pytest.raises(Conflict, match="deleted"):
        await ground.batch_create_messages(GROUND.conversation, rows)
    with pytest.raises(NotFound, match="message"):
        await ground.batch_add_message_thinking(MISSING, [ThinkingCreate(content="x")])


async def test_vaults_come_behind_those_that_are_there_one_behind_the_other(ground: Storage) -> None:
    first = await ground.insert_vaults("first", parent_id=GROUND.folder)
    rows = [VaultCreate(title=title, parent_id=GROUND.folder) for title in ("second", "third", "fourth")]
    await ground.batch_insert_vaults(rows)
    children = (await ground.get_children(GROUND.folder)).items
    assert [vault.title for vault in children] == ["first", "second", "third", "fourth"]
    steps = {vault.sort_order - before.sort_order for before, vault in pairwise(children)}
    assert steps == {first.sort_order}


@pytest.mark.parametrize("before", [0, 2 * ROWS_AT_ONCE])
async def test_a_folder_of_the_same_batch_cannot_be_named(ground: Storage, before: int) -> None:
    (last,) = await ground.batch_insert_vaults([VaultCreate(title="x")])
    folder, child = VaultCreate(title="y", is_folder=True), VaultCreate(title="z", parent_id=last + 1)
    with pytest.raises(NotFound, match=rf"^vaults\.{before + 1}: .*{last + 1}"):
        await ground.batch_insert_vaults([folder, *[VaultCreate(title="x")] * before, child])
