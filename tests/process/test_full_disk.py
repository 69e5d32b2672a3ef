"""A disk that is full, a directory that cannot be written to: a clear state, no crash, and over when the cause is."""

import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Hosts
from .host import Host
from .test_data_directory import WITHOUT_PRIVILEGES

DISK = """
from pathlib import Path
from sidecar.storage.sqlite.engine import writer
commit = writer.commit_together
def commit_on_small_disk(connection, submissions, clock, hooks):
    pages = 1 if Path("full").exists() else 1_000_000_000
    connection.execute(f"PRAGMA max_page_count = {pages}")
    return commit(connection, submissions, clock, hooks)
writer.commit_together = commit_on_small_disk
"""
"""As long as there is a file `full` in the workplace, the database cannot grow."""


def add_large_tip(host: Host) -> tuple[int, dict[str, Any]]:
    answer = host.client.post("/tips", json={"content": "x" * 20_000})
    return answer.status_code, answer.json()


def components(host: Host) -> tuple[int, dict[str, Any]]:
    answer = host.client.get("/health/ready")
    return answer.status_code, answer.json()["components"]


def test_a_full_disk_is_told_and_over_when_there_is_room_again(hosts: Hosts) -> None:
    host = hosts.start(patch=DISK)
    host.add_tip("before")
    full = hosts.workplace / "full"
    full.touch()
    statuses = [add_large_tip(host) for _ in range(40)]
    status, problem = statuses[-1]
    assert (status, problem["code"]) == (507, "disk_full")
    assert len(host.tips()) == 1 + sum(status == 201 for status, _ in statuses)
    status, parts = components(host)
    assert status == 503
    assert "disk is full" in parts["writer"]["detail"]
    full.unlink()
    assert components(host)[0] == 200
    assert add_large_tip(host)[0] == 201
    hosts.stop(host)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_a_directory_that_became_read_only_is_told_and_over_when_it_can_be_written_to(hosts: Hosts) -> None:
    host = hosts.start(through=WITHOUT_PRIVILEGES)
    kept = ["before"]
    host.add_tip("before")
    files = [path for path in hosts.data_dir.iterdir() if path.name.startswith("sidecar.db")]
    try:
        set_modes(hosts.data_dir, files, 0o500, 0o400)
        for number in range(10):
            answer = host.client.post("/tips", json={"content": f"meanwhile {number}"})
            if answer.status_code == 201:  # it has the file open since before
                kept.append(f"meanwhile {number}")
            else:
                assert answer.json()["code"] == "storage_read_only"
        assert host.tips() == kept
        status, parts = components(host)
        assert (status, parts["disk"]["ok"]) == (503, False)
        assert "cannot be written to" in parts["disk"]["detail"]
    finally:
        set_modes(hosts.data_dir, files, 0o700, 0o600)
    assert components(host)[0] == 200
    host.add_tip("after")
    assert host.tips() == [*kept, "after"]
    hosts.stop(host)
    again = hosts.start()
    assert again.tips() == [*kept, "after"]


def set_modes(directory: Path, files: list[Path], directory_mode: int, file_mode: int) -> None:
    for file in files:
        file.chmod(file_mode)
    directory.chmod(directory_mode)
