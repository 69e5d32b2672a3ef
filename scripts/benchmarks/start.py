"""Rows about the sidecar as a process: how fast it starts and stops, and what it takes while nothing is asked of it."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import toolbox

from benchmarks import databases
from benchmarks.processes import QUIET, Client, Running, client, load, posting, python_ms, resident_mb, sidecar
from benchmarks.table import Result, Scale, compare, rounds

LIBRARIES = "import fastapi, uvicorn, aiosqlite, psutil"
SAME_LIBRARIES = f"{LIBRARIES}, filelock, httptools, uvloop"
PROBE_SECONDS = 5
SOAK = """
local paths = { "/todos/1", "/todos?limit=20", "/health/live", "/conversations?limit=20" }
local asked = 0
request = function()
  asked = asked + 1
  if asked % 10 == 0 then return wrk.format("POST", "/todos", nil, wrk.body) end
  return wrk.format("GET", paths[asked % #paths + 1], nil, "")
end
"""
A_TODO = {"content": "water the plants on the balcony before nine", "urgency": 2}


def start(scale: Scale) -> Iterator[Result]:
    """Empty and large databases, the yardsticks and the stop in turns."""
    large = databases.large(scale.database_bytes)
    bound, empty, filled, stopped = [], [], [], []
    for _ in range(scale.starts):
        imports, nothing = python_ms(LIBRARIES), python_ms("pass")
        with tempfile.TemporaryDirectory() as directory, sidecar(Path(directory)) as running:
            bound.append((running.bound_ms, nothing))
            empty.append((running.ready_ms, imports))
            with client(running) as calling:
                calling.call("GET", "/health/live")
            stopped.append((running.stop(), nothing))
        with sidecar(large, QUIET) as running:
            filled.append((running.ready_ms, imports))
    imported = f'python -c "{LIBRARIES}"'
    yield compare("start to bound", "python -c pass", "ms", 3, bound)
    yield compare("start to ready, empty database", imported, "ms", 1.15, empty)
    size = f"{scale.database_bytes / 1e9:.1f} GB"
    yield compare(f"start to ready, database of {size}", imported, "ms", 1.15, filled)
    yield compare("stop, idle", "python -c pass", "ms", 5, stopped)


def memory(scale: Scale) -> Iterator[Result]:
    """Of a sidecar that answered its probes and nothing else, against all that it is built on.

    FastAPI is among that: the operations are declared with it.
    """

    def measure() -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as directory, sidecar(Path(directory)) as running:
            with client(running) as calling:
                calling.call("GET", "/health/live")
                calling.call("GET", "/health/ready")
            return resident_mb(running.pid), imported_mb()

    yield compare("memory, idle", "importing its libraries", "MB", 1.25, rounds(scale.rounds, measure))


def imported_mb() -> float:
    code = f"{SAME_LIBRARIES}; print(flush=True); input()"
    with subprocess.Popen(
        [toolbox.venv_program("python"), "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        taken = resident_mb(process.pid)
        process.communicate(b"\n")
        return taken


def soak(scale: Scale) -> Iterator[Result]:
    """Memory after many requests, a tenth of them writes, against that after the first hundredth."""
    with tempfile.TemporaryDirectory() as directory, sidecar(Path(directory), QUIET) as running:
        with client(running) as calling:
            calling.call("POST", "/todos", A_TODO)
        script = posting(A_TODO) + SOAK
        few = memory_after(running, scale.requests // 100, script)
        many = memory_after(running, scale.requests - scale.requests // 100, script)
    name = f"memory after {scale.requests:,} requests"
    yield compare(name, f"after {scale.requests // 100:,}", "MB", 1.05, [(many, few)])


def memory_after(running: Running, requests: int, script: str) -> float:
    """How much it has after at least so many more requests."""
    while requests > 0:
        seconds = 1 if requests < 50_000 else 10
        requests -= load(running.url, 16, seconds, token=running.token, script=script).requests
    return resident_mb(running.pid)


def idle(scale: Scale) -> Iterator[Result]:
    """CPU time while it is probed and one subscriber listens; everything else as an app would have it."""
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        running = stack.enter_context(sidecar(Path(directory)))
        probing = stack.enter_context(client(running))
        listening = stack.enter_context(client(running))
        threading.Thread(target=listen, args=[listening], daemon=True).start()
        probing.call("GET", "/health/live")
        time.sleep(PROBE_SECONDS)
        began, cpu = time.monotonic(), cpu_seconds(running.pid)
        while (elapsed := time.monotonic() - began) < scale.idle_seconds:
            time.sleep(min(PROBE_SECONDS, scale.idle_seconds - elapsed))
            probing.call("GET", "/health/live")
        taken = (cpu_seconds(running.pid) - cpu, time.monotonic() - began)
        running.stop()
    yield compare("CPU time, idle", "one core", "s", 0.003, [taken])


def listen(connection: Client) -> None:
    for _ in connection.stream("/events"):
        pass


def cpu_seconds(pid: int) -> float:
    """All threads' time on a CPU, as the scheduler counts it."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
