"""`sidecar import minecontext` and `sidecar import vmpilot`: a copy is adopted and merged, the file stays as it is."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sidecar.cli import main
from sidecar.errors import ExitCode

SEEDS = Path(__file__).parent.parent / "storage" / "seeds"
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
    assert once == dict(zip(TABLES, [5, 3, 2, 2, 2, 3, 1, 2, 2], strict=True))
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


def test_orphans_are_written_to_a_file_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = make("minecontext", tmp_path / "app.db")
    assert run_import(tmp_path, "minecontext", str(app)) == ExitCode.CLEAN
    (orphans,) = (tmp_path / "data").glob("minecontext-*-orphans.jsonl")
    lines = [json.loads(line) for line in orphans.read_text(encoding="utf-8").splitlines()]
    assert "whose am I" in [line["row"].get("content") for line in lines]
    assert str(orphans) in capsys.readouterr().out


def test_orphans_of_another_database_do_not_replace_the_first_ones(tmp_path: Path) -> None:
    for name in ("one.db", "other.db", "one.db"):
        if not (tmp_path / name).exists():
            make("minecontext", tmp_path / name)
        assert run_import(tmp_path, "minecontext", str(tmp_path / name)) == ExitCode.CLEAN
    assert len(list((tmp_path / "data").glob("minecontext-*-orphans.jsonl"))) == 2


def test_a_dry_run_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = make("minecontext", tmp_path / "app.db")
    assert run_import(tmp_path, "minecontext", str(app), "--dry-run") == ExitCode.CLEAN
    assert counts(tmp_path)["todo"] == 0
    assert not list((tmp_path / "data").glob("*orphans*"))
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
