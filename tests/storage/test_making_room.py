"""A table of another program whose name this one needs is kept under another name."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.config import Settings
from sidecar.storage.unified import UnifiedStorage, configured_backends
from tests.reading import versions


@pytest.mark.parametrize("table", ["jobs", "preferences", "task_runs", "guard_values"])
async def test_the_rows_of_the_other_program_stay(tmp_path: Path, table: str) -> None:
    with closing(sqlite3.connect(versions.make(tmp_path, 15))) as connection:
        connection.execute(f"CREATE TABLE {table.title()} (status TEXT)")
        connection.execute(f"CREATE INDEX idx_{table}_status ON {table} (status)")
        connection.execute(f"INSERT INTO {table} VALUES ('of another program')")
        connection.commit()
    async with UnifiedStorage.create(configured_backends(Settings(), tmp_path)) as storage:
        await storage.set_preference("app", "theme", 1)
        await storage.create_job("notes.import_deck", {})
        sql = f"SELECT status FROM adopted_{table}_0"
        kept = await storage.read(lambda connection: [row["status"] for row in connection.execute(sql)])
    assert kept == ["of another program"]
