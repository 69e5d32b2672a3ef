"""A Python that is too old for the package says so, to a person and to a bridge."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar import python_version
from sidecar.errors import PythonTooOld

PACKAGE = Path(python_version.__file__).parent
READ_BY_AN_OLD_PYTHON = ("__init__.py", "__main__.py", "python_version.py")

AS_OLD = """
import runpy, sys
sys.version_info = (3, 10, 4, "final", 0)
sys.argv[0] = "sidecar"
runpy.run_module("sidecar", run_name="__main__")
"""


def run_as_old(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The end of `python -m sidecar` with a Python that takes itself for 3.10."""
    command = [sys.executable, "-c", AS_OLD, *arguments]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)


def test_a_bridge_gets_a_status_line_and_a_permanent_exit_code() -> None:
    done = run_as_old("serve", "--host-pipe")
    status = json.loads(done.stdout)
    message = status.pop("message")
    assert status == {"event": "failed", "code": PythonTooOld.code, "exit_code": PythonTooOld.exit_code}
    assert done.returncode == PythonTooOld.exit_code
    assert "needs Python 3.11 or newer" in message
    assert "is Python 3.10.4; make the virtual environment again" in message


@pytest.mark.parametrize("arguments", [["--version"], ["doctor", "--data-dir", "x"], ["serve"]])
def test_a_person_gets_a_sentence(arguments: list[str]) -> None:
    done = run_as_old(*arguments)
    assert (done.returncode, done.stdout) == (PythonTooOld.exit_code, "")
    assert done.stderr.startswith("error: electron-sidecar needs Python 3.11 or newer, and ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", READ_BY_AN_OLD_PYTHON)
def test_an_old_python_can_parse_what_it_reads(name: str) -> None:
    ast.parse((PACKAGE / name).read_text(encoding="utf-8"), feature_version=(3, 6))


def test_the_least_version_is_that_of_the_distribution() -> None:
    import tomllib

    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={'.'.join(map(str, python_version.LEAST))}"
