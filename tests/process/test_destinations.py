"""`backup --to` and `export`: which names may be written to, beside a running sidecar and without one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.errors import InvalidInput
from sidecar.process.data_directory import OWN_NAMES
from sidecar.tools.destination import StorePlace, writing

from ..sampling import sampled
from .conftest import Hosts
from .host import PATIENCE_S, Host

COMMANDS = {"backup": ("backup", "--to"), "export": ("export",)}

OLD = b"an older file"

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


@pytest.fixture(params=sampled([False, True], every=2), ids=["at rest", "running"])
def host(request: pytest.FixtureRequest, hosts: Hosts) -> Iterator[Host]:
    """The sidecar of a data directory that holds the tip 'one'; it runs, or has stopped."""
    started = hosts.start()
    started.add_tip("one")
    if not request.param:
        hosts.stop(started)
    yield started
    if request.param:
        started.add_tip("two")
        assert started.client.get("/health/ready").status_code == 200
        hosts.stop(started)
    again = hosts.start()
    assert again.tips() == ["one", "two"][: 1 + request.param]
    hosts.stop(again)


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return COMMANDS[request.param]


def copy(host: Host, command: tuple[str, ...], to: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    arguments: list[str | Path] = [
        sys.executable,
        "-m",
        "sidecar",
        command[0],
        "--data-dir",
        host.data_dir,
        *options,
        *command[1:],
        to,
    ]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def require_refusal(done: "subprocess.CompletedProcess[str]", to: Path) -> None:
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(f"error[invalid_input]: {to} ")
    assert not list(to.parent.glob("*.partial"))


def test_a_new_name_is_written_for_its_owner_only(host: Host, command: tuple[str, ...], tmp_path: Path) -> None:
    done = copy(host, command, tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "copy").stat().st_size > 100
    if sys.platform != "win32":
        assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_replaced_only_with_force(host: Host, command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(OLD)
    done = copy(host, command, tmp_path / "copy")
    require_refusal(done, tmp_path / "copy")
    assert "--force" in done.stderr
    assert (tmp_path / "copy").read_bytes() == OLD
    assert copy(host, command, tmp_path / "copy", "--force").returncode == 0
    assert (tmp_path / "copy").stat().st_size > 100


def test_a_directory_that_is_not_there_is_named(host: Host, command: tuple[str, ...], tmp_path: Path) -> None:
    done = copy(host, command, tmp_path / "nowhere" / "copy")
    assert done.returncode == 2
    assert f"There is no directory {tmp_path / 'nowhere'};" in done.stderr
    assert not (host.data_dir / "backups").exists()


@posix_only
class TestLinks:
    def test_a_link_is_followed_and_stays(self, host: Host, command: tuple[str, ...], tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir()
        (tmp_path / "copy").symlink_to(tmp_path / "disk" / "copy")
        assert copy(host, command, tmp_path / "copy").returncode == 0
        require_refusal(copy(host, command, tmp_path / "copy"), tmp_path / "copy")
        assert copy(host, command, tmp_path / "copy", "--force").returncode == 0
        assert (tmp_path / "copy").is_symlink()
        assert (tmp_path / "disk" / "copy").stat().st_size > 100


@posix_only
def test_a_pipe_is_refused_and_stays(host: Host, command: tuple[str, ...], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "copy")
    require_refusal(copy(host, command, tmp_path / "copy", "--force"), tmp_path / "copy")
    assert (tmp_path / "copy").is_fifo()


def test_every_name_that_a_sidecar_uses_is_refused_even_where_there_is_no_such_file(
    hosts: Hosts, tmp_path: Path
) -> None:
    host = hosts.start()
    host.add_tip("one")
    assert host.client.post("/backups", json={}).status_code == 201
    used = [path.relative_to(host.data_dir) for path in host.data_dir.rglob("*") if path.is_file()]
    assert len(used) >= 8
    empty = tmp_path / "empty"
    for name in used:
        (empty / name).parent.mkdir(parents=True, exist_ok=True)
    place = StorePlace(empty, OWN_NAMES, empty / "sidecar.db")
    accepted = [name for name in used if is_accepted(empty / name, place)]
    assert accepted == []


def is_accepted(path: Path, place: StorePlace) -> bool:
    try:
        with writing(path, place, force=True):
            return True
    except InvalidInput:
        return False


class TestDatabaseElsewhere:
    """The settings put the database outside of the data directory."""

    @pytest.fixture(params=sampled([False, True], every=2), ids=["at rest", "running"])
    def elsewhere(self, request: pytest.FixtureRequest, hosts: Hosts, tmp_path: Path) -> Host:
        (tmp_path / "place").mkdir()
        hosts.data_dir.mkdir()
        (hosts.data_dir / "sidecar.toml").write_text(f"[database]\npath = '{tmp_path / 'place' / 'store.db'}'\n")
        host = hosts.start()
        host.add_tip("one")
        if not request.param:
            hosts.stop(host)
        return host

    def test_it_is_refused(self, elsewhere: Host, command: tuple[str, ...], tmp_path: Path) -> None:
        path = tmp_path / "place" / "store.db"
        require_refusal(copy(elsewhere, command, path, "--force"), path)

    def test_other_files_beside_it_may_be_replaced(
        self, elsewhere: Host, command: tuple[str, ...], tmp_path: Path
    ) -> None:
        (tmp_path / "place" / "copy").write_bytes(OLD)
        assert copy(elsewhere, command, tmp_path / "place" / "copy", "--force").returncode == 0
