"""One execution of a job's function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.jobs.declaration import JobKind
from sidecar.jobs.running import Running


@dataclass
class Execution:
    """The run of a function: its kind, its arguments, and the time that it gets to end."""

    kind: JobKind[Any, Any]
    running: Running
    arguments: Mapping[str, Any]
    """As they are stored."""
    grace_s: float
    """Seconds that a process has to end after it was told to."""
    is_abandoned: bool = False
    """True if nobody waits any more for a thread that does not end."""
