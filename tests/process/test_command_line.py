"""`sidecar` at a terminal: what it prints, how it is called by hand, what it says to wrong usage."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import httpx
import pytest

from sidecar import __version__
from sidecar.cli import parser
from sidecar.models.adoption import AdoptionOverview, RowSetAside, RowSetAsidePage
from sidecar.tools.adopted import list_rows
from sidecar.tools.commands import Store

from .host import PATIENCE_S, Program, wait_until

SIDECAR = [sys.executable, "-m", "sidecar"]

COMMANDS = {
    "serve": ("--memory",),
    "export": ("export.zip",),
    "import": ("export.zip",),
    "backup": (),
    "restore": ("--list",),
    "adopted": (),
    "doctor": (),
}
"""Each command, with what else it takes."""


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


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_shows_examples_that_it_understands(command: str) -> None:
    done = run(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    examples = re.findall(rf"^  (?:\S+=\S+ )?sidecar ({command} .+)$", done.stdout, re.MULTILINE)
    assert examples
    assert max(map(len, done.stdout.splitlines())) <= 80
    for example in examples:
        assert parser().parse_args(shlex.split(example)).run


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.skipif(sys.platform == "win32", reason="a closed pipe is another error there")
def test_a_reader_that_is_gone_is_no_error(command: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert run("export", "--data-dir", str(tmp_path / "data"), str(tmp_path / "export.zip")).returncode == 0
    for arguments in ([command, "--help"], [command, "--data-dir", "data", *COMMANDS[command]]):
        if arguments[0] == "export":
            (tmp_path / "export.zip").unlink(missing_ok=True)
        reading, writing = os.pipe()
        os.close(reading)
        with subprocess.Popen([*SIDECAR, *arguments], stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path) as process:
            os.close(writing)
            if command == "serve" and arguments[1] != "--help":
                wait_until((tmp_path / "data" / "run.json").exists, "it serves")
                process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, b"Traceback" in error, b"Broken pipe" in error) == (0, False, False), error


class EndlessRows:
    """A store whose list of rows set aside has no end."""

    def __init__(self) -> None:
        self.pages = 0

    def get_adoptions(self) -> AdoptionOverview:
        return AdoptionOverview(adoptions=[], set_aside={"todo": 1}, not_acknowledged={})

    def get_rows_set_aside(self, cursor: str | None) -> RowSetAsidePage:
        self.pages += 1
        row = RowSetAside.model_construct(id=1, table="todo", origin="import", reason="", row={}, is_carried=False)
        return RowSetAsidePage.model_construct(items=[row], next_cursor="more")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_list_ends_when_its_reader_is_gone(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    store = EndlessRows()
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        list_rows(cast("Store", store), as_json=as_json)
    assert store.pages == 1


def test_a_wrong_setting_is_explained_without_internal_words(tmp_path: Path) -> None:
    (tmp_path / "sidecar.toml").write_text('[server]\nmax_body_bytes = "many"\n')
    done = run("backup", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error[bad_configuration]: The setting 'server.max_body_bytes' must be a whole number.\n"


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
        (("export", "--data-dir", "x", "a.zip", "b.zip"), "b.zip"),
        (("import", "--data-dir", "x", "--time-zone", "Mars", "a.zip"), "Mars"),
        (("restore", "--data-dir", "x"), "--list"),
        (("adopted", "--data-dir", "x", "--set", "a=1"), "--restore"),
        (("doctor", "--data-dir", "x", "y"), "y"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_is_explained_and_exits_with_2(arguments: tuple[str, ...], culprit: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    usage, error = f"usage: sidecar {arguments[0]}" if {*arguments[:1]} & {*COMMANDS} else "usage: sidecar", done.stderr
    assert error.startswith(usage)
    assert culprit in error.splitlines()[-1]


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
        assert program.stderr.startswith("error[data_directory_not_writable]: The data directory ")
        assert program.stderr.count("\n") == 1
        assert program.lines() == []


def test_memory_keeps_no_database(tmp_path: Path) -> None:
    with serving(tmp_path, "--data-dir", "data", "--memory"):
        assert list((tmp_path / "data").rglob("*.db")) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["srve"], "; did you mean 'serve'?"),
        (["import", "--data-dir", "data", "chatgtp", "x.zip"], "; did you mean 'chatgpt'?"),
        (["backup", "--data-dir", "data", "--two", "x.db"], "unrecognized arguments: --two x.db; did you mean '--to'?"),
    ],
)
def test_a_misspelt_word_gets_the_nearest_one(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(arguments)
    assert capsys.readouterr().err.endswith(f"{said}\n")
