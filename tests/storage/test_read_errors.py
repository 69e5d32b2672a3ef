"""A disk that fails to read is reported as such: it is no damage, and nothing is set aside because of it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from .damage import populate, storage_at

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs LD_PRELOAD and a C compiler"
)

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Sequence[dict[str, Any]]:
    """What `read_errors.py` found for a store of 40 tips with a backup."""
    directory = tmp_path_factory.mktemp("read-errors")
    shim = directory / "read_errors.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", shim, HERE / "read_errors.c", "-ldl"], check=True)

    async def make() -> None:
        storage = storage_at(directory / "template")
        await storage.initialize()
        await populate(storage, "row", rows=40)
        await storage.create_backup()
        shutil.copytree(directory / "template", directory / "killed")
        await storage.close()

    asyncio.run(make())
    places = [str(directory / name) for name in ("template", "killed", "scratch")]
    command = [sys.executable, "-m", "tests.storage.read_errors", *places]
    environment = {**os.environ, "LD_PRELOAD": str(shim)}
    done = subprocess.run(
        command, env=environment, cwd=HERE.parent.parent, capture_output=True, text=True, check=True, timeout=120
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def named(outcomes: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [outcome for outcome in outcomes if outcome["name"] == name]


@pytest.mark.parametrize("name", ["open", "open after a kill"])
def test_one_read_that_fails_while_the_store_is_opened_costs_nothing(
    outcomes: Sequence[dict[str, Any]], name: str
) -> None:
    found = named(outcomes, name)
    assert len(found) > 10
    for outcome in found:
        assert outcome.get("error") in (None, "disk_failed"), outcome
        if "error" not in outcome:
            assert (outcome["tips"], outcome["set_aside"]) == (40, []), outcome
            assert set(outcome["outcomes"]) <= {"nothing_found"}, outcome
        assert (outcome["after"]["tips"], outcome["after"]["set_aside"]) == (40, []), outcome


def test_one_read_that_fails_while_a_backup_is_verified_does_not_make_it_damaged(
    outcomes: Sequence[dict[str, Any]],
) -> None:
    found = named(outcomes, "prove")
    assert len(found) > 5
    assert [outcome for outcome in found if outcome.get("damage", "an error") is not None] == []


def test_a_disk_that_stays_broken_ends_the_start_with_an_exit_code_of_its_own(
    outcomes: Sequence[dict[str, Any]],
) -> None:
    (broken,) = named(outcomes, "open a disk that stays broken")
    assert (broken["error"], broken["exit_code"]) == ("disk_failed", 7)
    (whole,) = named(outcomes, "open it when it is whole again")
    assert (whole["tips"], whole["outcomes"], whole["set_aside"]) == (40, [], [])
