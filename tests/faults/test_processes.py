"""A fault of the disk while a whole sidecar starts and stops, and what its next start makes of it."""

import shutil
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from ..disk import length, recording, shim
from ..disk.checks import deviations
from ..disk.load import DATA
from ..disk.recording import Kind
from ..disk.running import Stage
from ..disk.scenarios import SCENARIOS
from ..disk.shim import Fault
from ..process.host import Host
from .test_disk_faults import CHANGES, IS_WHOLE, LONGEST_S, SHARE

SAMPLE = 2
SCENARIO = SCENARIOS["start"]


@pytest.mark.timeout(LONGEST_S)
def test_a_sidecar_whose_disk_fails_at_its_start_or_stop_starts_again(
    stage: Stage, library: Path, tmp_path: Path
) -> None:
    start, marks = stage.prepared(SCENARIO)
    log = tmp_path / "log"
    used = shutil.copytree(start, tmp_path / "recorded")
    assert run(used, {**shim.preloaded(library), **shim.configuration(used, log)}) == 0
    last = sum(one.kind not in (Kind.MARK, Kind.SYNCED) for one in recording.operations(log))
    dice, violations = Random(length.SEED), []
    numbers = dice.sample(range(1, last + 1), last if IS_WHOLE else SAMPLE)
    in_time = length.until(length.seconds(SHARE)) if length.MINUTES else iter(numbers)
    for number, _ in zip(numbers, in_time, strict=False):
        fault = dice.choice(CHANGES)
        used = shutil.copytree(start, tmp_path / f"{fault}-{number}")
        status = run(used, {**shim.preloaded(library), **shim.configuration(used, fault=fault, at=number)})
        found = [] if is_ending(status, fault) else [f"the sidecar ended with {status}"]
        again = run(used, {})
        if again != 0:
            found.append(f"the next start ended with {again}")
        found += deviations(SCENARIO, used, marks, use=True)
        violations += [f"{fault} at {number}: {deviation}" for deviation in found]
    assert violations == []


def run(directory: Path, environment: dict[str, str]) -> int:
    """Start a sidecar over the store in this directory and stop it once it is ready; return its exit code."""
    with Host(directory / DATA, directory.parent, environment=environment) as host:
        with suppress(AssertionError, OSError):  # it ends before it is ready, or before it has read the command
            host.bootstrap()
            host.event("ready")
            host.shutdown()
        return host.wait()


def is_ending(status: int, fault: Fault) -> bool:
    """Return whether a sidecar may end so. It has an exit code unless it was killed, for which it may be too late."""
    return status >= 0 or (fault is Fault.KILL and status == -9)
