"""`sidecar` at a terminal: what it prints, how it is called by hand, what it says to wrong usage."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sidecar import __version__

from .host import PATIENCE_S, Program

SIDECAR = [sys.executable, "-m", "sidecar"]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*SIDECAR, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_S)


@contextmanager
def serving(workplace: Path, *arguments: str | Path) -> Iterator[tuple[Program, dict[str, str]]]:
    """A sidecar that a person started, and what it printed: its `url`, `token` and `curl` line."""
    with Program([*SIDECAR, "serve", *arguments], workplace) as program:
        printed: dict[str, str] = {}
        patterns = {"url": r"(http://127\.0\.0\.1:\d+) ", "token": r"Token: (\w+)$", "curl": r"(curl .+)$"}
        while len(printed) < len(patterns):
            line = program.line()
            assert line is not None, program.stderr
            printed |= {name: found[1] for name, pattern in patterns.items() if (found := re.search(pattern, line))}
        yield program, printed


def test_help_names_the_commands_and_the_exit_codes() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "serve" in done.stdout
    for code in range(7):
        assert re.search(rf"^ .*\b{code}  \w", done.stdout, re.MULTILINE)


def test_help_of_serve_names_its_options() -> None:
    done = run("serve", "--help")
    assert done.returncode == 0
    for option in ("--data-dir", "--host-pipe", "--port", "--config", "--memory"):
        assert option in done.stdout


def test_version_is_the_packages() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"sidecar {__version__}\n")


def test_the_installed_command_is_the_module() -> None:
    command = Path(sys.executable).with_name("sidecar")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert done.stdout == run("--version").stdout


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ((), "COMMAND"),
        (("dance",), "dance"),
        (("serve",), "--data-dir"),
        (("serve", "--data-dir"), "--data-dir"),
        (("serve", "--data-dir", "x", "--host-pipe"), "--host-pipe"),
        (("serve", "--host-pipe", "--port", "many"), "many"),
        (("serve", "--host-pipe", "--loud"), "--loud"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_is_explained_and_exits_with_2(arguments: tuple[str, ...], culprit: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: sidecar" in done.stderr
    assert culprit in done.stderr


def test_serve_prints_a_url_and_a_token_that_work(tmp_path: Path) -> None:
    with serving(tmp_path, "--data-dir", "data") as (_, printed):
        headers = {"Authorization": f"Bearer {printed['token']}"}
        answer = httpx.get(f"{printed['url']}/todos", headers=headers, trust_env=False)
        assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize("name", ["data", "it's a $HOME"])
@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_serve_prints_a_curl_line_that_works_in_a_shell_from_anywhere(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, "--data-dir", name) as (_, printed):
        line = f"{printed['curl']} --silent --noproxy '*' --write-out ' %{{http_code}}'"
        done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True, cwd="/", timeout=PATIENCE_S)
        assert done.stdout == '{"items":[],"next_cursor":null,"total":null} 200'


def test_the_token_is_not_in_the_curl_line_but_in_a_file_of_its_owner(tmp_path: Path) -> None:
    with serving(tmp_path, "--data-dir", tmp_path / "data") as (_, printed):
        assert printed["token"] not in printed["curl"]
        header_file = next(word for word in shlex.split(printed["curl"]) if word.startswith("@"))[1:]
        assert Path(header_file).read_text() == f"Authorization: Bearer {printed['token']}\n"


def test_each_start_makes_a_token_of_its_own(tmp_path: Path) -> None:
    with serving(tmp_path, "--data-dir", "one") as (_, one), serving(tmp_path, "--data-dir", "two") as (_, two):
        assert one["token"] != two["token"]
        assert len(one["token"]) == 64


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that a process can be sent")
def test_ctrl_c_stops_it_cleanly(tmp_path: Path) -> None:
    with serving(tmp_path, "--data-dir", "data") as (program, _):
        program.process.send_signal(signal.SIGINT)
        assert program.wait() == 0
        assert program.lines() == ["Stopping …"]
        assert program.stderr == ""
    assert {path.name for path in (tmp_path / "data").iterdir()} == {
        "sidecar.db",
        "sidecar.db.closed",
        "sidecar.db.lock",
        "sidecar.lock",
        "logs",
    }


def test_it_does_not_end_with_its_standard_input(tmp_path: Path) -> None:
    with serving(tmp_path, "--data-dir", "data") as (program, printed):
        program.close_pipe()
        assert httpx.get(f"{printed['url']}/health/live", trust_env=False).status_code == 200


def test_a_failure_is_a_sentence_and_an_exit_code(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with Program([*SIDECAR, "serve", "--data-dir", "data"], tmp_path) as program:
        assert program.wait() == 4
        assert program.stderr.startswith("error: The data directory ")
        assert program.stderr.count("\n") == 1
        assert program.lines() == []


def test_memory_keeps_no_database(tmp_path: Path) -> None:
    with serving(tmp_path, "--data-dir", "data", "--memory"):
        assert list((tmp_path / "data").rglob("*.db")) == []
