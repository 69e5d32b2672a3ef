"""Large databases for the bench, made once: rows go into a migrated file in one transaction, past the sidecar.

A file is made again when the schema changes, or the way it is made.
"""

import hashlib
import random
import sqlite3
import tempfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from shutil import copyfile, rmtree

import toolbox
from toolbox import ROOT, say

from benchmarks.processes import QUIET, sidecar

CACHE = ROOT / ".bench" / "databases"
DIMENSIONS = 384
QUERIES = "queries.json"

Fill = Callable[[sqlite3.Connection, Path], None]
"""Puts rows into the database; may put files beside it, into the directory."""

_COUNTED = "WITH RECURSIVE counted (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < {rows})"
_TIME = "strftime('%Y-%m-%dT%H:%M:%fZ', 1767225600 + i * 7, 'unixepoch')"
"""Of the i-th row: every seven seconds from the beginning of 2026."""


def directory(name: str, fill: Fill) -> Path:
    """A data directory with the database of this name; nothing may be written there."""
    with tempfile.TemporaryDirectory(dir=_ensured(CACHE)) as scratch:
        unfinished = Path(scratch) / name
        with sidecar(_ensured(unfinished), QUIET):
            pass
        made = CACHE / f"{name}-{_fingerprint(unfinished / 'sidecar.db')}"
        if not made.exists():
            for stale in CACHE.glob(f"{name}-*"):
                rmtree(stale)
            say(f"Making the database {name} ...")
            _make(unfinished, fill)
            unfinished.rename(made)
    return made


def copied(made: Path, target: Path) -> Path:
    """A data directory of one's own with the same database."""
    copyfile(made / "sidecar.db", _ensured(target) / "sidecar.db")
    return target


def _ensured(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _fingerprint(empty: Path) -> str:
    with closing(sqlite3.connect(empty)) as connection:
        schema = connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
        schema += connection.execute("SELECT k, v FROM search_index_config ORDER BY k").fetchall()
    sources = [path.read_bytes() for path in (Path(__file__), toolbox.SCRIPTS / "benchmarks" / "vectors.py")]
    return hashlib.sha256(repr((schema, sources)).encode()).hexdigest()[:12]


def _make(unfinished: Path, fill: Fill) -> None:
    with closing(sqlite3.connect(unfinished / "sidecar.db", isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("BEGIN")
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        fill(connection, unfinished)
        for name, table in _searched(connection):
            connection.execute(f"INSERT INTO search_index (rowid, {_WORDS}) SELECT docid, {_WORDS} FROM {name}")
            (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            say(f"  {rows:,} rows of {table} searched")
        _merge(connection)
        for _, sql in triggers:
            connection.execute(sql)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL").fetchall()


def _merge(connection: sqlite3.Connection) -> None:
    """Leave the index as upkeep does."""
    before = -2
    # The command itself counts as one change (https://sqlite.org/fts5.html, "The 'merge' Command").
    while connection.total_changes - before > 1:
        before = connection.total_changes
        connection.execute("INSERT INTO search_index (search_index, rank) VALUES ('merge', 10000)")


_WORDS = "title, content, tags, facets"


def _searched(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """The views over what is searched, and their tables."""
    sql = "SELECT name FROM sqlite_schema WHERE type = 'view' AND name LIKE 'search!_%' ESCAPE '!'"
    return [(name, name.removeprefix("search_")) for (name,) in connection.execute(sql).fetchall()]


# What the databases hold


def large(size: int) -> Path:
    """Activities with long resources, about `size` bytes in all."""

    def fill(connection: sqlite3.Connection, _: Path) -> None:
        connection.execute(f"""
            INSERT INTO activity (title, content, resources, start_time, end_time) {_COUNTED.format(rows=size // 8200)}
            SELECT 'writing', 'about it', '["' || hex(randomblob(4000)) || '"]', {_TIME}, {_TIME} FROM counted
        """)

    return directory(f"large-{size}", fill)


def lists(rows: int) -> Path:
    """Every list with so many rows; 20 of each kind have the word `rarebird`."""

    def fill(connection: sqlite3.Connection, _: Path) -> None:
        words = f"'note ' || i || iif(i % {rows // 20} = 0, ' rarebird', '')"
        for table, columns, values in (
            (
                "vaults",
                "title, content, is_folder, parent_id, document_type, created_at, updated_at",
                f"""'title ' || (i % 50), {words}, i % 2, iif(i = 1, NULL, 1), iif(i % 2, 'Note', 'DailyReport'),
                {_TIME}, {_TIME}""",
            ),
            ("todo", "content, status, created_at", f"{words}, i % 2, {_TIME}"),
            ("activity", "title, content, start_time, end_time", f"'activity', {words}, {_TIME}, {_TIME}"),
            ("tips", "content, created_at", f"{words}, {_TIME}"),
            (
                "conversations",
                "title, page_name, user_id, status, created_at, updated_at",
                f"{words}, 'page ' || (i % 2), 'user ' || (i % 2), iif(i % 2, 'active', 'archived'), {_TIME}, {_TIME}",
            ),
            (
                "messages",
                "conversation_id, role, content, status, created_at, updated_at",
                f"1 + i / 20, 'user', {words}, 'completed', {_TIME}, {_TIME}",
            ),
            ("chats", "id, created_at, updated_at", f"'thread ' || i, {_TIME}, {_TIME}"),
            ("exchanges", "chat_id, model, request", "'thread ' || (1 + (i - 1) / 20), 'model', 'request'"),
            (
                "processed_contexts",
                "context_id, context_type, title, text, create_time",
                f"'context ' || i, iif(i % 2, 'semantic', 'intent'), 'title', {words}, {_TIME}",
            ),
            ("monitoring_token_usage", "time_bucket, model", f"{_HOUR}, 'model ' || i"),
            ("monitoring_stage_timing", "time_bucket, stage_name", f"{_HOUR}, 'stage ' || i"),
            ("monitoring_data_stats", "time_bucket, data_type", f"{_HOUR}, 'type ' || i"),
        ):
            connection.execute(
                f"INSERT INTO {table} ({columns}) {_COUNTED.format(rows=rows)} SELECT {values} FROM counted"
            )

    return directory(f"lists-{rows}", fill)


_HOUR = "strftime('%Y-%m-%dT%H:00:00.000Z', 'now', -(i % 12) || ' hours')"


def messages(rows: int) -> Path:
    """Conversations of 500 messages of a few hundred characters."""

    content = "'message ' || i || '" + " of some length that says a little and not too much" * 6 + "'"

    def fill(connection: sqlite3.Connection, _: Path) -> None:
        connection.execute(f"""
            INSERT INTO conversations (page_name, title, created_at, updated_at) {_COUNTED.format(rows=rows // 500 + 1)}
            SELECT 'bench', 'conversation ' || i, {_TIME}, {_TIME} FROM counted
        """)
        connection.execute(f"""
            INSERT INTO messages (conversation_id, role, content, status, created_at, updated_at)
            {_COUNTED.format(rows=rows)}
            SELECT 1 + i / 500, iif(i % 2, 'user', 'assistant'), {content}, 'completed', {_TIME}, {_TIME} FROM counted
        """)

    return directory(f"messages-{rows}", fill)


def documents(rows: int) -> Path:
    """Vaults, activities and messages of 1 kB: all hold `common`, 1 % the same `topicNN`, ten the same `subjectNNNN`.

    The other words are drawn as in natural text: the n-th of 20,000 with a probability of 1 / n.
    """

    def fill(connection: sqlite3.Connection, _: Path) -> None:
        connection.execute("INSERT INTO conversations (id, page_name, title) VALUES (1, 'bench', 'documents')")
        tables = (
            "INSERT INTO vaults (title, content) VALUES (?, ?)",
            "INSERT INTO activity (title, content) VALUES (?, ?)",
            "INSERT INTO messages (conversation_id, role, status, content) VALUES (1, 'user', 'completed', ? || ?)",
        )
        for index, text in enumerate(texts(rows)):
            connection.execute(tables[index % 3], (f"document {index}", text))

    return directory(f"documents-{rows}", fill)


def texts(count: int) -> Iterator[str]:
    drawn = random.Random(1)
    words = ["".join(drawn.choices("abcdefghijklmnopqrstuvwxyz", k=3 + index % 8)) for index in range(20_000)]
    weights = array("d")
    for index in range(len(words)):
        weights.append((weights[-1] if weights else 0) + 1 / (index + 1))
    for index in range(count):
        marks = f"common topic{index % 100:02} subject{index % (count // 10):05} "
        yield (marks + " ".join(drawn.choices(words, cum_weights=weights, k=200)))[:1000]


def vectors(rows: int) -> Path:
    """Contexts with clustered vectors; beside the database, queries with the ten that are truly nearest."""

    def fill(connection: sqlite3.Connection, made: Path) -> None:
        packed = made / "vectors"
        program = toolbox.SCRIPTS / "benchmarks" / "vectors.py"
        toolbox.run([toolbox.venv_program("python"), program, str(rows), str(DIMENSIONS), packed, made / QUERIES])
        connection.execute("INSERT INTO vector_collections (name, dimension) VALUES ('semantic', ?)", (DIMENSIONS,))
        connection.execute(f"""
            INSERT INTO processed_contexts (id, context_id, context_type, title, text) {_COUNTED.format(rows=rows)}
            SELECT i, i, 'semantic', 'context', 'what was understood of something' FROM counted
        """)
        with packed.open("rb") as file:
            numbered = ((row, file.read(4 * DIMENSIONS)) for row in range(1, rows + 1))
            connection.executemany("INSERT INTO context_vectors (id, vector) VALUES (?, ?)", numbered)
        packed.unlink()

    return directory(f"vectors-{rows}", fill)
