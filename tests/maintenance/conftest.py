"""A storage to keep in order, and ways to make it need that."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.config import DatabaseSettings
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.storage.conftest import file_database, migrated  # noqa: F401 - fixtures

from ..support import backend_of

LONG_AGO = "2020-01-01T00:00:00.000Z"


@pytest.fixture
async def file_storage(tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    """An open storage on disk."""
    opened = UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)])
    await opened.initialize()
    yield opened
    await opened.close()


async def make_old(storage: UnifiedStorage, keys: str) -> None:
    """Have these idempotency keys, a LIKE pattern, have been made long ago."""

    def unit(work: SQLiteWork) -> None:
        work.connection.execute("UPDATE idempotency_keys SET created_at = ? WHERE key LIKE ?", (LONG_AGO, keys))

    await backend_of(storage).database.write(unit)


async def add_old_keys(storage: UnifiedStorage, count: int, size: int = 300) -> None:
    """Store `count` keys that were made long ago, each with a result of `size` characters."""

    def unit(work: SQLiteWork) -> None:
        work.connection.executemany(
            "INSERT INTO idempotency_keys (key, fingerprint, result, created_at) VALUES (?, x'00', ?, ?)",
            ((f"old-{number:07}", "r" * size, LONG_AGO) for number in range(count)),
        )

    await backend_of(storage).database.write(unit)


async def fill_and_empty(storage: UnifiedStorage, megabytes: int = 2) -> None:
    """Leave as much room free in the file."""

    def unit(work: SQLiteWork) -> None:
        work.connection.execute("CREATE TABLE IF NOT EXISTS filler (content BLOB)")
        work.connection.execute("INSERT INTO filler VALUES (randomblob(?))", (megabytes * 1_000_000,))
        work.connection.execute("DELETE FROM filler")

    await backend_of(storage).database.write(unit)


async def add_many_tips(storage: UnifiedStorage, count: int) -> None:
    """Store `count` tips of about 1 kB each."""

    def unit(work: SQLiteWork) -> None:
        work.connection.executemany(
            "INSERT INTO tips (content) VALUES (?)",
            ((" ".join(f"word{number * place % 5_000}" for place in range(1, 130)),) for number in range(count)),
        )

    await backend_of(storage).database.write(unit)
