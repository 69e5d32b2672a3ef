"""One copy of a database: made through SQLite's backup API, verified by opening it, and only then given its name.

The file of an open database is never copied as a file: closing it again would drop SQLite's locks on it
(https://sqlite.org/howtocorrupt.html, "File descriptors and locks").
"""

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from sidecar.errors import StorageError
from sidecar.progress import ProgressCounter
from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.sqlite.backup.cancellation import CancellationToken
from sidecar.storage.sqlite.files import at_rest, atomic, integrity, room
from sidecar.storage.sqlite.schema import identity, own_tables

STEP_BYTES = 1024 * 1024
"""Bytes that are copied between two pauses."""

SYNC_BYTES = 4 * 1024 * 1024
"""Bytes that are copied between two syncs: one of the whole file at the end would hold up the commits of others."""

PASSES_OF_PROOF = 2
"""How often the bytes of a copy are read to verify it: by SQLite, and for its digest."""

PASSES = 1 + PASSES_OF_PROOF
"""How often the bytes of a copy are gone through: it is written, and then verified."""

_VERIFYING = "verifying the copy"

Step = Callable[[], None]
"""Called before the first step and between two; may pause, and raises to give up."""


class Snapshot(NamedTuple):
    """A verified copy. Dangling foreign keys are reported but do not fail verification."""

    path: Path
    schema_version: int
    rows: dict[str, int]
    """How many rows each table holds."""
    broken_references: int = 0
    own_versions: Mapping[str, int] = MappingProxyType({})
    """The version of the tables of each extension."""


def _at_once() -> None:
    """No pauses."""


def make_snapshot(source: sqlite3.Connection, destination: Path) -> Snapshot:
    """Copy what `source` sees at one moment to `destination`, which appears there only when it has been verified.

    `source` must have no transaction open. Raises `DiskFull` before anything is written, `StorageError` when the copy
    is not sound, `OSError` and `sqlite3.Error` when it cannot be made; a file that was at `destination` is then still
    there.
    """
    atomic.make_directory(destination.parent)
    partial = atomic.partial_of(destination)
    try:
        source.execute("BEGIN")
        try:
            rows = copy(source, partial)
        finally:
            source.execute("ROLLBACK")
        return finish(partial, destination, rows)
    finally:
        partial.unlink(missing_ok=True)


def copy(
    source: sqlite3.Connection, partial: Path, between_steps: Step = _at_once, progress: ProgressCounter | None = None
) -> dict[str, int]:
    """Copy what `source`, whose transaction is open, sees to `partial`; returns how many rows each table holds there.

    Raises `DiskFull` before anything is written.
    """
    rows = count_rows(source)
    partial.unlink(missing_ok=True)
    room.need_room(partial.parent, size_of(source))
    page_bytes = source.execute("PRAGMA page_size").fetchone()[0]
    steps = copied = 0
    descriptor = atomic.create(partial)
    try:
        with closing(sqlite3.connect(partial, isolation_level=None)) as target:
            target.execute("PRAGMA synchronous = OFF")
            target.execute("PRAGMA journal_mode = OFF")

            def after_step(status: int, remaining: int, total: int) -> None:  # noqa: ARG001 - what SQLite tells
                nonlocal steps, copied
                steps += 1
                if progress is not None:
                    before, copied = copied, (total - remaining) * page_bytes
                    progress.advance(copied - before, "copying the database")
                if steps % (SYNC_BYTES // STEP_BYTES) == 0:
                    os.fsync(descriptor)
                between_steps()

            between_steps()
            source.backup(target, pages=max(1, STEP_BYTES // page_bytes), progress=after_step)
            # Not a write-ahead log: the copy has to be complete in its one file.
            target.execute("PRAGMA journal_mode = DELETE")
    finally:
        os.close(descriptor)
    return rows


def finish(partial: Path, destination: Path, rows: dict[str, int], *, job: CancellationToken | None = None) -> Snapshot:
    """Verify the copy at `partial`, which must hold these `rows`, and give it its name. Raises as `make_snapshot`."""
    verified = verify(partial, job=job)
    if verified.rows != rows:
        raise StorageError("The copy of the database does not hold the same rows as the database.")
    atomic.sync(partial)
    partial.replace(destination)
    atomic.sync(destination.parent)
    return verified._replace(path=destination)


def verify(path: Path, *, job: CancellationToken | None = None) -> Snapshot:
    """Open the copy at `path`, check every page and every foreign key, and count its rows.

    Raises `StorageError` when something is wrong with it, `sqlite3.Error` when it is not a database.
    """
    job = job or CancellationToken()
    with closing(at_rest.open_at_rest(path)) as copy, job.watching(copy):
        job.progress.begin(_VERIFYING)
        problems = integrity.problems(copy)
        if problems:
            raise StorageError(f"The copy of the database is damaged: {'; '.join(problems[:3])}.")
        rows, broken = count_rows(copy), count_broken_references(copy)
        found = Snapshot(path, identity.version_of(copy), rows, broken, own_tables.versions(copy))
        job.progress.advance(path.stat().st_size, _VERIFYING)
        return found


def digest(path: Path, job: CancellationToken | None = None) -> str:
    """The BLAKE2b of a file that nobody has open as a database, in hexadecimal."""
    content = blake2b(digest_size=32)
    with path.open("rb") as file:
        while block := file.read(1024 * 1024):
            content.update(block)
            if job is not None:
                job.raise_if_cancelled()
                job.progress.advance(len(block), _VERIFYING)
    return content.hexdigest()


def count_rows(connection: sqlite3.Connection) -> dict[str, int]:
    """The number of rows of each table, without SQLite's own, and those of modules that only other programs have."""
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    counts = {}
    for (name,) in tables.fetchall():
        try:
            (counts[name],) = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()
        except sqlite3.OperationalError as error:
            if not str(error).startswith("no such module"):
                raise
    return counts


def count_broken_references(connection: sqlite3.Connection) -> int:
    """How many rows refer to one that is not there."""
    try:
        count: int = connection.execute("SELECT count(*) FROM pragma_foreign_key_check").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        # Another program's table refers to one that has no such key: then SQLite checks none.
        return 0
    return count


def size_of(connection: sqlite3.Connection) -> int:
    """Return the size of the database, in bytes."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(page_bytes)
