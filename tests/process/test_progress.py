"""The progress of commands, as a person at a terminal sees it, and somebody who keeps the output in a file."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Hosts
from .host import PATIENCE_S, Host, wait_until
from .patches import SLOW_COPY
from .test_backups import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")

ROWS_OF_A_BATCH = 500


def on_terminal(*arguments: str | Path) -> tuple[int, str]:
    """Run a command at a terminal; return its exit code and what the terminal was sent."""
    import pty

    ours, theirs = pty.openpty()
    try:
        command = [sys.executable, "-m", "sidecar", *map(str, arguments)]
        process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs)
    finally:
        os.close(theirs)
    received = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                block = terminal.read(65_536)
            except OSError:  # Linux reports the end of the other side so
                break
            if not block:
                break
            received += block
    return process.wait(PATIENCE_S), received.decode()


def fill(host: Host, count: int = 4_000) -> None:
    for _ in range(count // ROWS_OF_A_BATCH):
        tips = [{"content": f"{'x' * 2_000} {number}"} for number in range(ROWS_OF_A_BATCH)]
        host.client.post("/tips/batch", json={"tips": tips}).raise_for_status()


def shown(text: str) -> list[tuple[int, str]]:
    """Return each state of the changing line: per cent and activity."""
    states = re.findall(r"\r\x1b\[K *(\d+) %  ([^\r\n]+)", text)
    return [(int(share), activity) for share, activity in states]


@pytest.mark.parametrize("is_running", [True, False])
def test_a_terminal_shows_per_cent_in_one_changing_line(hosts: Hosts, tmp_path: Path, is_running: bool) -> None:
    host = hosts.start()
    fill(host)
    if not is_running:
        hosts.stop(host)
    code, text = on_terminal("backup", "--data-dir", hosts.data_dir)
    assert code == 0, text
    assert {activity for _, activity in shown(text)} <= {"copying the database", "verifying the copy"}
    assert shown(text), text
    assert text.splitlines()[-1].rpartition("\x1b[K")[2].startswith("Made the backup")
    code, text = on_terminal("export", "--data-dir", hosts.data_dir, tmp_path / "a.zip")
    assert code == 0, text
    assert any(activity == "exporting tips" for _, activity in shown(text)), text
    code, text = on_terminal("import", "--data-dir", hosts.data_dir, tmp_path / "a.zip")
    assert code == 0, text
    assert {"checking tips", "importing tips"} & {activity for _, activity in shown(text)}, text


def test_an_interrupted_command_cancels_its_job(hosts: Hosts) -> None:
    host = hosts.start(patch=SLOW_COPY)
    fill(host)
    command = [sys.executable, "-m", "sidecar", "backup", "--data-dir", str(hosts.data_dir)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def jobs() -> list[str]:
        return [job["status"] for job in host.client.get("/jobs").raise_for_status().json()["items"]]

    wait_until(lambda: "running" in jobs(), "the backup runs")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode != 0
    assert "Interrupted." in errors
    wait_until(lambda: jobs() == ["cancelled"], "the job is cancelled")
    assert host.client.get("/backups").json()["items"] == []


def test_a_file_gets_a_line_for_each_activity(hosts: Hosts) -> None:
    host = hosts.start()
    fill(host)
    hosts.stop(host)
    done = run("backup", "--data-dir", hosts.data_dir)
    assert done.stderr == "copying the database …\nverifying the copy …\n"
