"""Databases of the seeds' systems: recognised, backed up, adopted in place; nothing of them is lost."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import AdoptionSettings, DatabaseSettings
from sidecar.errors import BadConfiguration
from sidecar.storage.sqlite.adoption.conversions import Unfit
from sidecar.storage.sqlite.adoption.times import Clock, time_of
from sidecar.storage.sqlite.adoption.upgrade import adopt_or_upgrade
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.files import at_rest
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.storage.conftest import before_change

from ..sampling import STEP, sampled

SEEDS = Path(__file__).with_name("seeds")
SHAPES = ["minecontext", "minecontext-early", "vmpilot-histories", "vmpilot-exchanges"]
BERLIN = ZoneInfo("Europe/Berlin")
"""One hour before UTC in winter, two in summer."""

EIGHT = "2025-06-01T08:00:00.000Z"


def make(shape: str, path: Path) -> Path:
    """A file of this shape, as its system would leave it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((SEEDS / f"{shape}.sql").read_text(encoding="utf-8"))
    return path


@pytest.fixture
async def adopted(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    """A storage over an adopted database of the shape that the test asks for."""
    make(request.param, tmp_path / "sidecar.db")
    in_berlin = AdoptionSettings(time_zone=BERLIN.key)
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path, in_berlin)])
    await storage.initialize()
    yield storage
    await storage.close()


def of_shape(shape: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("adopted", [shape], indirect=True)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A second look at the adopted file."""
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        yield connection


def set_aside(file: sqlite3.Connection) -> list[tuple[str, Any, bool, str]]:
    rows = file.execute("SELECT table_name, row, is_carried, reason FROM adopted_orphans ORDER BY id")
    return [(table, json.loads(row), bool(carried), reason) for table, row, carried, reason in rows]


@of_shape("minecontext")
async def test_vaults_are_adopted(adopted: UnifiedStorage) -> None:
    folder, lost, circle = await adopted.get_vault(1), await adopted.get_vault(3), await adopted.get_vault(4)
    plan = await adopted.get_vault(2)
    assert (folder.content, folder.tags, folder.is_folder, folder.created_at) == ("", "", True, EIGHT)
    assert (plan.title, plan.summary, plan.content, plan.tags) == ("Plan", "short", "Text ä 日本", "a,b")
    assert (plan.parent_id, plan.is_folder, plan.is_deleted, plan.document_type, plan.sort_order) == (
        1,
        False,
        True,
        "Note",
        0,
    )
    assert (plan.created_at, plan.updated_at) == ("2025-06-01T08:00:00.123Z",) * 2
    assert (lost.parent_id, lost.document_type, lost.sort_order) == (None, "DailyReport", 5)
    assert (lost.created_at, lost.updated_at) == ("2025-01-01T11:00:00.500Z", "2025-01-02T12:00:00.000Z")
    assert (circle.parent_id, (await adopted.get_vault(5)).parent_id) == (None, 4)
    assert await adopted.restore_vault(2) == [2]


@of_shape("minecontext")
async def test_ids_go_on_where_the_seed_ended(adopted: UnifiedStorage) -> None:
    assert (await adopted.insert_vaults("next")).id == 71
    assert (await adopted.insert_todo("next")).id == 9
    message = await adopted.create_message(1, "user", "next")
    assert message.id == 5


@of_shape("minecontext")
async def test_todos_activities_and_tips_are_adopted(adopted: UnifiedStorage) -> None:
    water, empty, odd = [await adopted.get_todo(todo_id) for todo_id in (1, 7, 8)]
    assert (water.content, water.created_at, water.start_time, water.end_time) == (
        "water",
        EIGHT,
        EIGHT,
        "2025-06-01T09:00:00.000Z",
    )
    assert (water.status, water.urgency, water.assignee, water.reason) == (1, 3, "Ada", "dry")
    assert (empty.content, empty.end_time, empty.status, empty.urgency) == ("", None, 0, 0)
    assert (odd.content, odd.start_time, odd.status, odd.urgency) == ("odd", None, 0, 0)
    review, activity = await adopted.get_activity(1), await adopted.get_activity(2)
    assert (review.resources, review.metadata) == ([{"type": "file", "id": 1.0}], {"app": "editor"})
    assert (review.start_time, review.end_time) == ("2025-06-01T08:00:00.250Z", "2025-06-01T09:00:00.750Z")
    assert (activity.resources, activity.metadata) == ("no json {", {"value": [1, 2]})
    # Times of activities are local, with and without a fraction.
    assert activity.start_time == activity.end_time == "2025-06-01T07:00:00.000Z"
    tips = [(tip.content, tip.created_at) for tip in (await adopted.get_tips()).items]
    assert tips == [("drink", "2025-12-01T09:00:00.000Z"), ("stretch", EIGHT)]


@of_shape("minecontext")
async def test_conversations_are_adopted(adopted: UnifiedStorage) -> None:
    chat, deleted = await adopted.get_conversation(1), await adopted.get_conversation(2)
    assert (chat.title, chat.user_id, chat.page_name, chat.metadata) == ("Chat", "ada", "home", {"k": [1, None]})
    assert (chat.created_at, chat.updated_at) == (EIGHT, "2025-06-01T08:30:00.000Z")
    assert (deleted.page_name, deleted.status, deleted.metadata, deleted.updated_at) == ("", "deleted", {}, EIGHT)
    first, second, third = (await adopted.get_conversation_messages(1)).items
    assert (first.id, first.role, first.content, first.status, first.token_count) == (
        1,
        "user",
        "hello",
        "completed",
        2,
    )
    assert (second.id, second.parent_message_id, second.latency_ms, second.metadata) == (2, 1, 900, {"m": "x"})
    assert (second.completed_at, second.updated_at) == ("2025-06-01T08:00:02.900Z", "2025-06-01T08:00:02.000Z")
    assert [(step.content, step.stage, step.progress) for step in second.thinking] == [("hm", "plan", 0.5)]
    assert (third.id, third.parent_message_id, third.role, third.content, third.status) == (
        4,
        None,
        "assistant",
        "",
        "completed",
    )


@of_shape("minecontext")
async def test_orphans_and_what_did_not_fit_are_kept_with_their_reasons(
    adopted: UnifiedStorage, file: sqlite3.Connection
) -> None:
    kept = [(table, row["id"], carried) for table, row, carried, _ in set_aside(file)]
    assert kept == [
        ("vaults", 3, True),
        ("vaults", 4, True),
        ("todo", 8, True),
        ("messages", 3, False),
        ("messages", 4, True),
        ("messages", 4, True),
        ("message_thinking", 2, False),
        ("message_thinking", 3, False),
    ]
    _, row, _, reason = set_aside(file)[2]
    assert (row["start_time"], row["status"], row["urgency"]) == ("tomorrow", 5, "high")
    assert [part.split(":")[0] for part in reason.split("; ")] == ["start_time", "status", "urgency"]


@of_shape("minecontext")
async def test_monitoring_and_what_belongs_to_others_are_still_there(
    adopted: UnifiedStorage, file: sqlite3.Connection
) -> None:
    assert file.execute("SELECT model, total_tokens FROM monitoring_token_usage").fetchall() == [("m", 3)]
    assert file.execute("SELECT stage_name, avg_duration_ms FROM monitoring_stage_timing").fetchall() == [("s", 15)]
    assert file.execute("SELECT count FROM monitoring_data_stats").fetchall() == [(9,)]
    assert file.execute("SELECT vault_id, note FROM of_another_tool").fetchall() == [(1, "left alone")]
    assert file.execute("SELECT id FROM open_todos ORDER BY id").fetchall() == [(7,), (8,)]


@of_shape("minecontext-early")
async def test_columns_that_an_early_database_lacks_are_added(adopted: UnifiedStorage) -> None:
    todo, activity = await adopted.get_todo(1), await adopted.get_activity(1)
    assert (todo.content, todo.assignee, todo.reason) == ("water", None, None)
    assert (activity.resources, activity.metadata) == (None, {})
    assert [vault.title for vault in (await adopted.get_vaults()).items] == ["Note"]


@of_shape("vmpilot-histories")
async def test_chats_with_histories_are_adopted(adopted: UnifiedStorage, file: sqlite3.Connection) -> None:
    thread, state = await adopted.get_thread("thread-1"), await adopted.get_conversation_state("thread-1")
    assert (thread.initial_request, thread.project_root, thread.current_issue) == ("hello", "/home/ada", "31")
    assert (thread.metadata, thread.created_at) == ({"colour": "red"}, EIGHT)
    assert (state.messages, state.cache_info) == ([{"role": "user", "content": "hello"}], {"a": 1})
    assert state.updated_at == "2025-06-02T08:00:00.000Z"
    assert (await adopted.get_thread("thread-2")).created_at == "2025-06-01T08:00:00.500Z"
    assert (await adopted.get_conversation_state("thread-2")).messages == []
    # Its history has no row in `chats`.
    made = await adopted.get_thread("thread-9")
    assert (made.initial_request, made.created_at, made.updated_at) == (None, *["2025-06-02T08:00:00.000Z"] * 2)
    assert (await adopted.get_conversation_state("thread-9")).messages == [1]
    kept = [(table, row["id"], carried) for table, row, carried, _ in set_aside(file)]
    assert kept == [("chats", "", False), ("chat_histories", 1, False)]


@of_shape("vmpilot-exchanges")
async def test_chats_with_exchanges_are_adopted(adopted: UnifiedStorage, file: sqlite3.Connection) -> None:
    thread, state = await adopted.get_thread("thread-1"), await adopted.get_conversation_state("thread-1")
    assert (thread.initial_request, thread.project_root) == ("hello", "/home/ada")
    assert (state.messages, state.cache_info) == ([{"role": "user", "content": "hello"}], {"a": 1})
    assert state.updated_at == "2025-06-01T08:00:00.500Z"
    assert (await adopted.get_conversation_state("thread-2")).messages == []
    exchanges = (await adopted.get_exchanges("thread-1")).items
    assert [(exchange.exchange_id, exchange.request, exchange.start, exchange.end) for exchange in exchanges] == [
        (1, "one", "2025-06-01T08:00:00.500Z", "2025-06-01T08:00:01.500Z"),
        (4, "two", "2025-06-01T08:00:05.000Z", None),
    ]
    assert (await adopted.get_thread_cost("thread-1")).cost == {"total": 0.75, "cache": 1.0}
    # Its chat was cleared.
    made = await adopted.get_thread("thread-9")
    assert (made.initial_request, made.created_at) == ("whose am I", "2025-06-01T08:00:05.000Z")
    assert [exchange.exchange_id for exchange in (await adopted.get_exchanges("thread-9")).items] == [5]
    assert set_aside(file) == []
    assert (await adopted.add_exchange("thread-1", "m", "three")).exchange_id == 6


@of_shape("minecontext")
async def test_an_adopted_file_can_be_vacuumed_in_steps_and_has_no_free_pages(
    adopted: UnifiedStorage, file: sqlite3.Connection
) -> None:
    incremental = 2
    assert file.execute("PRAGMA auto_vacuum").fetchone() == (incremental,)
    assert file.execute("PRAGMA freelist_count").fetchone() == (0,)


@of_shape("not-utf8")
async def test_text_that_is_not_utf8_is_read_all_the_same(adopted: UnifiedStorage) -> None:
    assert (await adopted.get_todo(1)).content == "\ufffdA"


def bring_up_to_date(connection: sqlite3.Connection, backups: Path | None = None) -> int:
    before = None if backups is None else before_change(backups)
    return adopt_or_upgrade(connection, before, lambda *_: None, clock=SYSTEM_CLOCK)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_adopted_database_is_sound_and_has_the_schema_of_a_new_one(shape: str, tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(make(shape, tmp_path / "old.db"), isolation_level=None)) as old,
        closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as new,
    ):
        upgrade.check_version(tmp_path / "old.db", BackupDirectory(tmp_path, SYSTEM_CLOCK).usable_file)
        for connection in (old, new):
            connection.execute("PRAGMA foreign_keys = ON")
            bring_up_to_date(connection)
        assert old.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert old.execute("PRAGMA foreign_key_check").fetchall() == []
        assert old.execute("PRAGMA foreign_keys").fetchone() == (1,)
        # The `id` of histories, which stays, is a column that our table has not.
        theirs = {"of_another_tool", "open_todos", "chat_histories"}
        sql = "SELECT name, sql FROM sqlite_schema"
        old_objects, new_objects = set(old.execute(sql)), set(new.execute(sql))
        assert {one for one in old_objects ^ new_objects if one[0] not in theirs} == set()
        for pragma in ("user_version", "application_id"):
            assert old.execute(f"PRAGMA {pragma}").fetchone() == new.execute(f"PRAGMA {pragma}").fetchone()


@pytest.mark.parametrize("shape", SHAPES)
def test_adopting_twice_changes_nothing_more(shape: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(make(shape, tmp_path / "old.db"), isolation_level=None)) as connection:
        bring_up_to_date(connection)
        once = list(connection.iterdump())
        assert bring_up_to_date(connection) == 0
        assert list(connection.iterdump()) == once


@pytest.mark.parametrize("shape", SHAPES)
def test_a_verified_copy_is_made_first(shape: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(make(shape, tmp_path / "old.db"), isolation_level=None)) as connection:
        before = list(connection.iterdump())
        bring_up_to_date(connection, tmp_path / "backups")
    (backup,) = (tmp_path / "backups").glob("*.db")
    with closing(at_rest.open_at_rest(backup)) as copy:
        assert list(copy.iterdump()) == before


class Failing(sqlite3.Connection):
    """A connection whose statement number `fails_at` fails."""

    fails_at = -1
    executed = 0
    committed = False

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        self.executed += 1
        if self.executed == self.fails_at:
            raise RuntimeError("no more")
        cursor = super().execute(*arguments)
        self.committed |= arguments[0] == "COMMIT"
        return cursor


@pytest.mark.parametrize("shape", sampled(reversed(SHAPES), every=4))
def test_a_failure_at_any_statement_leaves_the_database_as_it_was(shape: str, tmp_path: Path) -> None:
    path = make(shape, tmp_path / "old.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        before = connection.serialize()
        dump = list(connection.iterdump())
    # Each shape takes other statements than the other shapes do.
    for number in range(1 + SHAPES.index(shape), 10_000, len(SHAPES) * STEP):
        with closing(sqlite3.connect(":memory:", isolation_level=None, factory=Failing)) as connection:
            connection.deserialize(before)
            connection.fails_at = number
            try:
                bring_up_to_date(connection)
                break
            except RuntimeError:
                connection.fails_at = -1
            if connection.committed:
                assert bring_up_to_date(connection) == 0
                continue
            assert not connection.in_transaction
            assert list(connection.iterdump()) == dump
            assert connection.execute("PRAGMA user_version").fetchone() == (0,)
            assert connection.execute("PRAGMA application_id").fetchone() == (0,)
    assert number > 50


@pytest.mark.parametrize(
    "tables",
    [
        "CREATE TABLE todo (id INTEGER, content TEXT, status INTEGER)",
        "CREATE TABLE chats (id INTEGER, name TEXT); CREATE TABLE chat_histories (chat_id, messages, cache_info)",
        "CREATE TABLE vaults (secret TEXT); CREATE TABLE todo (id); CREATE TABLE activity (id)",
    ],
)
def test_a_database_that_only_shares_names_is_refused_untouched(tables: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(tables)
    before = path.read_bytes()
    with pytest.raises(BadConfiguration, match="another program"):
        upgrade.check_version(path, BackupDirectory(tmp_path, SYSTEM_CLOCK).usable_file)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2025-06-01 10:00:00", "2025-06-01T10:00:00.000Z"),
        ("2025-06-01 10:00:00.123999", "2025-06-01T08:00:00.123Z"),
        ("2025-01-01 10:00:00.000001", "2025-01-01T09:00:00.000Z"),
        ("2025-06-01T10:00:00", "2025-06-01T10:00:00.000Z"),
        ("2025-06-01T10:00:00.000", EIGHT),
        ("2025-06-01 10:00", "2025-06-01T10:00:00.000Z"),
        ("2025-06-01", "2025-06-01T00:00:00.000Z"),
        ("2025-06-01 10:00:00 +02:00", EIGHT),
        (2460827.8333333335, "2025-06-01T08:00:00.000Z"),
        ("2025-06-01T10:00:00Z", "2025-06-01T10:00:00.000Z"),
        ("2025-06-01 10:00:00.5+02:00", "2025-06-01T08:00:00.500Z"),
        (1748764800, EIGHT),
        (1748764800000, EIGHT),
        (1748764800.25, "2025-06-01T08:00:00.250Z"),
        ("", None),
        (None, None),
    ],
)
def test_times_become_utc(written: Any, stored: str | None) -> None:
    assert time_of(Clock(BERLIN))(written) == stored


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2025-06-01 10:00:00", EIGHT),
        ("2025-01-01 09:00", "2025-01-01T08:00:00.000Z"),
        ("2025-06-01 10:00:00.5", "2025-06-01T08:00:00.500Z"),
        ("2025-06-01 10:00:00Z", "2025-06-01T10:00:00.000Z"),
    ],
)
def test_in_local_columns_whole_seconds_are_local_too(written: str, stored: str) -> None:
    assert time_of(Clock(BERLIN), is_local=True)(written) == stored


@pytest.mark.parametrize("written", ["tomorrow", "2025-13-01 10:00:00", 1e300, b"\xff"])
def test_what_is_no_time_is_told(written: Any) -> None:
    with pytest.raises(Unfit, match="is not a time"):
        time_of(Clock(BERLIN))(written)
