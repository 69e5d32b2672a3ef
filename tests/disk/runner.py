"""Runs scenarios in processes of their own, under `shim.c`: `python -m tests.disk.runner`, one job a line as JSON.

Everything is imported once; each job runs in a fork of this process, so that it may be killed and costs little. The
answer to a job is a line of JSON with its exit status. A job that comes to its end notes in its log how many disk
operations a fault could have been at.
"""

import ctypes
import json
import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .diary import Diary
from .scenarios import SCENARIOS

LONGEST_S = 30
"""A job that takes longer hangs, and is ended by SIGALRM."""


def main() -> None:
    logging.disable()
    import_everything()
    for line in sys.stdin:
        answer = run(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def import_everything() -> None:
    """Import, before the first fork, what a start and a use of a store import when they need it."""
    with TemporaryDirectory() as directory:
        SCENARIOS["checkpoint"].run(Path(directory), Diary(Path(directory) / "log"))


def run(job: dict[str, Any]) -> dict[str, int]:
    """Run one job in a fork. The status is negative for the signal that ended it."""
    process = os.fork()
    if process == 0:
        run_here(job)
    _, status = os.waitpid(process, 0)
    return {"status": os.waitstatus_to_exitcode(status)}


def run_here(job: dict[str, Any]) -> None:
    """Run the job and end this process."""
    signal.alarm(LONGEST_S)
    log = Path(job["log"])
    with log.with_suffix(".txt").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.update(job["configuration"])
    shim = ctypes.CDLL(None)
    shim.disk_shim_configure()
    diary, status = Diary(log), 0
    try:
        SCENARIOS[job["scenario"]].run(Path(job["directory"]), diary)
    except BaseException:  # noqa: BLE001 - the output says it
        traceback.print_exc()
        status = 1
    diary.note(operations=shim.disk_shim_operations())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
