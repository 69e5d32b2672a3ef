"""Every code block of every page runs, every link leads somewhere, and every number of a table names its command.

Blocks of a page run in order, in a folder that has the repository's files and `.venv`. `sidecar serve` runs beside the
blocks after it. A block of Python that begins with a comment of a file's name is written to that file. JavaScript of
README.md runs in a real Electron: `electron-bridge/test/e2e/readme.test.ts`.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from sidecar.config import Settings
from sidecar.storage.sqlite.schema.upgrade import latest_version

from .process.host import Program, wait_until

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("tests/*.md")])
BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
FILE = re.compile(r"# (\S+\.py)\n")
"""The first line of a block that is a file of the reader's project."""

LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
EXAMPLE_URL = "http://127.0.0.1:40123"
BLOCK_S = 120
"""Seconds that a block may take on a busy machine."""

IN_ELECTRON = {"README.md"}
"""Pages whose JavaScript the real-Electron suite runs."""

WITH_AWAIT = """
import ast, asyncio, inspect, sys
code = compile(sys.stdin.read(), "<page>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
result = eval(code, {"__name__": "__main__"})
if inspect.iscoroutine(result):
    asyncio.run(result)
"""


class Block(NamedTuple):
    """A code block; `reason` says why it is not run."""

    language: str
    text: str
    reason: str | None


def blocks(page: str) -> list[Block]:
    return [Block(match["language"], match["text"], match["reason"]) for match in BLOCK.finditer(page)]


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


class Session:
    """The folder in which the blocks of a page run, and the sidecar that one of them may have started."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        for entry in ROOT.iterdir():
            if not entry.name.startswith(".") and entry.name != "data":
                (folder / entry.name).symlink_to(entry)
        (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
        (folder / ".curlrc").write_text("fail\nsilent\nshow-error\n")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "SIDECAR_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
        self._env = inherited | {"PATH": path, "CURL_HOME": str(folder), "NO_PROXY": "*"}

    def run(self, block: Block) -> None:
        if block.text.startswith("sidecar serve"):
            command = [sys.executable, "-m", *block.text.split()]
            self._stack.enter_context(Program(command, self._folder))
            wait_until((self._folder / "data" / "run.json").exists, "the sidecar of the page serves")
        elif block.language == "sh":
            self._require_success(["sh", "-e", "-u", "-c", self._with_url(block.text)], "")
        elif block.language == "python" and (named := FILE.match(block.text)):
            file = self._folder / named[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            self._require_success([sys.executable, "-W", "error", "-c", WITH_AWAIT], block.text)

    def _with_url(self, text: str) -> str:
        if EXAMPLE_URL not in text:
            return text
        url = json.loads((self._folder / "data" / "run.json").read_text(encoding="utf-8"))["url"]
        return text.replace(EXAMPLE_URL, url)

    def _require_success(self, command: list[str], text: str) -> None:
        done = subprocess.run(
            command, cwd=self._folder, env=self._env, input=text, capture_output=True, text=True, timeout=BLOCK_S
        )
        assert done.returncode == 0, f"{command[-1]}\n{text}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with ExitStack() as stack:
        yield Session(tmp_path, stack)


@pytest.mark.skipif(sys.platform == "win32", reason="the blocks are for a POSIX shell")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(page: Path, session: Session) -> None:
    for block in blocks(read(page)):
        if block.reason is None:
            session.run(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_block_is_in_a_language_that_is_run(page: Path) -> None:
    found = {block.language for block in blocks(read(page)) if block.reason is None}
    assert found <= {"sh", "python", "toml", "mermaid"} | ({"js"} if page.name in IN_ELECTRON else set())
    assert len(re.findall(r"^```", read(page), re.MULTILINE)) == 2 * len(blocks(read(page)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_of_a_page_are_valid(page: Path) -> None:
    for block in blocks(read(page)):
        if block.language == "toml" and block.reason is None:
            assert Settings.model_validate(tomllib.loads(block.text)) != Settings()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_diagram_names_its_participants(page: Path) -> None:
    for block in blocks(read(page)):
        if block.language == "mermaid":
            first, *lines = [line.strip() for line in block.text.splitlines()]
            assert first == "sequenceDiagram"
            named = {line.split()[1] for line in lines if line.startswith("participant ")}
            for line in lines:
                message = re.fullmatch(r"(\w+)-?-(?:>>|x)(\w+): .+", line)
                assert line.startswith("participant ") or (message and {message[1], message[2]} <= named), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file(page: Path) -> None:
    missing = [link for link in LINK.findall(read(page)) if not (page.parent / link).exists()]
    assert not missing


def test_each_number_of_the_bench_names_a_row_of_it() -> None:
    rows = re.findall(r"^        \w+\.(\w+),$", (ROOT / "scripts" / "bench").read_text(encoding="utf-8"), re.MULTILINE)
    table = re.findall(r"^\| .*\| `?(\w+)`? \|$", read(ROOT / "PERFORMANCE.md"), re.MULTILINE)
    assert set(table) <= set(rows)
    assert len(table) >= 25


def test_the_changelog_names_the_schema_version() -> None:
    assert f"Databases have schema version {latest_version()}." in read(ROOT / "CHANGELOG.md")


def test_a_block_without_a_reason_is_run() -> None:
    page = "<!-- not run: too slow -->\n```sh\nsleep 9\n```\n\n```python\nx = 1\n```\n"
    assert blocks(page) == [Block("sh", "sleep 9\n", "too slow"), Block("python", "x = 1\n", None)]
