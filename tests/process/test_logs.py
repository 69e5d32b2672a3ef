"""The log: on standard error and in a rotating file, one line an event, and the token nowhere."""

import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sidecar.config import LogSettings
from sidecar.process.logs import configure_logging

from .conftest import Hosts
from .host import Host, wait_until
from .patches import FAILING_QUERY, TOKEN_IN_A_TRACEBACK

EVENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) [\w.]+: .+")


def log_of(hosts: Hosts) -> str:
    return (hosts.data_dir / "logs" / "sidecar.log").read_text(encoding="utf-8")


def provoke_warnings(host: Host, count: int = 1) -> None:
    """Send commands that make no sense, of which each is logged, and wait until all are."""
    before = host.stderr.count("unknown command")
    for _ in range(count):
        host.send(b"null")
    wait_until(lambda: host.stderr.count("unknown command") == before + count, "all warnings are logged")


def test_a_run_is_told_from_ready_to_stopping_in_both_places(hosts: Hosts) -> None:
    host = hosts.start()
    hosts.stop(host)
    lines = log_of(hosts).splitlines()
    assert host.stderr.splitlines() == lines
    assert all(EVENT.fullmatch(line) for line in lines)
    assert f"ready at http://127.0.0.1:{host.port}" in lines[0]
    assert "stopping: shutdown" in lines[-1]


def test_the_next_run_is_added_to_the_file(hosts: Hosts) -> None:
    hosts.stop(hosts.start())
    before = log_of(hosts)
    hosts.stop(hosts.start())
    assert log_of(hosts).startswith(before)
    assert len(log_of(hosts)) > len(before)


def test_events_below_the_level_are_left_out(hosts: Hosts) -> None:
    host = hosts.start(settings={"log": {"level": "warning"}})
    provoke_warnings(host)
    hosts.stop(host)
    (line,) = log_of(hosts).splitlines()
    assert " WARNING " in line


def test_the_file_is_rotated_at_its_size_and_so_many_are_kept(hosts: Hosts) -> None:
    host = hosts.start(settings={"log": {"max_bytes": 1024, "files": 2}})
    provoke_warnings(host, 100)
    sizes = {path.name: path.stat().st_size for path in (hosts.data_dir / "logs").iterdir()}
    assert sizes.keys() == {"sidecar.log", "sidecar.log.1", "sidecar.log.2"}
    assert max(sizes.values()) <= 1024
    if sys.platform != "win32":
        modes = {path.stat().st_mode & 0o777 for path in (hosts.data_dir / "logs").iterdir()}
        assert modes == {0o600}


def test_text_that_pretends_to_be_a_log_stays_within_its_event(hosts: Hosts) -> None:
    host = hosts.start(patch=FAILING_QUERY)
    host.client.get("/tips")
    hosts.stop(host)
    text = log_of(hosts)
    (event,) = [line for line in text.splitlines() if " WARNING app: one" in line]
    assert "forged: two" in event
    assert "three" in event
    for line in text.splitlines():
        assert EVENT.fullmatch(line) or line.startswith("    "), line
    assert "\x1b" not in text
    assert "\r" not in text
    assert host.stderr == text


def test_a_failure_inside_is_in_the_log_and_not_in_the_answer(hosts: Hosts) -> None:
    host = hosts.start(patch=FAILING_QUERY)
    answer = host.client.get("/tips")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "forged" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "RuntimeError" in log_of(hosts)
    assert "GET /tips failed" in log_of(hosts)


def test_the_token_is_nowhere(hosts: Hosts) -> None:
    host = hosts.start(settings={"log": {"level": "debug"}}, patch=TOKEN_IN_A_TRACEBACK)
    assert host.client.get("/tips").status_code == 500
    for path in (f"/tips?token={host.token}", f"/{host.token}"):
        host.client.get(path)
    host.client.post("/tips", json={"content": "a row"}, headers={"Idempotency-Key": "a key"})
    provoke_warnings(host)
    sidecar = psutil.Process(host.pid)
    command_line, environment = " ".join(sidecar.cmdline()), str(sidecar.environ())
    hosts.stop(host)
    assert "[token]" in log_of(hosts)
    for place in (log_of(hosts), host.stderr, str(host.remaining_events()), command_line, environment):
        assert host.token not in place


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, which is as it was before when the test ends."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_file_that_can_no_longer_be_written_to_is_reported_once_and_fails_nothing(
    tmp_path: Path, root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(tmp_path, LogSettings(max_bytes=1024, files=1), "0" * 32, "CRITICAL")
    (tmp_path / "logs").rename(tmp_path / "away")
    for number in range(100):
        root_logger.warning("event %d", number)
    (report,) = capsys.readouterr().err.splitlines()
    assert "sidecar.log cannot be written to: No such file or directory" in report
    (tmp_path / "logs").mkdir()
    root_logger.warning("written again")
    assert "written again" in (tmp_path / "logs" / "sidecar.log").read_text()
