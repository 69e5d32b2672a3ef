"""Which of many equal cases the ordinary run takes. The others are slow ones, for `./scripts/test --full`."""

import os
from collections.abc import Iterable
from typing import Any

import pytest

IS_FULL = os.environ.get("FULL", "") not in ("", "0")
"""Whether this is a full run, for what has a number instead of cases."""


STEP = 1 if IS_FULL else 3
"""Of the operations that a test makes fail, one after the other, the ordinary run takes every third."""


def sampled(cases: Iterable[Any], every: int) -> list[Any]:
    """Return every case, all but the first and each `every`th after it marked as slow."""
    return [
        case if number % every == 0 else pytest.param(case, marks=pytest.mark.slow) for number, case in enumerate(cases)
    ]
