"""Frozen sidecars, each made once for the whole run, whatever the number of its processes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock

from sidecar.freezing.building import program_in

ROOT = Path(__file__).parents[2]
BACKEND = ROOT / "electron-bridge" / "example" / "backend"
EXTENSION = "flash_cards"

WORDS = {
    "__init__.py": """
from importlib import import_module
from importlib.resources import files
from sidecar.extension import Extension

words = Extension("words")

@words.router.get("/all")
async def list_words() -> list[str]:
    late = import_module("own_words." + "late").WORD
    return [*files("own_words").joinpath("data/words.txt").read_text().split(), late]
""",
    "late.py": "WORD = 'late'",
    "data/words.txt": "sea mer",
    "tests/__init__.py": "",
    "tests/test_words.py": "import pytest",
}
"""An extension with a data file, a module that is imported by a name made at run time, and tests."""


class Frozen(NamedTuple):
    """A frozen folder, and what the command printed."""

    folder: Path
    output: str

    @property
    def program(self) -> Path:
        return program_in(self.folder)


def frozen_with(factory: pytest.TempPathFactory, name: str, *options: str) -> Frozen:
    """The folder of that name; made by the first process of the run that asks for it."""
    own = factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    out, output = shared / name / "sidecar", shared / name / "output.txt"
    with FileLock(shared / f"{name}.lock"):
        if not output.exists():
            for file, text in WORDS.items():
                path = shared / name / "backend" / "own_words" / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            options = (*options, "--python-path", str(shared / name / "backend"), "--extension", "own_words")
            command: list[str | Path] = [
                sys.executable,
                "-m",
                "sidecar",
                "freeze",
                "--python-path",
                BACKEND,
                "--extension",
                EXTENSION,
            ]
            done = subprocess.run([*command, "--out", out, *options], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            output.write_text(done.stdout)
    return Frozen(out, output.read_text())


@pytest.fixture(scope="session")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """The sidecar of the example and of `WORDS`, without extras."""
    return frozen_with(tmp_path_factory, "frozen", "--without", "vectors")


@pytest.fixture(scope="session")
def frozen_with_vectors(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """The same with the extra `vectors`."""
    return frozen_with(tmp_path_factory, "frozen-with-vectors")
