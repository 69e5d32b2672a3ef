"""A fault at a disk operation: the process is killed there, or the operation fails; then the sidecar starts again.

A scenario is run with a fault at its first disk operation, its second, and so on. Each time, all that was answered is
there at the next start, nothing is there half or twice, no sound file and no sound backup is given up, nothing is
reported that is not so, and the store can be used.

A few operations of each scenario are a sample. `DISK_FAULTS=all` tries every operation of every scenario with one
fault, which `CHAOS_SEED` chooses, and with each fault where a row or a schema is at stake. `CHAOS_MINUTES` does so for
as long as that. What fails names its fault; `DISK_FAULT=commit:kill:17` tries that one alone.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple, Self

import pytest

from ..disk import length
from ..disk.checks import deviations
from ..disk.fixtures import Count
from ..disk.running import Run, Stage
from ..disk.scenarios import SCENARIOS
from ..disk.shim import Fault

SAMPLE = 2
"""How many faults of each scenario are tried by default."""

SAMPLED_MIGRATIONS = 2
THOROUGH = ("commit", "recovery", "migration-")
"""Scenarios of which every operation is tried with each fault."""

READING = ("start", "start-after-kill", "recovery")
"""Scenarios of which reads fail, too."""

CHANGES = (Fault.KILL, Fault.IO_ERROR, Fault.DISK_FULL)
IS_WHOLE = bool(length.MINUTES) or os.environ.get("DISK_FAULTS") == "all"
SHARE = 0.5 / len(SCENARIOS)
LONGEST_S = 60.0 if not IS_WHOLE else 60 + length.seconds(SHARE) * 1.5 if length.MINUTES else 6 * 3600
SHOWN = 5
MOST = 1_000_000


class Place(NamedTuple):
    """One fault at one operation."""

    scenario: str
    fault: Fault
    at: int

    @classmethod
    def parse(cls, name: str) -> Self:
        scenario, fault, at = name.split(":")
        return cls(scenario, Fault(fault), int(at))

    def __str__(self) -> str:
        return f"{self.scenario}:{self.fault}:{self.at}"


ALONE = [Place.parse(name) for name in os.environ.get("DISK_FAULT", "").split()]


def scenarios() -> list[str]:
    """The scenarios to try: by default not all of the migrations, which are alike."""
    migrations = [name for name in SCENARIOS if name.startswith("migration-")]
    if IS_WHOLE or ALONE:
        return list(SCENARIOS)
    left_out = set(migrations) - set(Random(length.SEED).sample(migrations, SAMPLED_MIGRATIONS))
    return [name for name in SCENARIOS if name not in left_out]


def places(scenario: str, stage: Stage) -> Iterator[Place]:
    """The faults to try, in an order that the seed chooses."""
    if ALONE:
        yield from (place for place in ALONE if place.scenario == scenario)
        return
    dice = Random(f"{scenario}:{length.SEED}")
    changes = [Place(scenario, fault, at) for at in range(1, operations(stage.run(scenario)) + 1) for fault in CHANGES]
    if scenario in READING:
        reads = operations(stage.run(scenario, Fault.READ_ERROR, MOST))
        changes += [Place(scenario, Fault.READ_ERROR, at) for at in range(1, reads + 1)]
    dice.shuffle(changes)
    if not IS_WHOLE:
        yield from changes[:SAMPLE]
        return
    is_thorough = scenario.startswith(THOROUGH)
    seen: set[tuple[bool, int]] = set()
    end = time.monotonic() + length.seconds(SHARE)
    for place in changes:
        operation = (place.fault is Fault.READ_ERROR, place.at)
        if (is_thorough or operation not in seen) and (not length.MINUTES or time.monotonic() < end):
            seen.add(operation)
            yield place


def operations(run: Run) -> int:
    """The number of operations that a fault could have been at."""
    assert run.status == 0, run.output
    return int(run.marks[-1]["operations"])


@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("scenario", scenarios())
def test_what_was_answered_survives_a_fault_of_the_disk(scenario: str, stage: Stage, record_property: Count) -> None:
    tried, violations = 0, []
    for place in places(scenario, stage):
        tried += 1
        found = consequences(stage, place)
        if found:
            violations.append(f"DISK_FAULT={place}:\n    " + "\n    ".join(found))
    record_property("faults tried", tried)
    if not ALONE:
        assert tried
    assert not violations, f"{len(violations)} of {tried} faults:\n" + "\n".join(violations[:SHOWN])


def consequences(stage: Stage, place: Place) -> list[str]:
    """What is not as it must be after the fault and the next start."""
    start, _ = stage.prepared(SCENARIOS[place.scenario])
    run = stage.run(place.scenario, place.fault, place.at)
    found = list(ending(run, place))
    found += deviations(run.scenario, run.directory, run.marks, start, use=True)
    stage.remove(run)
    return found


def ending(run: Run, place: Place) -> Iterator[str]:
    """A program is killed, or says what failed; it neither hangs nor ends with an error that nobody foresaw.

    Two runs of a scenario need not have the same number of operations, so that it may end before the fault.
    """
    is_past = any(mark.get("operations", place.at) < place.at for mark in run.marks)
    wanted = -9 if place.fault is Fault.KILL and not is_past else 0
    if run.status != wanted:
        yield f"the program ended with {run.status}: {run.output[-2000:]}"


def test_a_place_is_named_so_that_it_can_be_tried_alone(tmp_path: Path) -> None:
    place = Place("start-after-kill", Fault.READ_ERROR, 7)
    assert Place.parse(str(place)) == place
