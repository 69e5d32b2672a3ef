"""Every public method of storage, while any one SQL statement fails: atomic, or reported, and the store goes on."""

from collections.abc import AsyncIterator

import pytest

from sidecar.errors import SidecarError
from sidecar.storage.unified import UnifiedStorage

from ..chaos.conftest import Statements
from .calls import ELSEWHERE, IN_STEPS, READING, UNITS, Rows, populate, public_methods
from .stores import content, in_memory

SAMPLE = {"update_conversation", "delete_vault", "restore_row_set_aside"}


MOST_STATEMENTS = 1_000


def sampled(names: list[str]) -> list[object]:
    return [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.fixture
async def store(statements: Statements) -> AsyncIterator[UnifiedStorage]:
    opened = in_memory()
    await opened.initialize()
    yield opened
    statements.fail(0)
    await opened.close()


@pytest.fixture
async def rows(store: UnifiedStorage) -> Rows:
    return await populate(store)


@pytest.mark.parametrize("name", public_methods())
def test_a_public_method_has_a_call_or_a_reason(name: str) -> None:
    named = [name in UNITS, name in IN_STEPS, name in ELSEWHERE, name.startswith(READING)]
    assert named.count(True) == 1, "give it a call in tests/faults/calls.py"


@pytest.mark.parametrize("name", sampled(list(UNITS)))
async def test_a_change_is_whole_or_absent(
    store: UnifiedStorage,
    rows: Rows,
    statements: Statements,
    name: str,
) -> None:
    before = await content(store)
    number = 0
    while True:
        number += 1
        statements.fail(number)
        try:
            await UNITS[name](store, rows)
        except SidecarError:
            statements.fail(0)
            assert await content(store) == before, number
        else:
            break
        assert number < MOST_STATEMENTS, "the call fails without a fault, too"
    statements.fail(0)
    after = await content(store)
    assert number > 3
    other = in_memory()
    await other.initialize()
    await UNITS[name](other, await populate(other))
    assert after == await content(other), "a failure was not reported, and left something else"
    await other.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(IN_STEPS))
async def test_work_in_steps_can_be_repeated(
    store: UnifiedStorage,
    rows: Rows,
    statements: Statements,
    name: str,
) -> None:
    before = await content(store)
    number, is_done = 0, False
    while not is_done:
        number += 1
        statements.fail(number)
        try:
            await IN_STEPS[name](store, rows)
        except SidecarError:
            continue
        is_done = statements.count < number
    statements.fail(0)
    await IN_STEPS[name](store, rows)
    assert await content(store) == before
    assert (await store.insert_tip("goes on")).content == "goes on"
