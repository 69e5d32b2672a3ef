"""Rows as other tools may write them: a row never takes others with it.

Each odd value is either refused by the schema, or the store starts, every operation answers, every sound row reads as
it did, the odd row is in its list with the value in its own form or the field named in `invalid`, and the store can be
exported and imported.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sidecar.models import timestamps

from ..reading import versions
from ..reading.everything import Answers, read_everything, try_everything
from ..reading.records import Records, records
from ..reading.stores import database, export, import_archive, opened
from ..sampling import IS_FULL, sampled
from .odd_tables import FIRST, NOT_READ, ODD_TABLES, PARENTS, OddRow, columns, insert, odd_values
from .odd_values import OPEN, UNREADABLE, OddValue

NOT_EXPORTED = {"ProcessedContext", "SimilarTodo", "TokenUsage", "StageTiming", "DataStats"}

SOUND = 7
"""The version of the populated store that the odd rows are written to, once it has had all migrations."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a store of sound rows of every kind, closed."""
    directory = tmp_path_factory.mktemp("template")
    versions.make(directory, SOUND)

    async def start() -> None:
        async with opened(directory):
            pass

    asyncio.run(start())
    with closing(sqlite3.connect(database(directory), isolation_level=None)) as connection:
        for statement in PARENTS:
            connection.execute(statement)
    return directory


@dataclass(frozen=True)
class OddStore:
    """A store with the odd rows of one table, after it was read and exported."""

    rows: list[OddRow]
    answers: Answers
    failures: list[str]
    archive: bytes | None


def written(directory: Path, table: str) -> list[OddRow]:
    """Write every odd row of the table that the schema accepts; returns those."""
    rows = []
    with closing(sqlite3.connect(database(directory), isolation_level=None)) as connection:
        for number, (column, value) in enumerate(odd_values(table), start=FIRST):
            key = insert(connection, table, {column: value}, number)
            if key is not None:
                rows.append(OddRow(table, column, value, key))
    return rows


@pytest.fixture(scope="module", params=sampled(ODD_TABLES, every=2))
def odd_store(request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory) -> OddStore:
    directory = Path(shutil.copytree(template, tmp_path_factory.mktemp("odd") / "data"))
    rows = written(directory, request.param)

    async def read() -> OddStore:
        async with opened(directory) as store:
            answers, failures = await try_everything(store)
            exported = await store.get("/transfer/export")
            return OddStore(rows, answers, failures, exported.content if exported.is_success else None)

    return asyncio.run(read())


def sound() -> Records:
    return versions.truth(SOUND)


def test_odd_rows_are_written_to_every_table_that_an_operation_reads() -> None:
    assert columns().keys() <= ODD_TABLES.keys() | NOT_READ.keys() | _of_the_index()


def _of_the_index() -> set[str]:
    return {table for table in columns() if table.startswith("search_index")}


def test_no_operation_fails(odd_store: OddStore) -> None:
    assert not odd_store.failures, "\n".join(odd_store.failures)


def test_every_sound_row_reads_as_it_did(odd_store: OddStore) -> None:
    wrong = list(versions.deviations(sound(), records(odd_store.answers), may_have_more=True))
    assert not wrong, "\n".join(wrong)


def test_every_odd_row_is_in_its_list(odd_store: OddStore) -> None:
    found = records(odd_store.answers)
    unlisted = [row for row in odd_store.rows if not row.value.may_be_unlisted and _record(found, row) is None]
    assert not unlisted


def test_an_odd_value_is_read_in_its_own_form_or_named_as_invalid(odd_store: OddStore) -> None:
    found = records(odd_store.answers)
    wrong = [
        f"{row!r} is read as {_field(record, row.column)!r}, invalid: {record.get('invalid')}"
        for row in odd_store.rows
        if (record := _record(found, row)) is not None and not _is_as_expected(record, row)
    ]
    assert not wrong, "\n".join(wrong)


async def test_it_can_be_exported_and_imported_with_every_sound_row(odd_store: OddStore) -> None:
    assert odd_store.archive is not None
    async with opened(None) as store:
        await import_archive(store, odd_store.archive)
        imported = records(await read_everything(store))
    exported = {model: rows for model, rows in sound().items() if model not in NOT_EXPORTED}
    wrong = list(versions.deviations(exported, imported, may_have_more=True))
    assert not wrong, "\n".join(wrong)


@cache
def _odd(table: str) -> st.SearchStrategy[tuple[str, dict[str, OddValue]]]:
    """Rows of the table with up to three odd values."""
    by_column: dict[str, list[OddValue]] = {}
    for column, value in odd_values(table):
        by_column.setdefault(column, []).append(value)
    chosen = st.lists(st.sampled_from(sorted(by_column)), min_size=1, max_size=3, unique=True)
    values = chosen.flatmap(
        lambda names: st.fixed_dictionaries({name: st.sampled_from(by_column[name]) for name in names})
    )
    return values.map(lambda row: (table, row))


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

odd_rows = st.lists(st.sampled_from(list(ODD_TABLES)).flatmap(_odd), min_size=1, max_size=40)


@given(odd_rows)
@settings(
    max_examples=8 if IS_FULL else 3,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=SLOW,
)
def test_any_odd_rows_together_take_no_sound_row_with_them(
    template: Path, rows: Sequence[tuple[str, dict[str, OddValue]]]
) -> None:
    async def read(directory: Path) -> tuple[Records, bytes]:
        async with opened(directory) as store:
            return records(await read_everything(store)), await export(store)

    async def imported(archive: bytes) -> Records:
        async with opened(None) as store:
            await import_archive(store, archive)
            return records(await read_everything(store))

    with TemporaryDirectory() as place:
        directory = Path(shutil.copytree(template, Path(place) / "data"))
        with closing(sqlite3.connect(database(directory), isolation_level=None)) as connection:
            for number, (table, row) in enumerate(rows, start=FIRST):
                insert(connection, table, row, number)
        found, archive = asyncio.run(read(directory))
    assert not list(versions.deviations(sound(), found, may_have_more=True))
    exported = {model: of_model for model, of_model in sound().items() if model not in NOT_EXPORTED}
    assert not list(versions.deviations(exported, asyncio.run(imported(archive)), may_have_more=True))


def _record(found: Records, row: OddRow) -> dict[str, Any] | None:
    key = f"odd-{row.key}" if row.table == "context_vectors" else row.key
    return found.get(ODD_TABLES[row.table].model, {}).get(key)


def _field(record: dict[str, Any], name: str) -> Any:
    """The field, which may be one level down."""
    for fields in (record, record.get("extracted_data", {}), record.get("properties", {})):
        if name in fields:
            return fields[name]
    return None


COMPUTED = {"avg_duration_ms"}
"""Fields that are not the column of their name."""


def _is_as_expected(record: dict[str, Any], row: OddRow) -> bool:
    has_field = any(
        row.column in fields for fields in (record, record.get("extracted_data", {}), record.get("properties", {}))
    )
    if row.value.read_as is OPEN or not has_field or row.column in COMPUTED:
        return True
    names = {name.rpartition(".")[2] for name in record.get("invalid", ())}
    value = _field(record, row.column)
    if row.value.read_as is UNREADABLE:
        is_time = columns()[row.table][row.column] == "DATETIME"
        return row.column in names and (not is_time or value is None or timestamps.canonical(value) == value)
    return row.column not in names and repr(value) == repr(row.value.read_as)
