"""The data directory: one owner at a time, readable by one user only, with `run.json` for the tools."""

import json
import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from .conftest import Hosts
from .host import Host, wait_until
from .patches import LONG_UNIT_OF_WORK

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestOneOwner:
    def test_a_second_sidecar_is_refused_told_who_has_it_and_disturbs_nothing(self, hosts: Hosts) -> None:
        first = hosts.start()
        before = (hosts.data_dir / "run.json").read_bytes()
        second = hosts.begin()
        failed = second.refusal()
        assert (failed["exit_code"], failed["code"]) == (3, "data_directory_locked")
        assert f"process id {first.pid}," in failed["message"]
        assert str(hosts.data_dir) in failed["message"]
        assert second.stages == ["waiting_for_lock"]
        assert (hosts.data_dir / "run.json").read_bytes() == before
        first.add_tip("still served")

    def test_a_new_one_waits_while_the_old_one_stops(self, hosts: Hosts) -> None:
        old = hosts.start(patch=LONG_UNIT_OF_WORK)
        old.add_tip("kept")

        def write_in_vain() -> None:
            with suppress(httpx.HTTPError):
                old.client.post("/tips", json={"content": "slow"})

        writing = threading.Thread(target=write_in_vain)
        writing.start()
        wait_until(lambda: "has begun" in old.stderr, "the unit of work begins")
        new = hosts.begin()
        assert new.event("stage")["stage"] == "waiting_for_lock"
        old.close_pipe()
        new.event("ready")
        assert old.wait(0.5) == 1
        assert new.tips() == ["kept"]
        writing.join()


class TestRunFile:
    def test_it_tells_where_the_sidecar_is_and_how_to_speak_to_it(self, shared_host: Host) -> None:
        assert json.loads((shared_host.data_dir / "run.json").read_text()) == {
            "url": f"http://127.0.0.1:{shared_host.port}",
            "token": shared_host.token,
            "instance": shared_host.events[-1]["instance"],
            "pid": shared_host.pid,
            "database": str(shared_host.data_dir / "sidecar.db"),
        }

    def test_it_is_there_when_ready_is_told_and_not_before_the_lock_is_held(self, hosts: Hosts) -> None:
        host = hosts.spawn()
        host.event("bound")
        assert not hosts.data_dir.exists()
        host.bootstrap()
        host.event("ready")
        assert (hosts.data_dir / "run.json").exists()

    def test_a_killed_sidecar_leaves_no_lock_and_its_run_file_is_replaced(self, hosts: Hosts) -> None:
        old = hosts.start()
        old.process.kill()
        old.wait()
        new = hosts.start()
        assert new.stages == []
        assert json.loads((hosts.data_dir / "run.json").read_text())["pid"] == new.pid

    def test_it_is_removed_when_the_start_fails_after_a_killed_one(self, hosts: Hosts) -> None:
        old = hosts.start()
        old.process.kill()
        old.wait()
        hosts.begin(settings={"database": {"readers": 0}}).refusal()
        assert not (hosts.data_dir / "run.json").exists()


@posix_only
class TestModes:
    def test_everything_is_its_owners_alone_whatever_the_umask(self, hosts: Hosts) -> None:
        host = hosts.start(patch="import os; os.umask(0)")
        host.add_tip("a row")
        assert mode(hosts.data_dir) == 0o700
        found = {path.name: mode(path) for path in hosts.data_dir.rglob("*")}
        assert found == {
            "authorization.header": 0o600,
            "logs": 0o700,
            "run.json": 0o600,
            "sidecar.db": 0o600,
            "sidecar.db.open": 0o600,
            "sidecar.db-shm": 0o600,
            "sidecar.db-wal": 0o600,
            "sidecar.db.lock": 0o600,
            "sidecar.lock": 0o600,
            "sidecar.log": 0o600,
        }

    def test_a_directory_that_was_open_to_others_is_closed_to_them(self, hosts: Hosts) -> None:
        hosts.data_dir.mkdir(mode=0o755)
        hosts.data_dir.chmod(0o755)
        hosts.start()
        assert mode(hosts.data_dir) == 0o700

    def test_a_directory_that_its_owner_could_not_write_to_is_opened_to_them(self, hosts: Hosts) -> None:
        hosts.data_dir.mkdir(mode=0o500)
        hosts.start(through=WITHOUT_PRIVILEGES)
        assert mode(hosts.data_dir) == 0o700


WITHOUT_PRIVILEGES: list[str] = (
    ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if sys.platform == "linux" and os.geteuid() == 0 else []
)
"""Permission bits bind everybody but a privileged root; without its capabilities, root is a user like any other."""


@pytest.fixture
def read_only() -> Iterator[list[Path]]:
    """What is put in here can be written to again after the test."""
    paths: list[Path] = []
    yield paths
    for path in paths:
        path.chmod(0o700)


@posix_only
class TestNotWritable:
    def test_a_directory_that_cannot_be_made(self, hosts: Hosts, read_only: list[Path]) -> None:
        parent = hosts.workplace / "parent"
        parent.mkdir(mode=0o500)
        read_only.append(parent)
        failed = hosts.begin(parent / "data", through=WITHOUT_PRIVILEGES).refusal()
        assert (failed["exit_code"], failed["code"]) == (4, "data_directory_not_writable")
        assert failed["message"] == (
            f"The data directory {parent / 'data'} cannot be used: Permission denied; make it writable for this user, "
            "or choose another directory."
        )

    def test_a_file_in_its_place(self, hosts: Hosts) -> None:
        hosts.data_dir.write_text("not a directory")
        failed = hosts.begin().refusal()
        assert (failed["exit_code"], failed["code"]) == (4, "data_directory_not_writable")
        assert str(hosts.data_dir) in failed["message"]
        assert hosts.data_dir.read_text() == "not a directory"

    @pytest.mark.parametrize("name", ["sidecar.lock", "sidecar.db", "logs"])
    def test_a_part_of_it_that_cannot_be_written_to(self, hosts: Hosts, read_only: list[Path], name: str) -> None:
        hosts.stop(hosts.start())
        part = hosts.data_dir / name
        part.chmod(0o500 if part.is_dir() else 0o400)
        read_only.append(part)
        if part.is_dir():
            (part / "sidecar.log").unlink()
        failed = hosts.begin(through=WITHOUT_PRIVILEGES).refusal()
        assert (failed["exit_code"], failed["code"]) == (4, "data_directory_not_writable")
        assert str(hosts.data_dir) in failed["message"]
