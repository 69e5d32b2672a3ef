"""The baseline is what the migrations up to its version make.

python -m tests.storage.test_baseline VERSION    writes the baseline of a later version
"""

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing

from sidecar.clock import SYSTEM_CLOCK
from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.schema import baseline, upgrade
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS

VIRTUAL = re.compile(r"CREATE VIRTUAL TABLE (\w+)")
ROWS = (
    "INSERT INTO store_identity VALUES (lower(hex(randomblob(16))))",
    "INSERT INTO search_index (search_index, rank) VALUES ('automerge', 0)",
    "INSERT INTO search_index (search_index, rank) VALUES ('crisismerge', 512)",
    "INSERT INTO search_fill (kind, after_id) VALUES (1, -1), (2, -1), (3, -1), (4, -1), (5, -1), (6, -1), (7, -1)",
)
"""The rows of a new database; the history of its migrations is written beside them."""


def migrated(version: int) -> sqlite3.Connection:
    """A new database by the migrations up to this version, one after the other."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with transaction(connection):
        upgrade.apply_each(connection, MIGRATIONS[:version], SYSTEM_CLOCK)
    return connection


def rendered(connection: sqlite3.Connection) -> str:
    """The text that makes this schema: tables, indexes and views in the order in which they came, then triggers."""
    objects = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type = 'trigger'")
    statements = [(name, sql) for name, sql in objects if not name.startswith("sqlite_")]
    own = tuple(f"{found[1]}_" for _, sql in statements if (found := VIRTUAL.match(sql)))
    made_by_sqlite = {name for name, sql in statements if name.startswith(own) and sql.startswith("CREATE TABLE '")}
    return baseline.END.join([sql for name, sql in statements if name not in made_by_sqlite] + [*ROWS]) + "\n"


def content(connection: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    """Every object of the schema, and every row that does not differ from run to run."""
    yield from connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
        if table == "store_identity":
            yield from connection.execute("SELECT length(id), count(*) FROM store_identity")
        elif table == "schema_migrations":
            yield from connection.execute("SELECT version, name, program_version FROM schema_migrations")
        else:
            yield from ((table, *row) for row in connection.execute(f"SELECT * FROM {table}"))


def test_a_new_database_is_what_the_migrations_make() -> None:
    newest = upgrade.latest_version()
    with closing(migrated(newest)) as step_by_step, closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        upgrade.bring_up_to_date(new, None, lambda *_: None, clock=SYSTEM_CLOCK)
        assert list(content(new)) == list(content(step_by_step))
        assert new.execute("PRAGMA user_version").fetchone() == (newest,)


def test_the_text_is_what_these_tests_write() -> None:
    with closing(migrated(baseline.VERSION)) as connection:
        assert baseline.TEXT.read_text(encoding="utf-8") == rendered(connection)


if __name__ == "__main__":
    with closing(migrated(int(sys.argv[1]))) as connection:
        baseline.TEXT.write_text(rendered(connection), encoding="utf-8")
