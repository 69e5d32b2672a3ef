"""Databases of every earlier schema version: what they held is there afterwards, and a migration is done or not done.

Each file in `schemas/` is the populated database of one version, as its program wrote it, in SQL text. For the other
versions, the populated databases of `tests/reading/versions.py` are taken.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS

from ..reading import versions
from ..sampling import IS_FULL, sampled

STEP = 1 if IS_FULL else 4
"""Statements from one failure to the next."""

DIRECTORY = Path(__file__).parent / "schemas"

VERSIONS = versions.VERSIONS[:-1]
"""Every version from which a database is upgraded."""

WRITTEN = [number for number in VERSIONS if (DIRECTORY / f"schema-{number}.sql").is_file()]
"""Versions with a file, whose rows stay as they are. The others have odd rows too: `tests/reading` says what becomes of
them."""

OWN_TABLES = {"schema_migrations", "store_identity"}
"""They tell of the migrations themselves: when each was applied, and the name that the store was given."""

Rows = dict[str, list[dict[str, Any]]]


def is_ignored(stage: str, detail: str) -> None:
    """Stages are not what is tested here."""


@cache
def populated(number: int) -> sqlite3.Connection:
    """The database of a version, in memory; only to be copied."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    written = DIRECTORY / f"schema-{number}.sql"
    if written.is_file():
        connection.executescript(written.read_text(encoding="utf-8"))
        return connection
    with (
        TemporaryDirectory() as directory,
        closing(sqlite3.connect(versions.make(Path(directory), number))) as file,
    ):
        file.backup(connection)
    return connection


def opened(number: int, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """A copy of the database of a version, in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=factory)
    populated(number).backup(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def content(connection: sqlite3.Connection) -> Rows:
    """Every row of every table, by column."""
    found: Rows = {}
    for table in snapshot.count_rows(connection):
        cursor = connection.execute(f'SELECT * FROM "{table}"')
        columns = [column[0] for column in cursor.description]
        found[table] = sorted((dict(zip(columns, row, strict=True)) for row in cursor), key=repr)
    return found


def dump(connection: sqlite3.Connection) -> list[str]:
    """Schema and rows, apart from what every run writes anew."""
    own = re.compile(f'INSERT INTO "?({"|".join(OWN_TABLES)})"?')
    return [line for line in connection.iterdump() if not own.match(line)]


@pytest.mark.parametrize("number", VERSIONS)
def test_a_file_holds_rows_in_every_table_of_its_version(number: int) -> None:
    with closing(opened(number)) as connection:
        assert version(connection) == number
        empty = {table for table, rows in content(connection).items() if not rows}
        assert empty <= {"import_ids"}, "rows of an import that is under way; it never outlives its transaction"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("number", WRITTEN)
def test_after_migrating_every_row_has_what_it_had(number: int) -> None:
    with closing(opened(number)) as connection:
        before = content(connection)
        upgrade.bring_up_to_date(connection, None, is_ignored, clock=SYSTEM_CLOCK)
        after = content(connection)
        assert version(connection) == upgrade.latest_version()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    for table, rows in before.items():
        columns = rows[0] if rows else {}
        kept = sorted(({column: row[column] for column in columns} for row in after[table]), key=repr)
        assert [row for row in kept if row in rows] == rows, table
        assert len(kept) == len(rows) or table == "schema_migrations", table


@pytest.mark.parametrize("number", VERSIONS)
def test_it_then_has_the_schema_of_a_new_database(number: int) -> None:
    def shape(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
        for kind, name in connection.execute("SELECT type, name FROM sqlite_schema ORDER BY 1, 2").fetchall():
            yield kind, name
            if kind == "table":
                yield from (("column", f"{name}.{row[1]}") for row in connection.execute(f"PRAGMA table_info({name})"))

    with closing(opened(number)) as migrated, closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        upgrade.bring_up_to_date(migrated, None, is_ignored, clock=SYSTEM_CLOCK)
        upgrade.bring_up_to_date(new, None, is_ignored, clock=SYSTEM_CLOCK)
        assert list(shape(migrated)) == list(shape(new))


class FailingConnection(sqlite3.Connection):
    """Fails the statement with the number `at`, counted from 1."""

    at = 0
    count = 0

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self._next()
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        self._next()
        return super().executemany(sql, parameters)

    def cursor(self, *arguments: Any) -> Any:
        raise AssertionError("a migration uses the connection itself")

    def _next(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise sqlite3.OperationalError("disk I/O error")


def states(number: int) -> dict[int, list[str]]:
    """The database after each migration that it has not had, and before the first."""
    with closing(opened(number)) as connection:
        found = {version(connection): dump(connection)}
        for next_one in range(number + 1, upgrade.latest_version() + 1):
            upgrade.bring_up_to_date(
                connection, None, is_ignored, [m for m in MIGRATIONS if m.version <= next_one], clock=SYSTEM_CLOCK
            )
            found[next_one] = dump(connection)
    return found


@pytest.mark.parametrize("number", sampled(reversed(VERSIONS), every=7))
def test_a_migration_that_fails_at_any_statement_leaves_what_was_there_before_it(number: int) -> None:
    expected = states(number)
    at = 1 - STEP
    while True:
        at += STEP
        connection = opened(number, FailingConnection)
        assert isinstance(connection, FailingConnection)
        with closing(connection):
            connection.count, connection.at = 0, at
            try:
                upgrade.bring_up_to_date(connection, None, is_ignored, clock=SYSTEM_CLOCK)
            except sqlite3.OperationalError:
                connection.at = 0
            else:
                break
            assert not connection.in_transaction
            plain = sqlite3.connect(":memory:", isolation_level=None)
            with closing(plain):
                connection.backup(plain)
                assert dump(plain) == expected[version(plain)], at
            upgrade.bring_up_to_date(connection, None, is_ignored, clock=SYSTEM_CLOCK)
            assert version(connection) == upgrade.latest_version()
    assert at > 1
