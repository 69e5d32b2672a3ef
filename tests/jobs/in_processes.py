"""Jobs that run in processes: a process finds its function in its module."""

import os
import re
import subprocess
import sys
from pathlib import Path

from sidecar.extension import Conflict, Extension, Running

crunch = Extension("crunch")


@crunch.job(run_in="process")
def add(job: Running, numbers: list[int]) -> int:
    """Return the sum, and print what nobody may take for a message."""
    for place, _ in enumerate(numbers):
        job.progress(place + 1, len(numbers), f"number {place + 1}")
    sys.stdout.write('{"result": "not this one"}\n')
    sys.stdout.flush()
    return sum(numbers)


@crunch.job(run_in="process")
def fail(job: Running, with_conflict: bool) -> None:
    """Raise an error."""
    if with_conflict:
        raise Conflict("The deck is locked.")
    raise ZeroDivisionError("division by zero")


@crunch.job(run_in="process")
def die(job: Running) -> None:
    """End the process."""
    os._exit(7)


@crunch.job(run_in="process", is_repeatable=True)
def wait(job: Running, pid_file: str) -> str:
    """Start a program, write both process ids to a file, and wait for the cancellation."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    _write(pid_file, f"{os.getpid()} {program.pid}")
    job.wait_for_cancellation(600)
    job.raise_if_cancelled()
    return "not cancelled"


@crunch.job(run_in="process", grace_s=0.2)
def hold_the_interpreter(job: Running, pid_file: str) -> None:
    """Search for years, in a library that lets no other thread run."""
    _write(pid_file, f"{os.getpid()}")
    re.match(r"(a+)+$", "a" * 60 + "b")


@crunch.job(run_in="process")
def compute(job: Running, steps: int) -> int:
    """Keep a processor busy, and report each step."""
    value = 0
    for step in range(steps):
        for number in range(100_000):
            value = (value * 31 + number) % 1_000_003
        job.progress(step + 1, steps)
    return value


def _write(path: str, text: str) -> None:
    part = Path(f"{path}.part")
    part.write_text(text)
    part.replace(path)
