"""Databases of every earlier schema version: what they held is there afterwards, and a migration is done or not done.

Each file in `schemas/` is the populated database of one version, as SQL text. A migration that is released adds one.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.storage.sqlite import schema, snapshot
from sidecar.storage.sqlite.migrations import MIGRATIONS

from ..sampling import IS_FULL, sampled

STEP = 1 if IS_FULL else 4
"""Statements from one failure to the next."""

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("schema-*.sql"))

OWN_TABLES = {"schema_migrations", "store_identity"}
"""They tell of the migrations themselves: when each was applied, and the name that the store was given."""

Rows = dict[str, list[dict[str, Any]]]


def is_ignored(stage: str, detail: str) -> None:
    """Stages are not what is tested here."""


def opened(sql: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """The database in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=factory)
    connection.executescript(sql.read_text(encoding="utf-8"))
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


@pytest.mark.parametrize("sql", SCHEMAS, ids=lambda path: path.stem)
def test_a_file_holds_rows_in_every_table_of_its_version(sql: Path) -> None:
    with closing(opened(sql)) as connection:
        assert version(connection) == int(sql.stem.removeprefix("schema-"))
        empty = {table for table, rows in content(connection).items() if not rows}
        assert empty <= {"import_ids"}, "rows of an import that is under way; it never outlives its transaction"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("sql", SCHEMAS, ids=lambda path: path.stem)
def test_after_migrating_every_row_has_what_it_had(sql: Path) -> None:
    with closing(opened(sql)) as connection:
        before = content(connection)
        schema.bring_up_to_date(connection, None, is_ignored, clock=SYSTEM_CLOCK)
        after = content(connection)
        assert version(connection) == schema.latest_version()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    for table, rows in before.items():
        columns = rows[0] if rows else {}
        kept = sorted(({column: row[column] for column in columns} for row in after[table]), key=repr)
        assert [row for row in kept if row in rows] == rows, table
        assert len(kept) == len(rows) or table == "schema_migrations", table


@pytest.mark.parametrize("sql", SCHEMAS, ids=lambda path: path.stem)
def test_it_then_has_the_schema_of_a_new_database(sql: Path) -> None:
    def shape(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
        for kind, name in connection.execute("SELECT type, name FROM sqlite_schema ORDER BY 1, 2").fetchall():
            yield kind, name
            if kind == "table":
                yield from (("column", f"{name}.{row[1]}") for row in connection.execute(f"PRAGMA table_info({name})"))

    with closing(opened(sql)) as migrated, closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        schema.bring_up_to_date(migrated, None, is_ignored, clock=SYSTEM_CLOCK)
        schema.bring_up_to_date(new, None, is_ignored, clock=SYSTEM_CLOCK)
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


def states(sql: Path) -> dict[int, list[str]]:
    """The database after each migration that it has not had, and before the first."""
    with closing(opened(sql)) as connection:
        found = {version(connection): dump(connection)}
        for number in range(version(connection) + 1, schema.latest_version() + 1):
            schema.bring_up_to_date(
                connection, None, is_ignored, [m for m in MIGRATIONS if m.version <= number], clock=SYSTEM_CLOCK
            )
            found[number] = dump(connection)
    return found


@pytest.mark.parametrize("sql", sampled(reversed(SCHEMAS), every=3), ids=lambda path: path.stem)
def test_a_migration_that_fails_at_any_statement_leaves_what_was_there_before_it(sql: Path) -> None:
    expected = states(sql)
    number = 1 - STEP
    while True:
        number += STEP
        connection = opened(sql, FailingConnection)
        assert isinstance(connection, FailingConnection)
        with closing(connection):
            connection.count, connection.at = 0, number
            try:
                schema.bring_up_to_date(connection, None, is_ignored, clock=SYSTEM_CLOCK)
            except sqlite3.OperationalError:
                connection.at = 0
            else:
                break
            assert not connection.in_transaction
            plain = sqlite3.connect(":memory:", isolation_level=None)
            with closing(plain):
                connection.backup(plain)
                assert dump(plain) == expected[version(plain)], number
            schema.bring_up_to_date(connection, None, is_ignored, clock=SYSTEM_CLOCK)
            assert version(connection) == schema.latest_version()
    assert number > 10
