"""Damage to every kind of page, opened as a sidecar opens it, and compared with what was there.

What is promised, for each table: the reports say that at least as many rows may be lost as are missing; and a row comes
back with other values only if the reports count it among those of the backup, or as doubtful. SQLite keeps no
checksums. So the second promise holds for damage to what holds the rows together, and not for a byte inside a row or
for a page that is replaced by another one that makes sense.

The environment variable `CORRUPTIONS` is how many are tried, and `CORRUPTION_SEED` the first of their seeds.
"""

import asyncio
import logging
import os
import random
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from sidecar.errors import DatabaseBeyondRepair
from sidecar.models.recovery import RecoveryReport, SalvagedTable

from ..storage.damage import storage_at
from .corruptions import Corruption, Pages, corrupt
from .stores import Rows, Store, changed_references, copied, make_store, rows

COUNT = int(os.environ.get("CORRUPTIONS", "12"))
FIRST_SEED = int(os.environ.get("CORRUPTION_SEED", "1"))

WITHOUT_INDEX = {"context_vectors", "imported_rows", "message_chunks", "todo_embeddings", "vector_collections"}
"""Tables of whose keys nothing else knows."""

_AT_A_TIME = 12
"""Seeds in one test: a test each would take longer than the damage."""


class Subject(NamedTuple):
    """A store to damage, and the pages of its database."""

    store: Store
    pages: Pages


class Outcome(NamedTuple):
    """What became of a damaged store; without rows, it was refused."""

    corruptions: list[Corruption]
    rows: Rows | None
    reports: list[RecoveryReport]
    detail: str | None


@pytest.fixture(scope="module")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> list[Subject]:
    """A store without a backup and one with a backup, never written to."""
    with_backup = asyncio.run(make_store(tmp_path_factory.mktemp("with-backup")))
    directory = tmp_path_factory.mktemp("without-backup")
    without = with_backup._replace(directory=directory)
    shutil.copyfile(with_backup.directory / "sidecar.db", directory / "sidecar.db")
    pages = Pages(directory / "sidecar.db")
    return [Subject(without, pages), Subject(with_backup, pages)]


@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + COUNT, _AT_A_TIME))
@pytest.mark.timeout(600)
async def test_no_fewer_rows_are_reported_as_lost_than_are_lost(
    subjects: list[Subject], tmp_path: Path, caplog: pytest.LogCaptureFixture, first: int
) -> None:
    caplog.set_level(logging.CRITICAL)
    wrong = []
    for seed in range(first, min(first + _AT_A_TIME, FIRST_SEED + COUNT)):
        wrong += [f"CORRUPTION_SEED={seed}: {problem}" for problem in await problems(subjects, tmp_path, seed)]
    assert not wrong, "\n".join(wrong)


async def problems(subjects: list[Subject], directory: Path, seed: int) -> list[str]:
    """Damage a copy of a store; return what is wrong with what was said of it."""
    dice = random.Random(seed)
    subject = subjects[seed % 2]
    file = copied(subject.store, directory / f"seed-{seed}")
    try:
        count = 1 if dice.random() < 0.85 else 2
        corruptions = [corrupt(file, subject.pages, subject.store.older, dice) for _ in range(count)]
        outcome = await open_damaged(file, corruptions)
        found = list(judge(outcome, subject.store, file))
        return [f"{problem}\n  {corruptions}\n  {said(outcome)}" for problem in found]
    finally:
        shutil.rmtree(file.parent)


async def open_damaged(file: Path, corruptions: list[Corruption]) -> Outcome:
    """Open the store as a sidecar does, and let it check itself as a sidecar does."""
    storage = storage_at(file.parent)
    try:
        await storage.initialize()
    except DatabaseBeyondRepair as refusal:
        return Outcome(corruptions, None, [], refusal.message)
    try:
        if storage.integrity_check_is_due() and not (await storage.check_integrity()).is_sound:
            async with asyncio.timeout(60):
                while not (await storage.get_recoveries()).items:
                    await storage.health()
        reports = (await storage.get_recoveries()).items
        health = (await storage.health())["recovery"]
    finally:
        await storage.close()
    return Outcome(corruptions, rows(file), reports, health.detail)


def judge(outcome: Outcome, store: Store, file: Path) -> list[str]:
    """Compare what was said with what was there."""
    if outcome.rows is None:
        return ["a store that has a backup was refused"] if any(file.parent.glob("backups/*.db")) else []
    wrong = []
    may_change_values = any(one.may_change_values for one in outcome.corruptions)
    references = changed_references(file)
    if (outcome.detail is not None) != bool(outcome.reports):
        wrong.append(f"health says {outcome.detail!r}")
    for table, before in store.rows.items():
        after = outcome.rows.get(table, {})
        told = [report.tables[table] for report in outcome.reports if table in report.tables]
        missing = len(before.keys() - after.keys())
        made_up = len(after.keys() - before.keys())
        if table in WITHOUT_INDEX and may_change_values:
            missing -= made_up  # they have other keys now
        if missing > sum_of(told, "lost") + sum_of(told, "set_aside"):
            wrong.append(f"{table}: {missing} rows are missing")
        changed = len([key for key in before.keys() & after.keys() if before[key] != after[key]])
        counted = sum_of(told, "from_backup") + sum_of(told, "doubtful") + references.get(table, 0)
        if changed + made_up > counted and not may_change_values:
            wrong.append(f"{table}: {changed} rows are changed and {made_up} made up")
    return wrong


def sum_of(tables: list[SalvagedTable], field: str) -> float:
    """The number that the reports say; an unknown one is larger than any."""
    return sum(float("inf") if (number := getattr(table, field)) is None else number for table in tables)


def said(outcome: Outcome) -> str:
    """What the reports say, for a person who looks for the fault."""
    if not outcome.reports:
        return f"no report, {outcome.detail}"
    (report, *_) = outcome.reports
    tables = {name: table.model_dump(exclude_defaults=True) for name, table in report.tables.items()}
    return f"{report.outcome}: {report.sentence()} {report.problems[:3]} {tables}"
