"""Backups and restores in real processes: by command line, under load, and killed in the middle."""

import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest

from ..sampling import sampled
from ..storage.damage import as_newer
from .conftest import Hosts
from .host import PATIENCE_S, Host, wait_until


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sidecar", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def names(data_dir: Path) -> list[str]:
    """The backups, the oldest first."""
    return sorted(path.name for path in (data_dir / "backups").glob("*.db"))


@pytest.fixture
def stopped(hosts: Hosts) -> Path:
    """The data directory of a sidecar that has stopped; it holds the tip 'one'."""
    host = hosts.start()
    host.add_tip("one")
    hosts.stop(host)
    return hosts.data_dir


class TestCommands:
    @pytest.mark.parametrize("is_running", [True, False])
    def test_a_backup_and_the_way_back(self, hosts: Hosts, stopped: Path, is_running: bool) -> None:
        host = hosts.start() if is_running else None
        done = run("backup", "--data-dir", stopped)
        (name,) = names(stopped)
        assert done.returncode == 0, done.stderr
        assert name in done.stdout
        assert "verified it by opening it" in done.stdout
        host = host or hosts.start()
        host.add_tip("two")
        if not is_running:
            hosts.stop(host)
        listed = run("restore", "--data-dir", stopped, "--list")
        assert listed.stdout.startswith(f"{name}  ")
        assert "verified" in listed.stdout
        done = run("restore", "--data-dir", stopped, name)
        assert done.returncode == 0, done.stderr
        (kept,) = set(names(stopped)) - {name}
        assert kept in done.stdout
        if not is_running:
            host = hosts.start()
        assert host.tips() == ["one"]

    def test_where_a_host_put_the_database_is_asked_of_its_sidecar(self, hosts: Hosts, tmp_path: Path) -> None:
        host = hosts.start(settings={"database": {"path": str(tmp_path / "elsewhere" / "store.db")}})
        host.add_tip("one")
        done = run("backup", "--data-dir", hosts.data_dir, "--to", tmp_path / "mine.db")
        assert done.returncode == 0, done.stderr
        assert len(names(tmp_path / "elsewhere")) == 1
        host.add_tip("two")
        done = run("restore", "--data-dir", hosts.data_dir, tmp_path / "mine.db")
        assert done.returncode == 0, done.stderr
        assert host.tips() == ["one"]
        assert not (hosts.data_dir / "backups").exists()

    @pytest.mark.parametrize("is_running", [True, False])
    def test_a_backup_in_a_file_goes_to_another_data_directory(
        self, hosts: Hosts, stopped: Path, tmp_path: Path, is_running: bool
    ) -> None:
        done = run("backup", "--data-dir", stopped, "--to", tmp_path / "mine.db")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "mine.db").stat().st_mode & 0o077 == 0
        other = hosts.start(tmp_path / "other")
        if not is_running:
            hosts.stop(other)
        done = run("restore", "--data-dir", tmp_path / "other", tmp_path / "mine.db")
        assert done.returncode == 0, done.stderr
        if not is_running:
            other = hosts.start(tmp_path / "other")
        assert other.tips() == ["one"]

    def test_what_cannot_be_restored_is_one_sentence_and_changes_nothing(
        self, hosts: Hosts, stopped: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "garbage.db").write_bytes(b"no database" * 1000)
        for what in ("nothing", "../sidecar.db", tmp_path / "garbage.db", tmp_path):
            done = run("restore", "--data-dir", stopped, what)
            assert done.returncode == 2, done.stderr
            assert done.stderr.splitlines()[-1].startswith("error[")
            assert "Traceback" not in done.stderr
        assert hosts.start().tips() == ["one"]

    def test_a_newer_programs_database_can_be_left_for_a_backup(self, hosts: Hosts, stopped: Path) -> None:
        run("backup", "--data-dir", stopped)
        (name,) = names(stopped)
        with closing(sqlite3.connect(stopped / "sidecar.db", isolation_level=None)) as connection:
            for statement in as_newer(99):
                connection.execute(statement)
        assert hosts.begin().refusal()["code"] == "database_too_new"
        done = run("restore", "--data-dir", stopped, name)
        assert done.returncode == 0, done.stderr
        assert hosts.start().tips() == ["one"]
        assert any("-schema-99-before-restore" in kept for kept in names(stopped))

    def test_a_damaged_database_can_be_left_for_a_backup(self, hosts: Hosts, stopped: Path) -> None:
        run("backup", "--data-dir", stopped)
        (name,) = names(stopped)
        (stopped / "sidecar.db").write_bytes(b"no database" * 1000)
        done = run("restore", "--data-dir", stopped, name)
        assert done.returncode == 0, done.stderr
        assert hosts.start().tips() == ["one"]
        (kept,) = set(names(stopped)) - {name}
        assert (stopped / "backups" / kept).read_bytes() == b"no database" * 1000

    def test_a_database_that_is_gone_comes_back(self, hosts: Hosts, stopped: Path) -> None:
        run("backup", "--data-dir", stopped)
        (stopped / "sidecar.db").unlink()
        done = run("restore", "--data-dir", stopped, *names(stopped))
        assert done.returncode == 0, done.stderr
        assert hosts.start().tips() == ["one"]


class Writers:
    """Clients that add tips until told to end, and remember which were acknowledged; no call may fail."""

    def __init__(self, host: Host, count: int) -> None:
        self.acknowledged: list[str] = []
        self.failures: list[str] = []
        self._host = host
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(count)]

    def _write(self, writer: int) -> None:
        number = 0
        with self._host.new_client() as client:
            while not self._ended.is_set():
                content = f"{writer}-{number}"
                try:
                    answer = client.post("/tips", json={"content": content})
                except httpx.HTTPError:
                    return  # the sidecar was killed
                if answer.status_code == 201:
                    self.acknowledged.append(content)
                else:
                    self.failures.append(answer.text)
                number += 1

    @contextmanager
    def writing(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in self._threads:
                thread.join()


def contents(database: Path) -> set[str]:
    with closing(sqlite3.connect(f"{database.as_uri()}?immutable=1", uri=True)) as connection:
        return {row[0] for row in connection.execute("SELECT content FROM tips")}


def test_a_restore_while_clients_write_fails_no_call_and_loses_no_acknowledged_write(hosts: Hosts) -> None:
    host = hosts.start()
    host.add_tip("before")
    name = host.client.post("/backups", json={}).raise_for_status().json()["name"]
    writers = Writers(host, 8)
    with writers.writing():
        wait_until(lambda: len(writers.acknowledged) > 50, "writes before the restore")
        restored = host.client.post(f"/backups/{name}/restore").raise_for_status().json()
        so_far = len(writers.acknowledged)
        wait_until(lambda: len(writers.acknowledged) > so_far + 50, "writes after the restore")
    assert writers.failures == []
    present = set(host.tips())
    kept = contents(hosts.data_dir / "backups" / restored["kept"]["name"])
    assert "before" in present
    assert set(writers.acknowledged) <= present | kept
    assert restored["kept"]["verified_at"] is not None


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory of some megabytes with a backup that holds the tip 'old', the database 'old' and 'new'."""
    workplace = tmp_path_factory.mktemp("filled")
    with Host(workplace / "data", workplace) as host:
        host.bootstrap()
        host.event("ready")
        host.add_tip("old")
        for _ in range(8):
            host.add_tip("x" * 2_000_000)
        host.client.post("/backups", json={"reason": "filled"}).raise_for_status()
        host.add_tip("new")
        host.shutdown()
        assert host.wait() == 0
    return workplace / "data"


KEY = {"Idempotency-Key": "the only one"}


def killed_during(
    hosts: Hosts, data_dir: Path, path: str, after_s: float, headers: Mapping[str, str] = MappingProxyType(KEY)
) -> None:
    """Kill a sidecar so long after a request with a key was sent to it."""
    host = hosts.start(data_dir)

    def ask() -> None:
        try:
            with host.new_client() as client:
                client.post(path, json={}, headers=headers)
        except httpx.HTTPError:
            return  # as it should

    with ThreadPoolExecutor(1) as executor:
        executor.submit(ask)
        time.sleep(after_s)
        host.process.kill()
        host.wait()


@pytest.mark.parametrize("seed", sampled(range(6), every=3))
def test_a_sidecar_that_is_killed_during_a_backup_leaves_only_whole_ones(
    hosts: Hosts, filled: Path, tmp_path: Path, seed: int
) -> None:
    shutil.copytree(filled, tmp_path / "data")
    killed_during(hosts, tmp_path / "data", "/backups", random.Random(seed).uniform(0, 0.6))
    host = hosts.start(tmp_path / "data")
    assert host.tips()[-1] == "new"
    for backup in host.client.get("/backups").json()["items"]:
        host.client.post(f"/backups/{backup['name']}/verify").raise_for_status()
    assert not list((tmp_path / "data" / "backups").glob("*.partial"))
    again = host.client.post("/backups", json={}, headers=KEY).raise_for_status().json()
    assert again["verified_at"] is not None
    assert len(names(tmp_path / "data")) == 2


@pytest.mark.parametrize("seed", sampled(range(10), every=3))
def test_a_sidecar_that_is_killed_during_a_restore_has_the_old_store_or_the_new_one(
    hosts: Hosts, filled: Path, tmp_path: Path, seed: int
) -> None:
    data_dir = tmp_path / "data"
    shutil.copytree(filled, data_dir)
    (name,) = names(data_dir)
    killed_during(hosts, data_dir, f"/backups/{name}/restore", random.Random(seed).uniform(0, 0.5))
    host = hosts.start(data_dir)
    tips = host.tips()
    assert [tip for tip in tips if len(tip) < 10] in (["old"], ["old", "new"])
    assert len([tip for tip in tips if len(tip) > 10]) == 8
    if "new" not in tips:
        host.add_tip("since")
    host.client.post(f"/backups/{name}/restore", json={}, headers=KEY).raise_for_status()
    assert [tip for tip in host.tips() if len(tip) < 10] == (["old"] if "new" in tips else ["old", "since"])
    backups = host.client.get("/backups").json()["items"]
    (kept,) = [backup for backup in backups if backup["reason"] == "before-restore"]
    host.client.post(f"/backups/{kept['name']}/restore").raise_for_status()
    assert host.tips()[-1] == "new"
    host.client.post(f"/backups/{name}/verify").raise_for_status()
