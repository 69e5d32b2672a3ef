"""Nine vintages of the seeds' databases, with hostile rows in six time zones: every value against a written truth."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sidecar.cli import main
from sidecar.clock import SYSTEM_CLOCK
from sidecar.exit_codes import ExitCode
from sidecar.models.adoption import AdoptionReport
from sidecar.storage.sqlite.adoption.upgrade import adopt_or_upgrade
from tests.storage import hostile_minecontext, hostile_vmpilot
from tests.storage.hostile_rows import JSON_COLUMNS, Truth
from tests.storage.moments import ZONES, Moments
from tests.storage.vintages import MINECONTEXT, VINTAGES, VMPILOT, make

in_every_zone = pytest.mark.parametrize("moments", ZONES, ids=lambda moments: moments.zone)
of_every_vintage = pytest.mark.parametrize("vintage", [*MINECONTEXT, *VMPILOT])


def hostile(vintage: str, moments: Moments) -> Truth:
    """Rows for a database of this vintage, and what must become of them."""
    truth = hostile_minecontext.truth if vintage in MINECONTEXT else hostile_vmpilot.truth
    return truth(vintage, moments)


LATER_COLUMNS = {
    "conversations": "source external_id",
    "messages": "external_id parts model prompt_tokens completion_tokens cost",
}
"""Columns that no seed has; they are empty after an adoption."""


def with_later_columns(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, **dict.fromkeys(LATER_COLUMNS.get(table, "").split())} for row in rows]


def rows_of(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """The rows of a table by their key; JSON as what it says, an absent one as `None`; that of monitoring as text."""
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    for row in rows:
        for name in JSON_COLUMNS & row.keys() if not table.startswith("monitoring") else ():
            row[name] = json.loads(row[name] or "null")
    return rows


def adopt(path: Path, zone: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    adopt_or_upgrade(connection, None, lambda *_: None, zone=ZoneInfo(zone), clock=SYSTEM_CLOCK)
    return connection


def report_of(connection: sqlite3.Connection) -> tuple[str, str, AdoptionReport]:
    """The system, the zone and the report of the only adoption."""
    ((system, zone, report),) = connection.execute("SELECT system, time_zone, report FROM adoptions")
    return system, zone, AdoptionReport.model_validate_json(report)


@in_every_zone
@of_every_vintage
def test_every_row_is_adopted_with_the_values_that_it_should_have(
    vintage: str, moments: Moments, tmp_path: Path
) -> None:
    truth = hostile(vintage, moments)
    path = make(vintage, tmp_path / "sidecar.db", *truth.statements)
    with closing(adopt(path, moments.zone)) as connection:
        for table, expected in truth.rows.items():
            assert rows_of(connection, table) == with_later_columns(table, expected), table


@in_every_zone
@of_every_vintage
def test_nothing_is_set_aside_without_being_in_the_report(vintage: str, moments: Moments, tmp_path: Path) -> None:
    truth = hostile(vintage, moments)
    path = make(vintage, tmp_path / "sidecar.db", *truth.statements)
    with closing(adopt(path, moments.zone)) as connection:
        system, zone, report = report_of(connection)
        aside = connection.execute("SELECT table_name, is_carried, reason FROM adopted_orphans ORDER BY id").fetchall()
        assert [(table, bool(carried), reason.split(":")[0]) for table, carried, reason in aside] == truth.set_aside
    assert (system, zone) == (vintage.partition("-")[0], moments.zone)
    for counts, is_carried in ((report.set_aside, False), (report.replaced, True)):
        tables = [table for table, carried, _ in truth.set_aside if carried == is_carried]
        assert counts == {table: tables.count(table) for table in tables}
    assert report.rows == truth.report.rows
    assert report.added_up == truth.report.added_up
    assert report.threads_made == truth.report.threads_made
    assert (report.repeated_times, report.skipped_times) == (
        truth.report.repeated_times,
        truth.report.skipped_times,
    )


@in_every_zone
@of_every_vintage
def test_every_row_is_imported_with_the_values_that_it_should_have(
    vintage: str, moments: Moments, tmp_path: Path, live_in: Callable[[str], None]
) -> None:
    live_in(moments.zone)
    truth = hostile(vintage, moments)
    path = make(vintage, tmp_path / "theirs.db", *truth.statements)
    before = path.read_bytes()
    system = vintage.partition("-")[0]
    assert main(["import", system, str(path), "--data-dir", str(tmp_path / "data")]) == ExitCode.CLEAN
    with closing(sqlite3.connect(tmp_path / "data" / "sidecar.db")) as connection:
        for table, expected in truth.rows.items():
            if not table.startswith("monitoring"):  # which no archive holds
                assert rows_of(connection, table) == with_later_columns(table, expected), table
    assert path.read_bytes() == before


@of_every_vintage
def test_an_empty_database_is_adopted_as_an_empty_one(vintage: str, tmp_path: Path) -> None:
    with closing(adopt(make(vintage, tmp_path / "sidecar.db"), "UTC")) as connection:
        _, _, report = report_of(connection)
        assert report == AdoptionReport()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("vintage", [name for name, sql in VINTAGES.items() if "my_notes" in sql])
def test_tables_of_others_stay(vintage: str, tmp_path: Path) -> None:
    path = make(vintage, tmp_path / "sidecar.db", "INSERT INTO my_notes VALUES ('a', x'ff00')")
    with closing(adopt(path, "UTC")) as connection:
        assert connection.execute("SELECT a, b FROM my_notes").fetchall() == [("a", b"\xff\x00")]
