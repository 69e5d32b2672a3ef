"""The owner of a data directory: nobody, a sidecar that answers, or a process that does not.

`run.json` alone proves nothing. A sidecar that was killed leaves it, and any program may listen on its port since. So
the lock is looked at first: without a process that holds it, nobody is sent the token. The holder of the lock has
replaced the file, so its port is its own; and what answers there must be the instance that the file names.
"""

from pathlib import Path

from sidecar.process.data_directory import RunningSidecar, find_running, is_held
from sidecar.tools.remote_client import is_live

PATIENCE_S = 5.0
"""Seconds for a running sidecar to answer."""


def running_owner(data_directory: Path) -> RunningSidecar | None:
    """Return the sidecar that holds the directory and answers, or `None`, whatever program listens on its port."""
    if not is_held(data_directory):
        return None
    running = find_running(data_directory)
    if running is None or not is_live(running.url, running.instance, PATIENCE_S):
        return None
    # One that started in between has replaced the file: what was read before it held the lock was another's.
    return running if is_held(data_directory) and find_running(data_directory) == running else None
