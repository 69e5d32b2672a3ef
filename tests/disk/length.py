"""How long the tests of this kind go on: a sample by default, for so many minutes with `CHAOS_MINUTES`."""

import os
import time
from collections.abc import Iterator

MINUTES = float(os.environ.get("CHAOS_MINUTES", "0"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
"""Processes that run tests at the same time."""

BESIDES_S = 120.0
"""What a test may take besides that which goes on for its share of the minutes."""


def seconds(share: float) -> float:
    """How long a test goes on that has this share of the minutes."""
    return MINUTES * 60 * share * WORKERS


def until(end_s: float) -> Iterator[int]:
    """Count from 0 for so many seconds."""
    end, number = time.monotonic() + end_s, 0
    while time.monotonic() < end:
        yield number
        number += 1
