"""`sidecar export` and `sidecar import`, with a sidecar that runs in the data directory and without one."""

import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from sidecar.models.transfer import Row
from sidecar.tools.export import write_archive

from ..sampling import sampled
from .conftest import Hosts
from .host import PATIENCE_S, Host

SEED = Path(__file__).parent.parent / "storage" / "seeds" / "minecontext.sql"
MEBIBYTE = 1024 * 1024
MEMORY_FOR_A_TRANSFER = 40 * MEBIBYTE


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sidecar", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


@pytest.fixture
def archive(hosts: Hosts, tmp_path: Path) -> Path:
    """An export of a store with two tips, made while its sidecar runs."""
    host = hosts.start(tmp_path / "source")
    host.add_tip("one")
    host.add_tip("two")
    done = run("export", "--data-dir", tmp_path / "source", tmp_path / "a.zip")
    assert done.returncode == 0, done.stderr
    hosts.stop(host)
    return tmp_path / "a.zip"


def test_a_running_sidecar_is_exported_and_imported_into(hosts: Hosts, archive: Path) -> None:
    host = hosts.start()
    done = run("import", "--data-dir", hosts.data_dir, archive)
    assert (done.returncode, done.stdout) == (0, "Added 1 vault, 2 tips.\n"), done.stderr
    assert host.tips() == ["one", "two"]


def test_without_a_sidecar_the_directory_is_opened_itself(hosts: Hosts, archive: Path, tmp_path: Path) -> None:
    done = run("import", "--data-dir", hosts.data_dir, archive)
    assert (done.returncode, done.stdout) == (0, "Added 1 vault, 2 tips.\n"), done.stderr
    done = run("export", "--data-dir", hosts.data_dir, "--markdown", tmp_path / "b.zip")
    assert (done.returncode, done.stdout) == (0, f"Exported 1 vault, 2 tips to {tmp_path / 'b.zip'}.\n"), done.stderr
    with zipfile.ZipFile(archive) as first, zipfile.ZipFile(tmp_path / "b.zip") as second:
        assert first.read("tips.jsonl") == second.read("tips.jsonl")
        assert "markdown/Quick Start.md" in second.namelist()
    assert hosts.start().tips() == ["one", "two"]


def test_a_database_is_reported_alike_with_a_sidecar_and_without_one(hosts: Hosts, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.executescript(SEED.read_text(encoding="utf-8"))
    hosts.start(tmp_path / "running")
    over_http, at_hand = (
        run("import", "--data-dir", tmp_path / name, "minecontext", tmp_path / "app.db")
        for name in ("running", "at hand")
    )
    assert (over_http.returncode, at_hand.returncode) == (0, 0), over_http.stderr + at_hand.stderr
    assert "3 todos" in at_hand.stdout
    assert at_hand.stdout == over_http.stdout.replace(str(tmp_path / "running"), str(tmp_path / "at hand"))
    for name in ("running", "at hand"):
        left = [path.name for path in (tmp_path / name).iterdir() if path.name.startswith(("scratch", "tmp"))]
        assert left == []


@pytest.mark.parametrize("is_running", sampled([True, False], every=2))
def test_a_second_import_and_a_dry_run_change_nothing(hosts: Hosts, archive: Path, is_running: bool) -> None:
    if is_running:
        hosts.start()
    tried = run("import", "--data-dir", hosts.data_dir, "--dry-run", archive)
    assert tried.stdout == "Would add 1 vault, 2 tips.\n", tried.stderr
    run("import", "--data-dir", hosts.data_dir, archive)
    again = run("import", "--data-dir", hosts.data_dir, archive)
    assert again.stdout == "Added nothing.\nSkipped 1 vault, 2 tips: already stored.\n", again.stderr


@pytest.mark.parametrize("is_running", [True, False])
def test_a_damaged_archive_is_one_sentence_and_status_2(
    hosts: Hosts, archive: Path, tmp_path: Path, is_running: bool
) -> None:
    if is_running:
        hosts.start()
    (tmp_path / "damaged.zip").write_bytes(archive.read_bytes()[:300])
    done = run("import", "--data-dir", hosts.data_dir, tmp_path / "damaged.zip")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "error[archive_refused]: The file is not a .zip, or it was cut off."


def test_progress_is_shown_on_standard_error(archive: Path, hosts: Hosts, tmp_path: Path) -> None:
    hosts.start()
    assert "receiving the archive …\n" in run("export", "--data-dir", hosts.data_dir, tmp_path / "x").stderr
    assert "exporting tips …\n" in run("export", "--data-dir", tmp_path / "source", tmp_path / "y").stderr


def test_what_a_killed_sidecar_left_does_not_mislead(hosts: Hosts, tmp_path: Path) -> None:
    host = hosts.start()
    host.add_tip("kept")
    psutil.Process(host.pid).kill()
    host.wait()
    assert (hosts.data_dir / "run.json").exists()
    done = run("export", "--data-dir", hosts.data_dir, tmp_path / "a.zip")
    assert (done.returncode, done.stdout) == (0, f"Exported 1 vault, 1 tip to {tmp_path / 'a.zip'}.\n"), done.stderr


def test_an_import_may_be_larger_than_other_bodies(hosts: Hosts, archive: Path) -> None:
    host = hosts.start(settings={"server": {"max_body_bytes": 1024}})
    assert archive.stat().st_size > 1024
    assert run("import", "--data-dir", hosts.data_dir, archive).returncode == 0
    assert host.tips() == ["one", "two"]


def test_an_import_has_a_limit_of_its_own(hosts: Hosts, archive: Path) -> None:
    host = hosts.start(settings={"server": {"max_import_bytes": 1024}})
    with archive.open("ab") as file:
        file.truncate(64 * MEBIBYTE)  # more than any buffer takes: the refusal comes before all of it was sent
    done = run("import", "--data-dir", hosts.data_dir, archive)
    assert (done.returncode, done.stdout) == (2, "")
    assert "1024" in done.stderr
    assert host.tips() == []


@pytest.mark.slow
def test_an_export_and_an_import_hold_little_memory_however_much_they_carry(hosts: Hosts, tmp_path: Path) -> None:
    with (tmp_path / "large.zip").open("wb") as file:
        write_archive(file, many_messages, "a store", "2026-01-31T09:30:00.000Z")
    host = hosts.start()
    host.add_tip("one")
    with memory_growth_of(host) as growth:
        done = run("import", "--data-dir", hosts.data_dir, tmp_path / "large.zip")
        assert done.returncode == 0, done.stderr
        done = run("export", "--data-dir", hosts.data_dir, tmp_path / "again.zip")
        assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "again.zip") as again:
        assert again.getinfo("messages.jsonl").file_size > 2 * MEMORY_FOR_A_TRANSFER
    assert max(growth) < MEMORY_FOR_A_TRANSFER


def many_messages(kind: str) -> Iterator[Row]:
    """A conversation of 10,000 messages of 8 KiB, each an answer to the one before."""
    time = "2026-01-31T09:30:00.000Z"
    times = {"created_at": time, "updated_at": time}
    if kind == "conversations":
        conversation = {"id": 1, "title": None, "user_id": None, "page_name": "home", "status": "active", **times}
        yield {**conversation, "metadata": None, "restored_status": None}
    elif kind == "messages":
        for number in range(1, 10_001):
            answered = {"id": number, "conversation_id": 1, "parent_message_id": number - 1 or None, "role": "user"}
            written = {"content": f"{number:08}" * 1024, "status": "completed", "token_count": 1, "completed_at": time}
            yield {**answered, **written, **times, "metadata": {}, "latency_ms": 1, "error_message": None}


@contextmanager
def memory_growth_of(host: Host) -> Iterator[list[int]]:
    """By how many bytes the sidecar has grown at each of many moments until the end."""
    process, ended = psutil.Process(host.pid), threading.Event()
    growth: list[int] = []
    before = process.memory_info().rss

    def watch() -> None:
        while not ended.wait(0.01):
            growth.append(process.memory_info().rss - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield growth
    finally:
        ended.set()
        watcher.join()


def test_files_and_directories_that_are_not_there(hosts: Hosts, archive: Path, tmp_path: Path) -> None:
    for arguments in (
        ("export", "--data-dir", tmp_path / "nowhere", tmp_path / "a"),
        ("import", "--data-dir", tmp_path / "nowhere", tmp_path / "nothing.zip"),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("error[")
    assert not (tmp_path / "nowhere").exists()


def test_an_export_leaves_an_older_file_as_it_was_when_it_fails(hosts: Hosts, archive: Path, tmp_path: Path) -> None:
    (tmp_path / "source" / "sidecar.db").write_bytes(b"no database")
    before = archive.read_bytes()
    done = run("export", "--data-dir", tmp_path / "source", "--force", archive)
    assert done.returncode == 6, done.stderr
    assert archive.read_bytes() == before
    assert not list(tmp_path.glob("*.partial"))
