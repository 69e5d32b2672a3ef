"""Durable long work.

A job is a row from its request to its outcome. `declaration.py` says how a kind of job is written, `running.py` what
its function gets. `runner.py` takes jobs from the queue, and `executors.py` runs them: in the event loop, in a thread,
or in a process (`process.py`, with `child.py` at its other end).
"""

from sidecar.jobs.declaration import JobKind, RunIn
from sidecar.jobs.running import JobCancelled, Running

__all__ = ["JobCancelled", "JobKind", "RunIn", "Running"]
