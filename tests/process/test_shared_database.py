"""Two data directories whose settings name one database: only one at a time may open it."""

import subprocess
import sys
from pathlib import Path

import pytest

from ..sampling import sampled
from .conftest import Hosts
from .host import PATIENCE_S, Host


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sidecar", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


@pytest.fixture
def owner(hosts: Hosts) -> Host:
    """A sidecar that has its database in its own data directory, and runs."""
    host = hosts.start()
    host.add_tip("one")
    return host


@pytest.fixture
def second(owner: Host, tmp_path: Path) -> Path:
    """Another data directory, whose settings name the same database."""
    directory = tmp_path / "second"
    directory.mkdir()
    (directory / "sidecar.toml").write_text(f"[database]\npath = '{owner.data_dir / 'sidecar.db'}'\n")
    return directory


def test_the_second_sidecar_is_refused_and_the_database_named(hosts: Hosts, owner: Host, second: Path) -> None:
    failed = hosts.begin(second).refusal()
    assert (failed["exit_code"], failed["code"]) == (3, "data_directory_locked")
    assert str(owner.data_dir / "sidecar.db") in failed["message"]
    owner.add_tip("still served")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_the_database_does_not_hide_it(hosts: Hosts, owner: Host, tmp_path: Path) -> None:
    directory = tmp_path / "linking"
    directory.mkdir()
    (directory / "sidecar.db").symlink_to(owner.data_dir / "sidecar.db")
    failed = hosts.begin(directory).refusal()
    assert failed["exit_code"] == 3
    assert str(owner.data_dir / "sidecar.db") in failed["message"]


@pytest.mark.parametrize(
    "command", sampled([("backup",), ("restore", "--list"), ("export", "out.zip"), ("restore", "x.db")], every=4)
)
def test_a_tool_is_refused_while_the_other_directory_has_it(
    owner: Host, second: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = run(command[0], "--data-dir", second, *command[1:])
    assert done.returncode == 3
    assert str(owner.data_dir / "sidecar.db") in done.stderr


def test_it_may_be_opened_when_the_other_has_stopped(hosts: Hosts, owner: Host, second: Path) -> None:
    hosts.stop(owner)
    assert hosts.start(second).tips() == ["one"]
    assert hosts.begin().refusal()["exit_code"] == 3


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_linked_databases_log_backups_and_mark_lie_beside_its_file(hosts: Hosts, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    hosts.data_dir.mkdir()
    (hosts.data_dir / "sidecar.db").symlink_to(tmp_path / "disk" / "store.db")
    host = hosts.start()
    host.add_tip("one")
    assert host.client.post("/backups", json={}).status_code == 201
    assert (tmp_path / "disk" / "store.db-wal").exists()
    hosts.stop(host)
    assert (hosts.data_dir / "sidecar.db").is_symlink()
    there = {path.name for path in (tmp_path / "disk").iterdir()}
    assert there == {"store.db", "store.db.closed", "store.db.lock", "backups"}
    (backup,) = (tmp_path / "disk" / "backups").glob("*.db")
    assert run("restore", "--data-dir", hosts.data_dir, backup.name).returncode == 0
    assert (hosts.data_dir / "sidecar.db").is_symlink()
    assert hosts.start().tips() == ["one"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_database_that_is_a_link_to_itself_is_a_wrong_setting(hosts: Hosts) -> None:
    hosts.data_dir.mkdir()
    (hosts.data_dir / "sidecar.db").symlink_to(hosts.data_dir / "sidecar.db")
    failed = hosts.begin().refusal()
    assert (failed["exit_code"], failed["code"]) == (2, "bad_configuration")
