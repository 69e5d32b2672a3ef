"""An extension for real sidecars, whose jobs and routes write rows that tell what was done, and how often."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

from sidecar.extension import Connection, Extension, Job, Jobs, Running, Storage, Work, Write

chores = Extension("chores")

STEPS = 3


@chores.migration(1)
def create_tables(connection: sqlite3.Connection) -> None:
    """Rows of what was done, none of which is unique: doing something twice shows."""
    connection.execute("CREATE TABLE chores_done (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL)")


def note(work: Work, what: str) -> int:
    """Write down what was done."""
    sql = "INSERT INTO chores_done (what) VALUES (?) RETURNING id"
    row_id = int(work.connection.execute(sql, (what,)).fetchone()["id"])
    work.changed("chores.done", row_id)
    return row_id


@chores.job(is_repeatable=True)
async def in_loop(job: Running, number: int) -> str:
    """Write down each step."""
    for step in range(STEPS):
        await job.write(lambda work, step=step: note(work, f"loop {number} step {step}"), int, step=f"{step}")  # type: ignore[misc]
        job.progress(step + 1, STEPS)
    return f"loop {number}"


@chores.job(is_repeatable=True)
def in_thread(job: Running, number: int) -> str:
    """Take a moment."""
    for step in range(STEPS):
        job.wait_for_cancellation(0.02)
        job.raise_if_cancelled()
        job.progress(step + 1, STEPS)
    return f"thread {number}"


@chores.job(run_in="process", is_repeatable=True)
def in_process(job: Running, number: int) -> str:
    """Compute a moment."""
    for step in range(STEPS):
        sum(range(300_000))
        job.progress(step + 1, STEPS)
    return f"process {number}"


for _kind in (in_thread, in_process):
    _kind.then(note)


@chores.job()
async def once(job: Running, number: int) -> str:
    """Do something that must not be repeated."""
    await job.write(lambda work: note(work, f"once {number}"), int)
    return f"once {number}"


@chores.job(run_in="process", is_repeatable=True)
def compute(job: Running, seconds: float, pids: str = "") -> int:
    """Keep a processor busy, with a program of its own beside it."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    if pids:
        Path(f"{pids}.part").write_text(f"{os.getpid()} {program.pid}")
        Path(f"{pids}.part").replace(pids)
    ended = threading.Timer(seconds, lambda: None)
    ended.start()
    rounds = 0
    while ended.is_alive():
        sum(range(100_000))
        rounds += 1
        job.progress(rounds)
        job.raise_if_cancelled()
    return rounds


@chores.job()
def tick(job: Running, count: int, pause_s: float) -> None:
    """Report so many steps, each with the time of the report by the clock that all processes share."""
    for step in range(count):
        job.progress(step + 1, count, f"{time.monotonic()}")
        job.wait_for_cancellation(pause_s)


@chores.job(run_in="process")
def tick_in_process(job: Running, count: int, pause_s: float) -> None:
    """Do the same in a process."""
    tick(job, count, pause_s)


@chores.job()
def deaf(job: Running) -> None:
    """Never end."""
    threading.Event().wait()


@chores.router.post("/calls/{number}", status_code=202)
async def do_work(number: int, write: Write, jobs: Jobs) -> list[int]:
    """Write a row and queue a job of each place, all in one unit."""

    def unit(work: Work) -> list[int]:
        note(work, f"call {number}")
        return [jobs.add(work, kind, number).id for kind in (in_loop, in_thread, in_process, once)]

    return await write(unit)


@chores.router.post("/compute", status_code=202)
async def start_computing(seconds: float, pids: str, jobs: Jobs) -> Job:
    """Queue a computation."""
    return await jobs.start(compute, seconds, pids)


@chores.router.post("/tick", status_code=202)
async def start_ticking(count: int, pause_s: float, jobs: Jobs, in_process: bool = False) -> Job:
    """Queue a job that reports its progress."""
    return await jobs.start(tick_in_process if in_process else tick, count, pause_s)


@chores.router.post("/deaf", status_code=202)
async def start_deaf(jobs: Jobs) -> Job:
    """Queue a job that does not end."""
    return await jobs.start(deaf)


@chores.router.get("/done")
async def list_done(storage: Storage) -> dict[str, int]:
    """Return how often each thing was done."""

    def count(connection: Connection) -> dict[str, int]:
        sql = "SELECT what, count(*) AS times FROM chores_done GROUP BY what"
        return {row["what"]: row["times"] for row in connection.execute(sql).fetchall()}

    return await storage.read(count)
