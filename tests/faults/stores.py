"""What a store holds, to be compared with what it held before or with what another one holds."""

import re
import sqlite3
from pathlib import Path
from typing import Any

from sidecar.config import DatabaseSettings, Settings
from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.unified import UnifiedStorage, configured_backends

from ..support import backend_of

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
_OF_THE_FILE = ("sqlite_", "search_", "store_identity", "schema_migrations")

_MEASURED = ("latency_ms",)

Content = dict[str, list[Any]]


def in_memory() -> UnifiedStorage:
    """A store that is not open yet."""
    return UnifiedStorage.create(configured_backends(Settings(database=DatabaseSettings(enabled=False)), Path()))


async def content(store: UnifiedStorage) -> Content:
    """All rows of all tables but those that belong to one file; times and durations are left out."""

    def query(connection: sqlite3.Connection) -> Content:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: [
                without_times([value for column, value in dict(row).items() if column not in _MEASURED])
                for row in connection.execute(f"SELECT * FROM {quoted(name)}").fetchall()
            ]
            for name in names
            if not name.startswith(_OF_THE_FILE)
        }

    return await backend_of(store).database.read(query)


def without_times(value: Any) -> Any:
    return [_TIME.sub("<time>", one) if isinstance(one, str) else one for one in value]
