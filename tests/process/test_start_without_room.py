"""A start on a disk that is full, or that can hold no more files: rows are read, and written once there is room."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from .conftest import Hosts
from .host import Host

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or getattr(os, "geteuid", lambda: 1)() != 0, reason="mounts a small disk"
)

SPACE, FILES = "space", "files"


class SmallDisk:
    """A disk of 4 MiB and 60 files, which can be filled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data_dir = path / "data"

    def fill(self, what: str) -> None:
        with suppress(OSError):
            if what == FILES:
                for number in range(1_000):
                    (self.path / f"filler-{number}").touch()
            descriptor = os.open(self.path / "filler", os.O_CREAT | os.O_WRONLY)
            try:
                while os.write(descriptor, b"x" * 4096):
                    pass
            finally:
                os.close(descriptor)

    def make_room(self) -> None:
        for filler in self.path.glob("filler*"):
            filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=60,mode=700", "tmpfs", path], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def left(hosts: Hosts, disk: SmallDisk, how: str) -> None:
    """Have a sidecar store one tip and end."""
    host = hosts.start(disk.data_dir)
    host.add_tip("before")
    if how == "stopped":
        hosts.stop(host)
        return
    host.process.kill()
    host.wait()
    if how == "killed, without the index of its log":
        (disk.data_dir / "sidecar.db-shm").unlink()


def add(host: Host) -> tuple[int, str]:
    answer = host.client.post("/tips", json={"content": "x" * 30_000})
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize(
    ("how", "full"),
    [
        ("stopped", SPACE),
        pytest.param("stopped", FILES, marks=pytest.mark.slow),
        pytest.param("killed", SPACE, marks=pytest.mark.slow),
        pytest.param("killed, without the index of its log", SPACE, marks=pytest.mark.slow),
    ],
)
def test_rows_are_read_and_are_stored_when_there_is_room(hosts: Hosts, disk: SmallDisk, how: str, full: str) -> None:
    left(hosts, disk, how)
    disk.fill(full)
    host = hosts.start(disk.data_dir)
    assert "disk_full" in host.stages
    assert host.tips() == ["before"]
    assert add(host) == (507, "disk_full")
    health = host.client.get("/health/ready")
    writer = health.json()["components"]["writer"]
    assert (health.status_code, writer["ok"], "disk is full" in writer["detail"]) == (503, False, True)
    assert host.client.get("/search", params={"q": "before"}).json()["items"] != []
    disk.make_room()
    assert host.client.get("/health/ready").json()["components"]["writer"]["ok"]
    assert add(host) == (201, "")
    hosts.stop(host)
    again = hosts.start(disk.data_dir)
    assert [tip[:6] for tip in again.tips()] == ["before", "xxxxxx"]


@pytest.mark.slow
def test_stopped_without_room_it_leaves_the_file_as_it_was(hosts: Hosts, disk: SmallDisk) -> None:
    left(hosts, disk, "stopped")
    disk.fill(SPACE)
    files = [disk.data_dir / name for name in ("sidecar.db", "sidecar.db.closed")]
    before = [file.read_bytes() for file in files]
    hosts.stop(hosts.start(disk.data_dir))
    assert [file.read_bytes() for file in files] == before


def test_what_must_be_written_first_is_refused_for_good_and_says_that_the_disk_is_full(
    hosts: Hosts, disk: SmallDisk
) -> None:
    left(hosts, disk, "stopped")
    with closing(sqlite3.connect(disk.data_dir / "sidecar.db")) as connection:
        connection.execute("PRAGMA user_version = 1")
    disk.fill(SPACE)
    failed = hosts.begin(disk.data_dir).refusal()
    assert (failed["code"], failed["exit_code"]) == ("disk_full", 4)
    assert "free some space" in failed["message"]


@pytest.mark.slow
@pytest.mark.parametrize("full", [SPACE, FILES])
def test_a_new_database_is_refused_in_the_same_way(hosts: Hosts, disk: SmallDisk, full: str) -> None:
    disk.fill(full)
    failed = hosts.begin(disk.data_dir).refusal()
    assert (failed["code"], failed["exit_code"]) == ("disk_full", 4)
