"""Scenarios as the tests run them: prepared once, copied, run by `runner.py`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple, Self

from . import recording, shim
from .diary import Diary
from .recording import Mark
from .scenarios import SCENARIOS, Scenario
from .shim import Fault


class Run(NamedTuple):
    """A scenario that was run."""

    scenario: Scenario
    directory: Path
    prepared: list[Mark]
    """What was noted when it was prepared."""

    log: Path
    status: int
    """The exit code; negative for a signal."""

    @property
    def output(self) -> str:
        """What the program wrote, which is nothing unless it failed."""
        return self.log.with_suffix(".txt").read_text()

    @property
    def marks(self) -> list[Mark]:
        """What was noted when it was prepared, and while it ran."""
        return self.prepared + recording.marks(self.log)


class Stage:
    """A directory for runs, and the process that makes them."""

    def __init__(self, directory: Path, library: Path) -> None:
        self.directory = directory
        self._runs = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.disk.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, **shim.preloaded(library)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def prepared(self, scenario: Scenario) -> tuple[Path, list[Mark]]:
        """Return the directory with which each run of the scenario begins, and what was noted when it was made."""
        directory = self.directory / "prepared" / scenario.name
        log = directory.with_name(f"{scenario.name}.log")
        if not directory.exists():
            directory.mkdir(parents=True)
            scenario.prepare(directory, Diary(log))
        return directory, recording.marks(log)

    def run(self, name: str, fault: Fault | None = None, at: int = 0) -> Run:
        """Run the scenario over a fresh copy of what it begins with."""
        scenario = SCENARIOS[name]
        start, prepared = self.prepared(scenario)
        self._runs += 1
        directory = self.directory / f"run-{self._runs}"
        log = directory.with_suffix(".log")
        shutil.copytree(start, directory)
        job = {
            "scenario": name,
            "directory": str(directory),
            "log": str(log),
            "configuration": shim.configuration(directory, log, fault, at),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Run(scenario, directory, prepared, log, int(answer["status"]))

    def remove(self, run: Run) -> None:
        """Remove what a run has left."""
        shutil.rmtree(run.directory)
        for file in (run.log, run.log.with_suffix(".txt")):
            file.unlink()
