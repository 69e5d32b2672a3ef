"""`sidecar adopted`, with a sidecar that runs in the data directory and without one."""

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from ..sampling import sampled
from .conftest import Hosts
from .test_transfer import run

SEED = Path(__file__).parent.parent / "storage" / "seeds" / "minecontext.sql"


@pytest.fixture(params=sampled(["at rest", "running"], every=2))
def data(request: pytest.FixtureRequest, hosts: Hosts, tmp_path: Path) -> Path:
    """The data directory of a store into which a database was imported that has rows without a place."""
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.executescript(SEED.read_text(encoding="utf-8"))
    if request.param == "running":
        hosts.start()
    done = run("import", "--data-dir", hosts.data_dir, "--time-zone", "Europe/Berlin", tmp_path / "app.db")
    assert done.returncode == 0, done.stderr
    return hosts.data_dir


def adopted(data: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return run("adopted", "--data-dir", data, *arguments)


def test_rows_are_listed_a_line_each_with_the_reasons(data: Path, tmp_path: Path) -> None:
    done = adopted(data)
    assert done.returncode == 0, done.stderr
    adoption, count, *rows = done.stdout.splitlines()
    assert adoption.startswith(f"{tmp_path / 'app.db'}, a database of minecontext, was adopted at ")
    assert adoption.endswith("those of Europe/Berlin.")
    assert count == "8 rows set aside, 8 not acknowledged."
    assert len(rows) == 8
    assert rows[3].startswith("4  messages  adoption  in no table  conversation_id: ")


def test_rows_are_listed_and_exported_as_json(data: Path, tmp_path: Path) -> None:
    listed = [json.loads(line) for line in adopted(data, "--json").stdout.splitlines()]
    assert [row["table"] for row in listed].count("messages") == 3
    done = adopted(data, "--export", tmp_path / "rows.jsonl")
    assert done.stdout == f"Exported 8 rows set aside to {tmp_path / 'rows.jsonl'}.\n", done.stderr
    lines = (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == listed
    assert (tmp_path / "rows.jsonl").stat().st_mode & 0o077 == 0


def test_a_row_is_brought_back_with_values_that_are_given(data: Path) -> None:
    refused = adopted(data, "--restore", "3")
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith(
        "error[invalid_input]: start_time: 'tomorrow' is not a time; status: "
    )
    values = ("--set", "start_time=2026-01-31T12:00:00Z", "--set", "status=1", "--set", "urgency=2")
    done = adopted(data, "--restore", "3", *values)
    assert done.stdout == "Restored the row to todo; its id is 8.\n", done.stderr
    assert adopted(data).stdout.splitlines()[1].startswith("7 rows set aside")


def test_a_lost_conversation_is_named(data: Path) -> None:
    first, second = adopted(data, "--restore", "4").stdout.splitlines()
    assert first.startswith("Restored the row to messages; its id is ")
    assert second == "Restored the row 42 of conversations as well, to which it belongs."


def test_they_can_be_acknowledged(data: Path) -> None:
    assert adopted(data, "--acknowledge").returncode == 0
    assert adopted(data).stdout.splitlines()[1] == "8 rows set aside, 0 not acknowledged."


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--restore", "99"), "There is no row set aside with the id 99."),
        (("--set", "a=1"), "name that row"),
        (("--restore", "4", "--set", "a"), "is not COLUMN=VALUE"),
        (("--restore", "4", "--set", "a=1"), "a: there is no such column in messages"),
    ],
)
def test_a_wrong_use_is_one_sentence_and_status_2(data: Path, arguments: tuple[str, ...], told: str) -> None:
    done = adopted(data, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr.splitlines()[-1]
