"""Guards: what other programs may store, and what becomes of it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from sidecar.storage.sqlite.schema import guards, upgrade
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS, m0010_guards, m0018_compact_guards
from tests.clocks import SetClock

NEVER = "2026-01-31T09:30:00.000Z"


@pytest.mark.parametrize(
    "written",
    ["'2026-01-31 09:30:00'", "'2026-01-31T10:30:00+01:00'", "1769851800", "1769851800000", "2461071.895833333"],
)
def test_a_time_that_sqlite_can_read_is_brought_to_the_stored_form(
    migrated: Callable[[], sqlite3.Connection], written: str
) -> None:
    with closing(migrated()) as connection:
        connection.execute(f"INSERT INTO todo (content, created_at) VALUES ('x', {written})")
        connection.execute(f"UPDATE todo SET start_time = {written}")
        assert connection.execute("SELECT created_at, start_time FROM todo").fetchall() == [(NEVER, NEVER)]


def test_the_present_time_of_sqlite_is_accepted_wherever_a_time_is(migrated: Callable[[], sqlite3.Connection]) -> None:
    with closing(migrated()) as connection:
        connection.execute("INSERT INTO conversations (page_name, created_at) VALUES ('home', CURRENT_TIMESTAMP)")
        sql = "INSERT INTO messages (conversation_id, role, created_at) VALUES (1, 'user', datetime('now'))"
        connection.execute(sql)
        for table in ("conversations", "messages"):
            (stored,) = connection.execute(f"SELECT created_at FROM {table}").fetchone()
            assert (stored[10], stored[-5:]) == ("T", ".000Z")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("INSERT INTO todo (content, created_at) VALUES ('x', 'yesterday')", "todo.created_at must be a time"),
        ("INSERT INTO activity (title, end_time) VALUES ('x', '')", "activity.end_time must be a time"),
        ("INSERT INTO todo (content, urgency) VALUES ('x', 'high')", "todo.urgency must be a whole number"),
        ("INSERT INTO vaults (title, parent_id) VALUES ('x', 'top')", "vaults.parent_id must be a whole number"),
        ("INSERT INTO chats (id) VALUES ('')", "chats.id must be a text of 1 to 500 characters"),
        ("INSERT INTO chats (id) VALUES (x'61')", "chats.id must be a text of 1 to 500 characters"),
        (
            "INSERT INTO messages (conversation_id, role, prompt_tokens) VALUES (1, 'user', 'many')",
            "messages.prompt_tokens must be a whole number from 0 to 1000000000000",
        ),
        (
            "INSERT INTO messages (conversation_id, role, cost) VALUES (1, 'user', -0.5)",
            "messages.cost must be a number from 0 to 1000000000000",
        ),
        (
            "INSERT INTO message_thinking (message_id, content, progress) VALUES (1, 'x', 7)",
            "message_thinking.progress must be a number from 0 to 1",
        ),
    ],
)
def test_a_value_that_nobody_can_read_is_refused_with_a_sentence(
    migrated: Callable[[], sqlite3.Connection], statement: str, message: str
) -> None:
    with closing(migrated()) as connection:
        with pytest.raises(sqlite3.IntegrityError) as refusal:
            connection.execute(statement)
        assert str(refusal.value).startswith(message)


def test_a_folder_that_is_put_into_itself_lies_at_the_top(migrated: Callable[[], sqlite3.Connection]) -> None:
    with closing(migrated()) as connection:
        connection.execute("INSERT INTO vaults (id, title, is_folder, parent_id) VALUES (5, 'x', 1, 5)")
        assert connection.execute("SELECT parent_id FROM vaults WHERE id = 5").fetchone() == (None,)
        connection.execute("UPDATE vaults SET parent_id = 5 WHERE id = 5")
        assert connection.execute("SELECT parent_id FROM vaults WHERE id = 5").fetchone() == (None,)


def test_a_row_that_was_invalid_before_can_still_be_changed_elsewhere(
    migrated: Callable[[], sqlite3.Connection],
) -> None:
    with closing(migrated()) as connection:
        removed = guards.remove(connection)
        connection.execute("INSERT INTO todo (content, created_at) VALUES ('x', 'yesterday')")
        guards.add_again(connection, removed)
        connection.execute("UPDATE todo SET content = 'y'")
        assert connection.execute("SELECT content, created_at FROM todo").fetchall() == [("y", "yesterday")]


def test_rows_of_before_are_brought_to_the_stored_form_as_far_as_they_can_be_read(
    migrated: Callable[[], sqlite3.Connection],
) -> None:
    with closing(migrated()) as connection:
        guards.remove(connection)
        connection.execute(
            "INSERT INTO activity (title, start_time, end_time, metadata, resources) VALUES "
            "('a', '2026-01-31 09:30:00', 'yesterday', 'null', 'null')"
        )
        connection.execute("INSERT INTO chats (id, metadata) VALUES ('t', 'null')")
        connection.execute("INSERT INTO chat_histories (chat_id, messages, cache_info) VALUES ('t', 'null', 'null')")
        connection.execute("INSERT INTO vaults (id, title, parent_id) VALUES (7, 'x', 7)")
        m0010_guards.migrate(connection)
        activity = connection.execute("SELECT start_time, end_time, metadata, resources FROM activity").fetchone()
        assert activity == (NEVER, "yesterday", None, None)
        assert connection.execute("SELECT metadata FROM chats").fetchone() == (None,)
        assert connection.execute("SELECT messages, cache_info FROM chat_histories").fetchone() == ("[]", "{}")
        assert connection.execute("SELECT parent_id FROM vaults WHERE id = 7").fetchone() == (None,)


VALUES = (
    *(None, 0, 1, -1, 2, 0.5, 1.0, 1e13, 10**13, "true", "No", "x", "", "5", "12:00", "a" * 300, "a" * 600),
    *("2026-01-31 09:30:00", NEVER, "2026-02-31T09:30:00.000Z", "1769851800", 1769851800, 2461071.895833333),
    *(b"a", b"", b"2026-01-31 09:30:00", "a\0b"),
)


@pytest.mark.parametrize("table", m0018_compact_guards.GUARDED)
def test_the_compact_guards_pass_change_and_refuse_what_the_guards_before_them_did(table: str) -> None:
    columns = [name.rstrip("?") for names in m0018_compact_guards.GUARDED[table].values() for name in names.split()]
    with closing(_of_version(17)) as before, closing(_of_version(18)) as compact:
        for column in columns:
            for value in VALUES:
                assert _outcomes(compact, table, column, value) == _outcomes(before, table, column, value), (
                    column,
                    value,
                )
        assert compact.execute("SELECT count(*) FROM guard_values").fetchone() == (0,)


def _of_version(version: int) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    until = [migration for migration in MIGRATIONS if migration.version <= version]
    upgrade.bring_up_to_date(connection, None, lambda *_: None, until, clock=SetClock())
    return connection


def _outcomes(connection: sqlite3.Connection, table: str, column: str, value: object) -> list[object]:
    """Return what becomes of a row that is inserted with the value, and of one that is changed to have it."""
    names = f"SELECT name FROM pragma_table_info('{table}') WHERE \"notnull\" AND dflt_value IS NULL AND name != 'id'"
    needed: dict[str, object] = {name: NEVER if "time" in name else 1 for (name,) in connection.execute(names)}
    return [
        _outcome(connection, table, column, [_inserted(table, {**needed, column: value})]),
        _outcome(
            connection, table, column, [_inserted(table, needed), (f'UPDATE {table} SET "{column}" = ?', [value])]
        ),
    ]


def _inserted(table: str, row: dict[str, object]) -> tuple[str, list[object]]:
    if not row:
        return f"INSERT INTO {table} DEFAULT VALUES", []
    columns = ", ".join(f'"{name}"' for name in row)
    return f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(row))})", list(row.values())


def _outcome(
    connection: sqlite3.Connection, table: str, column: str, statements: list[tuple[str, list[object]]]
) -> object:
    connection.execute("BEGIN")
    try:
        for sql, values in statements:
            connection.execute(sql, values)
        return connection.execute(f'SELECT typeof("{column}"), "{column}" FROM {table}').fetchall()
    except sqlite3.IntegrityError as refusal:
        return str(refusal)
    finally:
        connection.execute("ROLLBACK")
