"""Rows about what goes on beside an app's own work: reports of token usage, and a backup while many write."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from toolbox import Failure

from benchmarks import databases
from benchmarks.operations import WRITERS
from benchmarks.processes import QUIET, Running, client, load, posting, sidecar
from benchmarks.start import A_TODO
from benchmarks.table import Pair, Result, Scale, compare, limit

REPORT = {"model": "bench", "prompt_tokens": 120, "completion_tokens": 40}
HOURS_OF_A_RUN = 2
"""Reports that go on past the hour fill two buckets."""


def reports(scale: Scale) -> Iterator[Result]:
    """What a report costs beside a todo, and how many rows all of them leave."""
    with tempfile.TemporaryDirectory() as directory, sidecar(Path(directory), QUIET) as running:
        pairs: list[Pair] = []
        reported = 0
        while reported < scale.reports:
            report = load(
                f"{running.url}/monitoring/token-usage", WRITERS, 1, token=running.token, script=posting(REPORT)
            )
            todo = load(f"{running.url}/todos", WRITERS, 1, token=running.token, script=posting(A_TODO))
            pairs.append((1000 / report.rate, 1000 / todo.rate))
            reported += report.requests
        with client(running) as calling:
            rows = calling.call("GET", "/monitoring/token-usage?limit=1000")["items"]
    yield compare(f"token usage, {scale.reports:,} reports", "creating a todo", "ms", 1, pairs)
    yield limit("rows that they leave, one model", "rows", HOURS_OF_A_RUN, [len(rows)])


def backup(scale: Scale) -> Iterator[Result]:
    """The median latency of many writers, in turns of a second: while a backup is made, and before it."""
    made = databases.large(scale.database_bytes)
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(dir=databases.CACHE))
        running = stack.enter_context(sidecar(databases.copied(made, Path(scratch) / "data"), QUIET))
        writes_ms(running)
        pairs = [backup_ms(running) for _ in range(3)]
    name = f"create while {scale.database_bytes / 1e9:.1f} GB are backed up"
    yield compare(name, f"{WRITERS} clients without a backup", "ms", 2, pairs)


def backup_ms(running: Running) -> Pair:
    before = [writes_ms(running) for _ in range(5)]
    during: list[float] = []
    making = Backup(running)
    making.start()
    while not during or making.is_alive():
        latency = writes_ms(running)
        # The last turn is a backup's no more; where there is only one, the backup was shorter than a turn.
        if not during or making.is_alive():
            during.append(latency)
    making.join()
    if making.made is None or making.made["verified_at"] is None:
        raise Failure("the backup failed, or was not verified.")
    return median(during), median(before)


class Backup(threading.Thread):
    """Asks for a backup; `made` is what came of it."""

    def __init__(self, running: Running) -> None:
        super().__init__()
        self._running = running
        self.made: dict[str, Any] | None = None

    def run(self) -> None:
        with client(self._running) as calling:
            self.made = calling.call("POST", "/backups", {"reason": "bench"})


def writes_ms(running: Running) -> float:
    return load(f"{running.url}/todos", WRITERS, 1, token=running.token, script=posting(A_TODO)).median_ms
