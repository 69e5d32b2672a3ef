"""Rows about a page of a real Electron app: calls to a row and back, beside calls to the sidecar's liveness."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import toolbox
from toolbox import BRIDGE, ROOT, Failure

from benchmarks.table import Result, Scale, compare

RUNS = 3


def page(_: Scale) -> Iterator[Result]:
    dist = Path(toolbox.answer(toolbox.script("get-electron")))
    runs = [measured(dist) for _ in range(RUNS)]
    for kind, what, most, least in (("read", "row", 1.3, 0.6), ("stored", "new row on the disk", 2.2, 0.5)):
        alone = [(run[kind]["ms"], run["live"]["ms"]) for run in runs]
        yield compare(f"page to {what} and back", "page to GET /health/live and back", "ms", most, alone)
        together = [(run[kind]["per_second"], run["live"]["per_second"]) for run in runs]
        name, yardstick = f"32 concurrent page calls, {what}", "32 to GET /health/live"
        yield compare(name, yardstick, "calls/s", least, together, more_is_better=True)


def measured(dist: Path) -> dict[str, dict[str, float]]:
    # Where the user that Electron runs as can write too.
    with tempfile.TemporaryDirectory(dir=ROOT / ".bench") as user_data:
        robot: list[str | Path] = [toolbox.tool("node"), BRIDGE / "test" / "e2e" / "bench.mjs", "--run", "bench"]
        command, env = toolbox.electron_stage([*robot, "--user-data", user_data], dist)
        done = subprocess.run(command, cwd=BRIDGE, env=env, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failure("calls from a page could not be measured; the app's log is above.")
    numbers: dict[str, dict[str, float]] = json.loads(done.stdout)
    return numbers
