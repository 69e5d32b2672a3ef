"""Every unit of work runs twice, the first time in vain: its answer and its rows are those of one run.

`UNITS_TWICE=1` has any other test do the same: see `tests/rehearsal.py`.
"""

import re
from typing import Any

import pytest
from pydantic_core import to_json

from .. import rehearsal
from .calls import UNITS, populate
from .stores import Content, content, in_memory, without_times


async def test_a_unit_that_runs_twice_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    once = await all_calls()
    rehearsal.rehearse(monkeypatch)
    assert await all_calls() == once


async def all_calls() -> tuple[dict[str, Any], Content]:
    """Make every call in one store; return their answers and the store's content."""
    store = in_memory()
    await store.initialize()
    rows = await populate(store)
    answers = {}
    for name, call in UNITS.items():
        answer = re.sub(r'"latency_ms":\d+', "", to_json(await call(store, rows)).decode())
        (answers[name],) = without_times([answer])
    found = await content(store)
    await store.close()
    return answers, found
