"""The tests of the example, as its developer runs them: by a pytest of their own, in the folder of its Python."""

import subprocess
import sys
from pathlib import Path

import pytest

BACKEND = Path(__file__).parents[2] / "electron-bridge" / "example" / "backend"


@pytest.mark.timeout(180)
def test_the_tests_of_the_example_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    done = subprocess.run(command, cwd=BACKEND, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert " passed" in done.stdout
