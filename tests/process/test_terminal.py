"""Reporting to a person neither ends the sidecar nor fails a tool, whatever becomes of the reader."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from ..sampling import sampled
from .conftest import Hosts
from .host import PATIENCE_S, is_running, wait_until

SIDECAR = [sys.executable, "-m", "sidecar"]

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals and terminals")


@contextmanager
def serving(
    data_dir: Path,
    *,
    through: tuple[str, ...] = (),
    encoding: str | None = None,
    stdout: "int | IO[bytes]" = subprocess.PIPE,
    stderr: "int | IO[bytes]" = subprocess.PIPE,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A sidecar that a person starts, and that is ended in any case."""
    environment = dict(os.environ) if encoding is None else {**os.environ, "PYTHONIOENCODING": encoding}
    command = [*through, *SIDECAR, "serve", "--data-dir", str(data_dir)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def is_live(data_dir: Path) -> bool:
    try:
        url = json.loads((data_dir / "run.json").read_text())["url"]
        return httpx.get(f"{url}/health/live", trust_env=False).status_code == 200
    except (OSError, ValueError, httpx.HTTPError):
        return False


def wait_until_it_serves(data_dir: Path) -> None:
    wait_until(lambda: is_live(data_dir), "the sidecar serves")


def test_a_reader_that_goes_away_does_not_end_the_sidecar(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        wait_until_it_serves(tmp_path)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


@posix_only
def test_readers_of_output_and_errors_that_go_away_do_not_change_the_exit_code(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody, serving(tmp_path, stdout=nobody, stderr=nobody) as process:
        wait_until_it_serves(tmp_path)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("encoding", sampled(["iso-8859-1", "ascii", "cp1252"], every=3))
def test_a_character_that_the_terminal_lacks_is_replaced(tmp_path: Path, encoding: str) -> None:
    with serving(tmp_path, encoding=encoding) as process:
        wait_until_it_serves(tmp_path)
        process.terminate()
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert out.decode(encoding).splitlines()[-1] in ("Stopping ?", "Stopping …")


@posix_only
def test_a_terminal_that_closes_stops_the_sidecar_cleanly(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "wb", buffering=0) as terminal, serving(tmp_path, stdout=terminal, stderr=terminal) as it:
        wait_until_it_serves(tmp_path)
        os.close(ours)
        it.send_signal(signal.SIGHUP)
        assert it.wait(PATIENCE_S) == 0
    assert (tmp_path / "sidecar.db.closed").exists()


@posix_only
def test_under_nohup_it_outlives_the_terminal(tmp_path: Path) -> None:
    with serving(tmp_path, through=("nohup",)) as process:
        wait_until_it_serves(tmp_path)
        process.send_signal(signal.SIGHUP)
        assert is_live(tmp_path)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


@posix_only
def test_a_host_that_closes_its_terminal_has_its_sidecar_stop_cleanly(hosts: Hosts) -> None:
    host = hosts.start()
    host.process.send_signal(signal.SIGHUP)
    assert host.wait() == 0
    assert not is_running(host.pid)


@posix_only
class TestTools:
    @pytest.fixture
    def stopped(self, hosts: Hosts) -> Path:
        hosts.stop(hosts.start())
        return hosts.data_dir

    @pytest.mark.parametrize(
        "arguments",
        sampled([("doctor",), ("--help",), ("doctor", "--json"), ("backup",), ("restore", "--list")], every=5),
        ids=lambda arguments: " ".join(arguments),
    )
    def test_a_closed_pipe_changes_neither_the_exit_code_nor_what_is_said(
        self, stopped: Path, arguments: tuple[str, ...]
    ) -> None:
        place = () if arguments == ("--help",) else ("--data-dir", str(stopped))
        command = [*SIDECAR, *arguments, *place]
        expected = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S)
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as nobody:
            done = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, check=False, timeout=PATIENCE_S)
        assert done.returncode == expected.returncode
        assert b"Broken" not in done.stderr

    def test_closed_streams_do_not_fail_it(self, stopped: Path) -> None:
        line = f"{sys.executable} -m sidecar backup --data-dir '{stopped}' >&- 2>&-"
        done = subprocess.run(["sh", "-c", line], check=False, timeout=PATIENCE_S)
        assert done.returncode == 0
        assert len(list((stopped / "backups").glob("*.db"))) == 1
