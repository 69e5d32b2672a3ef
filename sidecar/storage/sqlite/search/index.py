"""Keeping the full-text index whole: filling in what it lacks, and starting over when it is damaged.

A commit takes in what few rows it changed (`search/pending.py`). Here is what takes longer, in steps.
"""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from sidecar.clock import Clock
from sidecar.models.health import Component
from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.search import entries
from sidecar.storage.sqlite.search import pending as search_pending
from sidecar.storage.sqlite.search.index_format import CREATE_INDEX, MERGE_LATER
from sidecar.storage.sqlite.search.kinds import numbers, table_of, view_of

log = logging.getLogger(__name__)

_STEP_S = 0.006
"""How long one step of filling takes, before its commit, which takes as long again."""

MERGED_PAGES = 40
"""Pages that each step merges, in about 1.5 ms. Without it, the search right after a large batch would look for each of
its words in hundreds of parts."""

_FTS5_VERSION = 4
"""Of the format in which FTS5 stores an index such as ours."""


def follow(connection: sqlite3.Connection, clock: Clock) -> bool:
    """Take in what was noted and left, for a few milliseconds; returns whether more may be left."""
    if not search_pending.is_any(connection):
        return False
    merge(connection, MERGED_PAGES)
    until = clock.monotonic() + _STEP_S
    while search_pending.follow_some(connection):
        if clock.monotonic() > until:
            return True
    return False


def fill(connection: sqlite3.Connection, limit: int, clock: Clock) -> bool:
    """Put up to `limit` rows into the index, in a few milliseconds; returns whether more may be lacking."""
    if follow(connection, clock):
        return True
    until = clock.monotonic() + _STEP_S
    unfilled = connection.execute("SELECT kind, after_id FROM search_fill ORDER BY kind").fetchall()
    if unfilled:
        merge(connection, MERGED_PAGES)
    for number, after_id in unfilled:
        table = table_of(connection, number)
        if table is None:
            connection.execute("DELETE FROM search_fill WHERE kind = ?", (number,))
            continue
        sql = f"SELECT id FROM {table} WHERE id > ? ORDER BY id LIMIT ?"
        for (row_id,) in connection.execute(sql, (after_id, limit)).fetchall():
            search_pending.add(
                connection,
                f"""
                SELECT docid, title, content, tags, facets FROM {view_of(table)}
                WHERE id = ? AND NOT EXISTS (SELECT 1 FROM search_index_docsize WHERE id = docid)
                """,
                (row_id,),
            )
            after_id, limit = row_id, limit - 1
            if clock.monotonic() > until:
                limit = 0
                break
        connection.execute("UPDATE search_fill SET after_id = ? WHERE kind = ?", (after_id, number))
        if limit <= 0:
            return True
        connection.execute("DELETE FROM search_fill WHERE kind = ?", (number,))
    return False


def merge(connection: sqlite3.Connection, pages: int) -> bool:
    """Go on making few large parts of the index out of many small ones, for about so many pages; whether there was
    anything to do. A search looks into every part, and writes alone merge as far as they must."""
    before = connection.total_changes
    connection.execute("INSERT INTO search_index (search_index, rank) VALUES ('merge', ?)", (pages,))
    # The command itself counts as one change (https://sqlite.org/fts5.html, "The 'merge' Command").
    return connection.total_changes - before > 1


def empty(connection: sqlite3.Connection) -> None:
    """Empty the index, inside a transaction that is open; every row is then to be filled in."""
    try:
        connection.execute("INSERT INTO search_index (search_index) VALUES ('delete-all')")
    except sqlite3.Error:
        with suppress(sqlite3.Error):  # where there is none
            # FTS5 does not even drop a table whose version it cannot read.
            sql = "INSERT OR REPLACE INTO search_index_config (k, v) VALUES ('version', ?)"
            connection.execute(sql, (_FTS5_VERSION,))
        connection.execute("DROP TABLE IF EXISTS search_index")
        connection.execute(CREATE_INDEX)
        for setting in MERGE_LATER:
            connection.execute(setting)
    if _has_table(connection, "search_format"):  # a schema of before has none, and is not searched by this program
        connection.execute("DELETE FROM search_format")
        connection.execute("INSERT INTO search_format (version) VALUES (?)", (entries.VERSION,))
    connection.execute("DELETE FROM search_pending")
    connection.executemany(
        "INSERT OR REPLACE INTO search_fill (kind, after_id) VALUES (?, -1)", [(each,) for each in numbers(connection)]
    )


class IndexHooks:
    """The part of each commit that keeps the index: see `Hooks` of the engine."""

    def before_units(self, connection: sqlite3.Connection) -> Callable[[], None]:
        """Return what takes a few changed rows into the index before the commit."""
        if search_pending.is_any(connection):  # units must not wait for the words of others
            return _nothing
        return partial(search_pending.follow_few, connection)

    def repair(self, connection: sqlite3.Connection) -> bool:
        """Empty a damaged index, as a transaction of its own; return whether that was possible."""
        log.warning("the search index is damaged; it is rebuilt")
        try:
            with transaction(connection):
                empty(connection)
        except sqlite3.Error:
            log.exception("the search index cannot be rebuilt")
            return False
        return True


def _nothing() -> None:
    pass


def is_there(connection: sqlite3.Connection) -> bool:
    """Return whether the database's schema has one; those of versions before it have none."""
    return _has_table(connection, "search_fill")


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (name,)).fetchone() is not None


def is_current(connection: sqlite3.Connection) -> bool:
    """Return whether the index was filled by the rules that searches follow now."""
    versions = [version for (version,) in connection.execute("SELECT version FROM search_format")]
    return versions == [entries.VERSION]


def is_usable(connection: sqlite3.Connection) -> bool:
    """Return whether the index can be read at all; costs next to nothing."""
    try:
        connection.execute("SELECT rowid FROM search_index WHERE search_index MATCH 'a' LIMIT 1").fetchone()
        connection.execute("SELECT 1 FROM search_index_docsize LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        # Without its own tables, the index is an "SQL logic error" to SQLite.
        if error.sqlite_errorcode in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT_VTAB):
            return False
        raise
    return True


def is_filled(connection: sqlite3.Connection) -> bool:
    """Return whether the index has every row, as it is now."""
    lacking = connection.execute("SELECT 1 FROM search_fill UNION ALL SELECT 1 FROM search_pending LIMIT 1")
    return lacking.fetchone() is None


def check(connection: sqlite3.Connection) -> Component:
    """How much there is still to fill in, at most."""
    return Component(ok=True, measures={"rows_to_fill": float(count_lacking(connection))})


def count_lacking(connection: sqlite3.Connection) -> int:
    """Return how many rows are to be filled in, at most."""
    rows: int
    (rows,) = connection.execute("SELECT count(*) FROM search_pending").fetchone()
    for number, after_id in connection.execute("SELECT kind, after_id FROM search_fill").fetchall():
        table = table_of(connection, number)
        if table is not None:
            (last,) = connection.execute(f"SELECT max(id) FROM {table}").fetchone()
            rows += max(0, (last or 0) - max(0, after_id))
    return rows
