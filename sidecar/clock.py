"""The clock: where the time and random ids come from.

Everything that needs them is handed a clock. The system's own is the default at the outermost places only, so a test
can hand in another one; a lint rule keeps every other file from asking the system directly.

The wall clock of a computer may be wrong by years, and may jump in both directions while a program runs. It names
moments for people. What has to be in order is numbered, and what takes time is measured by `monotonic`.
"""

import os
from datetime import UTC, datetime
from time import perf_counter
from typing import Protocol


class Clock(Protocol):
    """The time and random ids. Its methods may be called from any thread."""

    def now(self) -> datetime:
        """Return the wall clock's time in UTC. It may be less than the last one."""

    def monotonic(self) -> float:
        """Return the seconds since some moment, never less than before. They may not count a computer's sleep."""

    def new_id(self) -> str:
        """Return a new random id: 32 hexadecimal digits."""


class SystemClock:
    """The clock of the operating system."""

    monotonic = staticmethod(perf_counter)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def new_id(self) -> str:
        return os.urandom(16).hex()


SYSTEM_CLOCK = SystemClock()
