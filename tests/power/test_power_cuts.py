"""What was answered survives a power cut at any moment, whatever the disk made of the data that was not synced.

A sidecar's disk operations are recorded once for each scenario. From the record, states are built that the disk may be
left in, and the store is started over each: all that was answered is there, nothing is there half or twice, nothing is
reported that is not so, and each backup and export is sound.

300 states are a sample. `POWER_STATES=10000` tries so many in all, `CHAOS_MINUTES` as many as fit into that time, with
`CHAOS_SEED`. What fails names its state; `POWER_STATE=commit:ordered:1:17` builds that one alone.
"""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from ..disk import length, recording
from ..disk.checks import deviations
from ..disk.fixtures import Count
from ..disk.process import PROCESS, record_process
from ..disk.running import Run, Stage
from ..disk.scenarios import SCENARIOS
from .disk import Model
from .states import Cut, Recorded

SAMPLE = {
    "process": 30,
    "creation": 20,
    "start": 8,
    "start-after-kill": 16,
    "commit": 40,
    "checkpoint": 30,
    "backup": 24,
    "restore": 36,
    "recovery": 30,
    "export": 12,
    "copy": 10,
    "import": 12,
    **{name: 6 for name in SCENARIOS if name.startswith("migration-")},
}
"""How many states of each scenario the sample has."""

FACTOR = int(os.environ.get("POWER_STATES", "300")) / sum(SAMPLE.values())
ALONE = [Cut.parse(name) for name in os.environ.get("POWER_STATE", "").split()]
SHARE = 0.5 / len(SAMPLE)
"""Of `CHAOS_MINUTES`: what each scenario has when the tests of faults have the other half."""

BATCH = 20
LONGEST_S = 60 + length.seconds(SHARE) * 1.5 + 3 * FACTOR * max(SAMPLE.values())
SHOWN = 5


def cuts(scenario: str) -> Iterator[list[Cut]]:
    """The cuts to try, in lists of one model each."""
    if ALONE:
        yield from ([cut] for cut in ALONE if cut.scenario == scenario)
        return
    if length.MINUTES:
        batches: Iterable[int] = length.until(length.seconds(SHARE))
        count = BATCH
    else:
        batches, count = range(1), math.ceil(SAMPLE[scenario] * FACTOR / len(Model))
    for batch in batches:
        for model in Model:
            yield [Cut(scenario, model, length.SEED, batch * BATCH + number) for number in range(count)]


@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("scenario", SAMPLE)
def test_what_was_answered_survives_a_power_cut(
    scenario: str, stage: Stage, library: Path, disk: Path, record_property: Count
) -> None:
    if ALONE and not any(cut.scenario == scenario for cut in ALONE):
        pytest.skip("another state is tried alone")
    start, run = record(scenario, stage, library, disk)
    assert run.status == 0, run.output
    assert deviations(run.scenario, run.directory, run.marks, start) == []
    recorded = Recorded(start, run.directory, run.prepared, list(recording.operations(run.log)))
    tried, violations = 0, []
    for wanted in cuts(scenario):
        for state in recorded.states(wanted, disk / "states"):
            tried += 1
            found = deviations(run.scenario, state.directory, state.marks, start)
            if found:
                violations.append(f"POWER_STATE={state.cut} ({state.description}):\n    " + "\n    ".join(found))
    record_property("states tried", tried)
    assert tried
    assert not violations, summary(violations, tried)


def record(scenario: str, stage: Stage, library: Path, disk: Path) -> tuple[Path, Run]:
    """Return the directory with which the scenario began, and its recorded run."""
    if scenario == PROCESS.name:
        return record_process(disk / scenario, library)
    return stage.prepared(SCENARIOS[scenario])[0], stage.run(scenario)


def summary(violations: Sequence[str], tried: int) -> str:
    return f"{len(violations)} of {tried} states:\n" + "\n".join(violations[:SHOWN])
