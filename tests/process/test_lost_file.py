"""A data directory or a database file that vanishes under a running sidecar, as its host and a person see it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..sampling import sampled
from .conftest import Hosts
from .host import PATIENCE_S, Host, wait_until

TIPS = [f"tip {number}" for number in range(20)]


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sidecar", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def delete_directory(data: Path) -> None:
    shutil.rmtree(data)


def delete_file(data: Path) -> None:
    for name in ("sidecar.db", "sidecar.db-wal", "sidecar.db-shm"):
        (data / name).unlink()


def replace_by_a_backup(data: Path) -> None:
    done = run("backup", "--data-dir", data, "--to", data.parent / "old.db")
    assert done.returncode == 0, done.stderr
    (data.parent / "old.db").replace(data / "sidecar.db")


def recovery_detail(host: Host) -> str:
    return str(host.client.get("/health/ready").json()["components"]["recovery"]["detail"])


@pytest.mark.parametrize(
    "lose",
    sampled([delete_file, delete_directory, replace_by_a_backup], every=3),
    ids=lambda way: way.__name__,
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes and replaces no open files")
def test_what_was_answered_is_refused_saved_told_and_brought_back(hosts: Hosts, lose: Callable[[Path], None]) -> None:
    host = hosts.start()
    for tip in TIPS:
        host.add_tip(tip)
    lose(hosts.data_dir)

    refused = host.client.post("/tips", json={"content": "too late"})
    assert (refused.status_code, refused.json()["code"], refused.json()["retryable"]) == (503, "storage_lost", False)
    wait_until(lambda: "sidecar restore" in recovery_detail(host), "the health check says what to do")
    assert host.client.get("/health/ready").status_code == 503
    assert host.client.get("/health/live").status_code == 200
    assert set(host.tips()) >= set(TIPS)
    looked = run("doctor", "--data-dir", hosts.data_dir)
    assert looked.returncode == 1
    assert "PROBLEM" in looked.stdout
    hosts.stop(host)
    assert not (hosts.data_dir / "sidecar.db.closed").exists()

    (rescued,) = hosts.data_dir.glob("sidecar.db.rescued-*.db")
    again = hosts.start()
    assert str(rescued) in recovery_detail(again)
    assert rescued.name in run("doctor", "--data-dir", hosts.data_dir).stdout
    hosts.stop(again)
    done = run("restore", "--data-dir", hosts.data_dir, rescued)
    assert done.returncode == 0, done.stderr
    assert set(hosts.start().tips()) >= set(TIPS)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows moves no open files")
def test_a_sidecar_whose_directory_was_taken_over_leaves_it_to_the_new_one(hosts: Hosts) -> None:
    old = hosts.start()
    hosts.data_dir.rename(hosts.data_dir.with_name("elsewhere"))
    new = hosts.start()
    new.add_tip("kept")
    hosts.stop(old)
    assert (hosts.data_dir / "run.json").exists()
    assert new.tips() == ["kept"]
    new.add_tip("more")
    hosts.stop(new)
    assert hosts.start().tips() == ["kept", "more"]
