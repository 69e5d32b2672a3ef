"""`sidecar import minecontext` and `sidecar import vmpilot`: a copy is adopted and merged, the file stays as it is."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.cli import main
from sidecar.exit_codes import ExitCode
from sidecar.models.transfer import Row
from sidecar.storage.capabilities import StoreRows
from sidecar.storage.sqlite.transfer import store as transfer

SEEDS = Path(__file__).parent.parent / "storage" / "seeds"
SECOND = "2026-01-31 12:00:00"
TABLES = ["vaults", "todo", "activity", "tips", "conversations", "messages", "message_thinking", "chats", "exchanges"]


def make(shape: str, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((SEEDS / f"{shape}.sql").read_text(encoding="utf-8"))
    return path


@contextmanager
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "data" / "sidecar.db")) as connection:
        yield connection


def counts(tmp_path: Path) -> dict[str, int]:
    with store(tmp_path) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def minecontext(path: Path, *vaults: str, todos: tuple[str, ...] = ()) -> Path:
    """A database as the first system makes it, with these rows, all made in the same second."""
    make("minecontext-early", path)
    change(path, "DELETE FROM vaults", "DELETE FROM todo", "DELETE FROM activity", "DELETE FROM sqlite_sequence")
    change(
        path,
        *[f"INSERT INTO vaults (title, content, created_at) VALUES ('{title}', '', '{SECOND}')" for title in vaults],
        *[f"INSERT INTO todo (content, created_at) VALUES ('{content}', '{SECOND}')" for content in todos],
    )
    return path


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def todos(tmp_path: Path) -> list[str]:
    with store(tmp_path) as connection:
        return [content for (content,) in connection.execute("SELECT content FROM todo ORDER BY id")]


def run_import(tmp_path: Path, *arguments: str) -> int:
    return main(["import", *arguments, "--data-dir", str(tmp_path / "data")])


def test_importing_both_systems_merges_them_and_again_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app, vmpilot = make("minecontext", tmp_path / "app.db"), make("vmpilot-exchanges", tmp_path / "vmpilot.db")
    before = app.read_bytes(), vmpilot.read_bytes()
    assert run_import(tmp_path, "minecontext", str(app)) == ExitCode.CLEAN
    assert run_import(tmp_path, "vmpilot", str(vmpilot)) == ExitCode.CLEAN
    once = counts(tmp_path)
    assert once == dict(zip(TABLES, [5, 3, 2, 2, 2, 3, 1, 3, 3], strict=True))
    assert run_import(tmp_path, "minecontext", str(app)) == ExitCode.CLEAN
    assert run_import(tmp_path, "vmpilot", str(vmpilot)) == ExitCode.CLEAN
    assert counts(tmp_path) == once
    assert (app.read_bytes(), vmpilot.read_bytes()) == before
    assert "Added nothing." in capsys.readouterr().out


def test_what_was_added_to_the_seed_since_is_added(tmp_path: Path) -> None:
    app = make("minecontext", tmp_path / "app.db")
    run_import(tmp_path, "minecontext", str(app))
    with closing(sqlite3.connect(app)) as connection, connection:
        connection.execute("INSERT INTO todo (content) VALUES ('since')")
    run_import(tmp_path, "minecontext", str(app))
    with store(tmp_path) as connection:
        todos = [content for (content,) in connection.execute("SELECT content FROM todo ORDER BY id")]
    assert todos == ["water", "", "odd", "since"]


def test_rows_set_aside_and_the_report_become_rows_of_the_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make("minecontext", tmp_path / "app.db")
    assert run_import(tmp_path, "minecontext", str(app)) == ExitCode.CLEAN
    with store(tmp_path) as connection:
        rows = [json.loads(row) for (row,) in connection.execute("SELECT row FROM adopted_orphans")]
        adoptions = connection.execute("SELECT system, source FROM adoptions").fetchall()
    assert "whose am I" in [row.get("content") for row in rows]
    assert adoptions == [("minecontext", str(app))]
    told = capsys.readouterr().out
    assert "8 rows set aside" in told
    assert f"`sidecar adopted --data-dir {tmp_path / 'data'}`" in told
    assert not list((tmp_path / "data").glob("*.jsonl"))


def test_values_of_unknown_columns_are_set_aside(tmp_path: Path) -> None:
    app = make("minecontext", tmp_path / "app.db")
    with closing(sqlite3.connect(app)) as connection, connection:
        connection.execute("ALTER TABLE tips ADD COLUMN colour TEXT")
        connection.execute("UPDATE tips SET colour = 'red' WHERE id = 1")
    assert run_import(tmp_path, "minecontext", str(app)) == ExitCode.CLEAN
    with store(tmp_path) as connection:
        sql = "SELECT row, reason, is_carried FROM adopted_orphans WHERE table_name = 'tips'"
        ((row, reason, is_carried),) = connection.execute(sql)
    assert (json.loads(row)["colour"], reason, is_carried) == ("red", "colour: an import does not add columns", 1)


def test_nothing_is_left_of_the_copies(tmp_path: Path) -> None:
    run_import(tmp_path, "minecontext", str(make("minecontext", tmp_path / "app.db")))
    assert not list((tmp_path / "data").glob("scratch-*"))


def test_a_row_set_aside_that_was_brought_back_is_not_set_aside_again(tmp_path: Path) -> None:
    app = make("minecontext", tmp_path / "app.db")
    run_import(tmp_path, "minecontext", str(app))
    with store(tmp_path) as connection, connection:
        connection.execute("DELETE FROM adopted_orphans WHERE table_name = 'messages'")
    run_import(tmp_path, "minecontext", str(app))
    with store(tmp_path) as connection:
        (count,) = connection.execute("SELECT count(*) FROM adopted_orphans").fetchone()
    assert count == 5


def test_ids_of_rows_set_aside_are_no_ids_of_the_store(tmp_path: Path) -> None:
    run_import(tmp_path, "minecontext", str(minecontext(tmp_path / "first.db")))
    with store(tmp_path) as connection, connection:
        connection.execute("INSERT INTO conversations (id, page_name) VALUES (42, 'mine')")
        connection.execute("INSERT INTO messages (id, conversation_id, role, content) VALUES (3, 42, 'user', 'mine')")
    run_import(tmp_path, "minecontext", str(make("minecontext", tmp_path / "app.db")))
    with store(tmp_path) as connection:
        rows = {
            row["content"]: (table, row)
            for table, text in connection.execute("SELECT table_name, row FROM adopted_orphans").fetchall()
            if "content" in (row := json.loads(text))
        }
    _, message = rows["whose am I"]
    _, thinking = rows["of an orphan"]
    assert message["conversation_id"] not in (1, 2, 42)
    assert message["id"] != 3
    assert thinking["message_id"] == message["id"]


class TestWhichDatabase:
    """A database is known by its content."""

    @pytest.mark.parametrize("shape", ["minecontext", "vmpilot-histories", "vmpilot-exchanges"])
    def test_a_copy_at_another_place_adds_nothing(
        self, shape: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        system = shape.partition("-")[0]
        (tmp_path / "elsewhere").mkdir()
        for path in (tmp_path / "app.db", tmp_path / "elsewhere" / "copy.db"):
            assert run_import(tmp_path, system, str(make(shape, path))) == ExitCode.CLEAN
        assert "Added nothing." in capsys.readouterr().out

    def test_a_copy_of_the_database_that_was_adopted_in_place_adds_nothing_whatever_was_changed_since(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "data").mkdir()
        make("minecontext", tmp_path / "data" / "sidecar.db")
        copy = make("minecontext", tmp_path / "copy.db")
        run_import(tmp_path, "minecontext", str(make("minecontext-early", tmp_path / "other.db")), "--dry-run")
        with store(tmp_path) as connection, connection:
            connection.execute("UPDATE todo SET status = 1, urgency = 3 WHERE id = 7")
            connection.execute("UPDATE vaults SET content = 'edited' WHERE id = 2")
        before = counts(tmp_path)
        change(copy, "UPDATE todo SET assignee = 'Grace' WHERE id = 1")
        assert run_import(tmp_path, "minecontext", str(copy)) == ExitCode.CLEAN
        assert "Added nothing." in capsys.readouterr().out
        assert counts(tmp_path) == before

    def test_another_zone_makes_no_other_database_of_it(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        app = make("minecontext", tmp_path / "app.db")
        for zone in ("Asia/Kathmandu", "America/New_York"):
            assert run_import(tmp_path, "minecontext", str(app), "--time-zone", zone) == ExitCode.CLEAN
        assert "Added nothing." in capsys.readouterr().out

    def test_a_table_that_was_empty_adds_its_rows_later(self, tmp_path: Path) -> None:
        app = minecontext(tmp_path / "app.db", "note")
        run_import(tmp_path, "minecontext", str(app))
        change(app, "INSERT INTO todo (content) VALUES ('new')")
        run_import(tmp_path, "minecontext", str(app))
        assert (counts(tmp_path)["vaults"], counts(tmp_path)["todo"]) == (1, 1)

    def test_a_database_that_had_no_row_adds_each_once(self, tmp_path: Path) -> None:
        app = minecontext(tmp_path / "app.db")
        run_import(tmp_path, "minecontext", str(app))
        change(app, "INSERT INTO todo (content) VALUES ('new')")
        for _ in range(2):
            run_import(tmp_path, "minecontext", str(app))
        assert counts(tmp_path)["todo"] == 1

    @pytest.mark.parametrize(
        "edit",
        [
            "DELETE FROM todo WHERE id = 1",
            "UPDATE todo SET content = 'edited' WHERE id = 1",
            "UPDATE todo SET status = 1, end_time = '2026-02-01 12:00:00'",
        ],
    )
    def test_rows_that_were_removed_or_edited_since_make_no_other_database_of_it(
        self, tmp_path: Path, edit: str
    ) -> None:
        app = minecontext(tmp_path / "app.db", todos=("one", "two", "three"))
        run_import(tmp_path, "minecontext", str(app))
        change(app, edit)
        change(app, "INSERT INTO todo (content) VALUES ('four')")
        run_import(tmp_path, "minecontext", str(app))
        assert todos(tmp_path) == ["one", "two", "three", "four"]

    def test_what_was_edited_more_and_more_is_still_known(self, tmp_path: Path) -> None:
        app = minecontext(tmp_path / "app.db", todos=("one", "two", "three"))
        for number in (1, 2, 3):
            run_import(tmp_path, "minecontext", str(app))
            change(app, f"UPDATE todo SET content = 'edited' WHERE id = {number}")
        run_import(tmp_path, "minecontext", str(app))
        assert todos(tmp_path) == ["one", "two", "three"]

    def test_two_databases_whose_rows_share_ids_and_times_stay_apart(self, tmp_path: Path) -> None:
        for name, contents in (("one", ("a", "b")), ("other", ("c", "d"))):
            app = minecontext(tmp_path / f"{name}.db", todos=contents)
            for _ in range(2):
                run_import(tmp_path, "minecontext", str(app))
        assert todos(tmp_path) == ["a", "b", "c", "d"]

    def test_two_fresh_databases_lose_nothing(self, tmp_path: Path) -> None:
        for content in ("a", "b"):
            app = minecontext(tmp_path / f"{content}.db", "Quick Start", todos=(content,))
            run_import(tmp_path, "minecontext", str(app))
        assert todos(tmp_path) == ["a", "b"]

    def test_the_same_rows_of_the_other_system_are_its_own(self, tmp_path: Path) -> None:
        run_import(tmp_path, "vmpilot", str(make("vmpilot-exchanges", tmp_path / "one.db")))
        run_import(tmp_path, "minecontext", str(make("minecontext", tmp_path / "other.db")))
        with store(tmp_path) as connection:
            systems = connection.execute("SELECT system FROM adoptions ORDER BY id").fetchall()
        assert systems == [("vmpilot",), ("minecontext",)]


def test_the_zone_is_named_and_can_be_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = make("minecontext", tmp_path / "app.db")
    assert run_import(tmp_path, "minecontext", str(app), "--time-zone", "Asia/Tokyo") == ExitCode.CLEAN
    assert "those of Asia/Tokyo" in capsys.readouterr().out
    with store(tmp_path) as connection:
        (start,) = connection.execute("SELECT start_time FROM activity WHERE title = 'Review'").fetchone()
        assert connection.execute("SELECT time_zone FROM adoptions").fetchone() == ("Asia/Tokyo",)
    assert start == "2025-06-01T01:00:00.250Z"


def test_the_zone_of_the_settings_is_the_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sidecar.toml").write_text("[adoption]\ntime_zone = 'Asia/Tokyo'\n")
    run_import(tmp_path, "minecontext", str(make("minecontext", tmp_path / "app.db")))
    assert "those of Asia/Tokyo" in capsys.readouterr().out


def test_an_unknown_zone_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        run_import(tmp_path, "minecontext", str(tmp_path / "app.db"), "--time-zone", "Mars/Olympus")
    assert exited.value.code == ExitCode.BAD_CONFIGURATION
    assert "there is no time zone 'Mars/Olympus'" in capsys.readouterr().err


def test_a_dry_run_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = make("minecontext", tmp_path / "app.db")
    assert run_import(tmp_path, "minecontext", str(app), "--dry-run") == ExitCode.CLEAN
    assert counts(tmp_path)["todo"] == 0
    with store(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM adopted_orphans").fetchone() == (0,)
    assert "Would add" in capsys.readouterr().out


@pytest.mark.parametrize("system", ["minecontext", "vmpilot"])
def test_a_file_that_the_system_did_not_make_is_refused(
    system: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make({"minecontext": "vmpilot-histories", "vmpilot": "minecontext"}[system], tmp_path / "other.db")
    (tmp_path / "garbage.db").write_bytes(b"no database " * 1000)
    for file in (other, tmp_path / "garbage.db"):
        assert run_import(tmp_path, system, str(file)) == ExitCode.BAD_CONFIGURATION
        assert file.name in capsys.readouterr().err
    assert not (tmp_path / "data" / "sidecar.db").exists()


def test_a_store_that_nobody_has_open_needs_no_archive_of_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("sidecar.tools.export.ZipFile")
    assert run_import(tmp_path, str(make("minecontext", tmp_path / "app.db"))) == ExitCode.CLEAN
    assert counts(tmp_path)["todo"] == 3


class TestRowsThatTheImportCannotTake:
    """The command says so of the file; the store stays as it was, and is not taken for damaged."""

    def refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, todos: Callable[[], Iterator[Row]]) -> None:
        """Import a database whose copy has these `todos`."""
        app, rows_of = minecontext(tmp_path / "app.db", "a vault"), transfer.rows_of

        def rows_of_copy(connection: sqlite3.Connection) -> StoreRows:
            rows = rows_of(connection)
            return replace(rows, read=lambda kind: todos() if kind == "todos" else rows(kind))

        run_import(tmp_path, str(minecontext(tmp_path / "first.db", "kept")))
        before = counts(tmp_path), {path.name for path in (tmp_path / "data").iterdir()}
        monkeypatch.setattr(transfer, "rows_of", rows_of_copy)
        assert run_import(tmp_path, str(app)) == ExitCode.BAD_CONFIGURATION
        assert (counts(tmp_path), {path.name for path in (tmp_path / "data").iterdir()}) == before

    def test_a_copy_that_cannot_be_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def malformed() -> Iterator[Row]:
            yield from ()
            raise sqlite3.DatabaseError("database disk image is malformed")

        self.refused(tmp_path, monkeypatch, malformed)
        assert "app.db cannot be read as a database: database disk image is malformed." in capsys.readouterr().err

    def test_a_row_that_no_archive_may_hold(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.refused(tmp_path, monkeypatch, lambda: iter([{"id": "one"}]))
        assert "todos.jsonl, line 1 is not a row of that kind: " in capsys.readouterr().err
