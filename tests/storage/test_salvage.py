"""What can be read of a damaged file is saved; what cannot comes from the backup or is counted as lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models.recovery import SalvagedTable
from sidecar.storage.sqlite.files import integrity
from sidecar.storage.sqlite.recovery import damaged_reader, salvage
from sidecar.storage.sqlite.recovery.repaired_copy import repaired_copy
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.unified import UnifiedStorage

from .damage import PAGE, content, leaves, overwrite, populate, roots, schema_pages, storage_at


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """The database of a storage that was closed; it holds 400 tips and todos and 101 vaults."""
    storage = storage_at(tmp_path)
    await storage.initialize()
    await populate(storage, "first", rows=400)
    await storage.close()
    return tmp_path / "sidecar.db"


def salvaged(file: Path, base: Path | None = None) -> tuple[dict[str, SalvagedTable], Path]:
    """The report, and the file into which the damaged one was merged: a copy of `base`, or a new one."""
    target = file.with_name("target.db")
    if base is not None:
        target.write_bytes(base.read_bytes())
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        upgrade.bring_up_to_date(connection, None, lambda *_: None, clock=SYSTEM_CLOCK)
        with repaired_copy(file, file.with_name("copy.db"), base) as copy:
            report = salvage.salvage(copy, connection, "2026-01-31T09:30:00.000Z")
        assert integrity.problems(connection) == []
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    return report, target


def execute(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def page_of(file: Path, number: int) -> bytes:
    return file.read_bytes()[(number - 1) * PAGE : number * PAGE]


def ids(file: Path, table: str) -> set[int]:
    return {row[0] for row in content(file)[table]}


async def test_a_sound_file_is_saved_whole(file: Path) -> None:
    before = content(file)
    report, target = salvaged(file)
    assert content(target) == before
    assert {(table.from_backup, table.lost, table.set_aside) for table in report.values()} == {(0, 0, 0)}


async def test_a_lost_page_costs_its_own_rows_and_they_are_counted(file: Path) -> None:
    before = content(file)
    overwrite(file, leaves(file, "tips")[3])
    report, target = salvaged(file)
    lost = before["tips"] - content(target)["tips"]
    assert 0 < len(lost) < 100
    assert report["tips"] == SalvagedTable(saved=len(before["tips"]) - len(lost), lost=len(lost))
    assert {name: rows for name, rows in content(target).items() if name != "tips"} == {
        name: rows for name, rows in before.items() if name != "tips"
    }


async def test_sound_pages_between_damaged_ones_are_found(file: Path) -> None:
    before = content(file)["tips"]
    pages = leaves(file, "tips")
    for page in pages[::2]:
        overwrite(file, page)
    report, target = salvaged(file)
    after = content(target)["tips"]
    assert after < before
    assert len(after) > 0.3 * len(before)
    assert report["tips"].lost == len(before) - len(after)


async def test_the_first_and_the_last_page_of_a_table_can_be_lost(file: Path) -> None:
    before = content(file)["tips"]
    pages = leaves(file, "tips")
    for page in (pages[0], pages[-1]):
        overwrite(file, page)
    report, target = salvaged(file)
    after = content(target)["tips"]
    assert after < before
    assert report["tips"] == SalvagedTable(saved=len(after), lost=len(before) - len(after))


@pytest.mark.parametrize("new", [b"\x00" * PAGE, b"\xa5" * PAGE])
async def test_a_lost_upper_page_of_a_table_costs_no_row(file: Path, new: bytes) -> None:
    before = content(file)
    overwrite(file, roots(file)["tips"], new)
    report, target = salvaged(file)
    assert report["tips"] == SalvagedTable(saved=400)
    assert content(target) == before


@pytest.mark.parametrize("count", [0, 1, 255])
async def test_a_page_with_a_wrong_number_of_rows_costs_none(file: Path, count: int) -> None:
    before = content(file)
    overwrite(file, leaves(file, "tips")[2], count.to_bytes(2, "big"), at=3)
    with closing(damaged_reader.open_damaged(file)) as connection:
        assert damaged_reader.has_lost_rows(connection)
    report, target = salvaged(file)
    assert report["tips"] == SalvagedTable(saved=400)
    assert content(target) == before


async def test_a_page_of_another_table_is_none_of_this_one(file: Path) -> None:
    before = content(file)
    page = leaves(file, "tips")[2]
    overwrite(file, page, page_of(file, leaves(file, "todo")[0]))
    report, target = salvaged(file)
    lost = before["tips"] - content(target)["tips"]
    assert content(target)["tips"] < before["tips"]
    assert report["tips"] == SalvagedTable(saved=400 - len(lost), lost=len(lost))
    assert content(target)["todo"] == before["todo"]


async def test_rows_that_an_index_contradicts_are_saved_and_counted(file: Path, tmp_path: Path) -> None:
    older = file.read_bytes()
    execute(file, "UPDATE todo SET urgency = 7 WHERE id = 1")
    number = leaves(file, "todo")[0]
    overwrite(file, number, older[(number - 1) * PAGE : number * PAGE])
    with closing(damaged_reader.open_damaged(file)) as connection:
        assert damaged_reader.has_lost_rows(connection)
    report, _ = salvaged(file)
    assert report["todo"] == SalvagedTable(saved=400, doubtful=1)


async def test_of_two_rows_that_damage_made_alike_neither_vanishes(file: Path) -> None:
    execute(file, "INSERT INTO chats (id) VALUES ('chat-1'), ('chat-2'), ('chat-3')")
    whole = file.read_bytes()
    number = leaves(file, "chats")[0]
    place = whole.index(b"chat-2", (number - 1) * PAGE)
    file.write_bytes(whole[:place] + b"chat-1" + whole[place + 6 :])
    report, target = salvaged(file)
    assert {row[0] for row in content(target)["chats"]} == {"chat-1", "chat-3"}
    assert (report["chats"].saved, report["chats"].set_aside) == (2, 1)
    assert len(content(target)["adopted_orphans"]) == 1


async def test_a_row_id_that_is_wrong_costs_its_row_and_no_other(file: Path) -> None:
    before = content(file)["tips"]
    number = leaves(file, "tips")[2]
    page = page_of(file, number)
    cell = int.from_bytes(page[14:16], "big")  # the fourth; its payload's size takes one byte
    overwrite(file, number, b"\x01", at=cell + (1 if page[cell] < 0x80 else 2))
    report, target = salvaged(file)
    lost = before - content(target)["tips"]
    assert report["tips"] == SalvagedTable(saved=399, lost=1)
    assert len(lost) == 1


async def test_where_no_index_has_the_ids_every_id_that_may_be_missing_counts(file: Path) -> None:
    before = ids(file, "tips")
    overwrite(file, leaves(file, "tips")[3])
    overwrite(file, roots(file)["idx_tips_created_at"])
    report, target = salvaged(file)
    assert report["tips"].lost == len(before - ids(target, "tips")) > 0


async def test_where_there_may_be_any_number_of_rows_none_is_reported(file: Path) -> None:
    execute(file, "CREATE TABLE theirs (name TEXT)", *(f"INSERT INTO theirs VALUES ('{'x' * 900}')" for _ in range(40)))
    overwrite(file, leaves(file, "theirs")[-1])
    report, _ = salvaged(file)
    assert 0 < report["theirs"].saved < 40
    assert report["theirs"].lost is None


async def test_a_long_row_whose_rest_cannot_be_followed_is_lost_and_counted(file: Path) -> None:
    execute(file, f"INSERT INTO tips (content) VALUES ('{'long ' * 4000}')")
    place = next(
        number
        for number in range(3, len(file.read_bytes()) // PAGE)
        if page_of(file, number)[4:].startswith(b"long ") or page_of(file, number)[6:].startswith(b"long ")
    )
    overwrite(file, place, b"\xff\xff\xff\xff")
    report, _ = salvaged(file)
    assert report["tips"].saved + (report["tips"].lost or 0) == 401


async def test_a_damaged_index_costs_no_row(file: Path) -> None:
    before = content(file)
    overwrite(file, roots(file)["idx_tips_created_at"])
    with closing(damaged_reader.open_damaged(file)) as connection:
        assert not damaged_reader.has_lost_rows(connection)
    report, target = salvaged(file)
    assert content(target) == before
    assert report["tips"].lost == 0


class TestWithABackup:
    @pytest.fixture
    async def backup(self, file: Path) -> Path:
        """A copy of the file; after it, rows were added, changed and removed."""
        copy = file.with_name("backup.db")
        copy.write_bytes(file.read_bytes())
        storage: UnifiedStorage = storage_at(file.parent)
        await storage.initialize()
        await populate(storage, "second", rows=40)
        for todo_id in range(1, 21):
            await storage.update_todo(todo_id, content=f"changed {todo_id}")
        for todo_id in range(101, 111):
            await storage.delete_todo(todo_id)
        await storage.close()
        return copy

    async def test_a_sound_file_wins_in_everything(self, file: Path, backup: Path) -> None:
        before = content(file)
        _, target = salvaged(file, backup)
        assert content(target) == before

    async def test_what_a_lost_page_had_comes_from_the_backup_and_all_else_is_as_it_was(
        self, file: Path, backup: Path
    ) -> None:
        before, older = content(file), content(backup)
        overwrite(file, leaves(file, "todo")[0])
        report, target = salvaged(file, backup)
        after = content(target)
        from_backup = after["todo"] - before["todo"]
        assert from_backup
        assert from_backup <= older["todo"]
        assert ids(target, "todo") == {row[0] for row in before["todo"]}
        assert report["todo"].lost == 0
        assert report["todo"].from_backup > 0
        assert {**after, "todo": None} == {**before, "todo": None}

    async def test_deleted_rows_come_back_only_where_nothing_can_be_read(self, file: Path, backup: Path) -> None:
        overwrite(file, leaves(file, "todo")[0])  # the first rows; the deleted ones were on later pages
        _, target = salvaged(file, backup)
        assert ids(target, "todo") & set(range(101, 111)) == set()

    async def test_rows_that_are_newer_than_the_backup_and_on_a_lost_page_are_counted(
        self, file: Path, backup: Path
    ) -> None:
        before = ids(file, "tips")
        overwrite(file, leaves(file, "tips")[-1])
        report, target = salvaged(file, backup)
        after = ids(target, "tips")
        assert ids(backup, "tips") <= after
        assert report["tips"].lost == len(before - after) > 0

    async def test_a_table_all_of_which_is_lost_is_the_backups(self, file: Path, backup: Path) -> None:
        for page in (roots(file)["vaults"], *leaves(file, "vaults")):
            overwrite(file, page)
        report, target = salvaged(file, backup)
        assert ids(target, "vaults") == ids(backup, "vaults")
        assert (report["vaults"].saved, report["vaults"].from_backup) == (0, len(content(backup)["vaults"]))
        assert report["vaults"].lost == 11


class TestReferences:
    async def test_rows_whose_parent_is_lost_are_set_aside(self, file: Path) -> None:
        execute(
            file,
            "INSERT INTO conversations (id, title, page_name) VALUES (1, 'lost', 'page')",
            "INSERT INTO messages (id, conversation_id, role, content) VALUES (1, 1, 'user', 'hello')",
            "INSERT INTO message_thinking (message_id, content) VALUES (1, 'hm')",
        )
        overwrite(file, roots(file)["conversations"])
        report, target = salvaged(file)
        after = content(target)
        assert (after["messages"], after["message_thinking"]) == (set(), set())
        assert (report["messages"].set_aside, report["message_thinking"].set_aside) == (1, 1)
        kept = {(row[1], row[4]) for row in after["adopted_orphans"]}
        assert kept == {("messages", 0), ("message_thinking", 0)}
        assert any("hello" in row[2] for row in after["adopted_orphans"])

    async def test_a_table_of_others_may_refer_to_one_that_there_is_not(self, file: Path) -> None:
        execute(
            file,
            "CREATE TABLE mine (a REFERENCES nowhere (x), b)",
            "INSERT INTO mine VALUES (NULL, 2)",
        )
        overwrite(file, roots(file)["conversations"])
        _, target = salvaged(file)
        assert content(target)["mine"] == {(None, 2)}

    async def test_a_vault_whose_folder_is_lost_moves_to_the_top(self, file: Path) -> None:
        first = leaves(file, "vaults")[0]
        overwrite(file, first)
        report, target = salvaged(file)
        with closing(sqlite3.connect(target)) as connection:
            sql = "SELECT count(*), count(parent_id) FROM vaults WHERE title LIKE 'first %'"
            at_the_top, in_a_folder = connection.execute(sql).fetchone()
        assert at_the_top > 50
        assert in_a_folder == 0
        assert report["vaults"].set_aside == 0


async def test_a_row_with_a_text_that_is_not_utf_8_is_saved_with_the_same_bytes(file: Path) -> None:
    whole = file.read_bytes()
    place = whole.index(b"first tip 17 ")
    file.write_bytes(whole[:place] + b"\xff\xfe" + whole[place + 2 :])
    report, target = salvaged(file)
    assert (report["tips"].saved, report["tips"].set_aside) == (400, 0)
    with closing(sqlite3.connect(target)) as connection:
        sql = "SELECT typeof(content) FROM tips WHERE instr(CAST(content AS BLOB), ?)"
        assert connection.execute(sql, (b"\xff\xferst tip 17 ",)).fetchall() == [("text",)]


async def test_a_row_with_values_that_nobody_can_read_is_saved_as_it_was(file: Path) -> None:
    execute(file, *(f"DROP TRIGGER {name}" for name in ("guard_todo_inserted", "guard_todo_changed")))
    execute(file, "INSERT INTO todo (id, content, created_at, urgency) VALUES (9000, 'odd', 'yesterday', 'high')")
    report, target = salvaged(file)
    assert report["todo"].set_aside == 0
    with closing(sqlite3.connect(target)) as connection:
        row = connection.execute("SELECT created_at, urgency FROM todo WHERE id = 9000").fetchone()
        assert row == ("yesterday", "high")
        with pytest.raises(sqlite3.IntegrityError, match=r"todo\.created_at must be a time"):
            connection.execute("INSERT INTO todo (content, created_at) VALUES ('new', 'yesterday')")


async def test_rows_set_aside_while_another_table_is_saved_stay_beside_those_that_were_there(file: Path) -> None:
    execute(
        file,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, 'title TEXT NOT NULL', 'title TEXT') WHERE name = 'activity'",
    )
    execute(
        file,
        "INSERT INTO activity (title, content) VALUES (NULL, 'a dull meeting')",
        "INSERT INTO adopted_orphans (table_name, row, reason, is_carried, created_at, origin, acknowledged_at)"
        " VALUES ('tips', '{}', 'before', 0, '2026-01-31T12:00:00.000Z', 'import', '2026-02-01T12:00:00.000Z')",
    )
    report, target = salvaged(file)
    with closing(sqlite3.connect(target)) as connection:
        kept = connection.execute(
            "SELECT table_name, origin, acknowledged_at FROM adopted_orphans ORDER BY id"
        ).fetchall()
    assert kept == [("tips", "import", "2026-02-01T12:00:00.000Z"), ("activity", "recovery", None)]
    assert (report["activity"].set_aside, report["adopted_orphans"].saved) == (1, 1)


async def test_a_table_without_row_ids_is_read_from_both_ends(file: Path) -> None:
    rows = ", ".join(f"('key {number:05}', x'00', 'result', '2026-01-01')" for number in range(2000))
    execute(file, f"INSERT INTO idempotency_keys (key, fingerprint, result, created_at) VALUES {rows}")
    pages = leaves(file, "idempotency_keys")
    overwrite(file, pages[len(pages) // 2])
    report, target = salvaged(file)
    assert report["idempotency_keys"].lost is None
    assert 1800 < report["idempotency_keys"].saved < 2000
    with closing(sqlite3.connect(target)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM idempotency_keys").fetchone()
    assert count == report["idempotency_keys"].saved


@pytest.mark.parametrize("other", [b"kex 00017", b"key 0001x"])
async def test_a_key_that_an_index_contradicts_is_not_said_to_be_complete(file: Path, other: bytes) -> None:
    rows = ", ".join(f"('key {number:05}', x'00', 'result', '2026-01-01')" for number in range(100))
    execute(file, f"INSERT INTO idempotency_keys (key, fingerprint, result, created_at) VALUES {rows}")
    whole = file.read_bytes()
    place = whole.index(b"key 00017", (leaves(file, "idempotency_keys")[0] - 1) * PAGE)
    file.write_bytes(whole[:place] + other + whole[place + len(other) :])
    report, _ = salvaged(file)
    assert report["idempotency_keys"].lost is None


async def test_tables_of_others_are_saved_too(file: Path) -> None:
    execute(file, "CREATE TABLE theirs (name TEXT)", "INSERT INTO theirs VALUES ('kept')")
    report, target = salvaged(file)
    assert content(target)["theirs"] == {("kept",)}
    assert report["theirs"].saved == 1


async def test_new_rows_get_ids_that_no_row_ever_had(file: Path) -> None:
    execute(file, "DELETE FROM tips WHERE id > 390")
    _, target = salvaged(file)
    execute(target, "INSERT INTO tips (content) VALUES ('new')")
    assert max(ids(target, "tips")) == 401


async def test_a_file_whose_list_of_tables_is_lost_tells_nothing(file: Path) -> None:
    for page in schema_pages(file):
        overwrite(file, page, b"\xff" * (PAGE - 100), at=100)
    with pytest.raises(sqlite3.DatabaseError):
        salvaged(file)
