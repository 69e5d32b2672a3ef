"""A storage with the tables of extensions, in the test's own process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sidecar.clock import SYSTEM_CLOCK, Clock
from sidecar.config import Settings
from sidecar.extension import Extension
from sidecar.storage.unified import UnifiedStorage, configured_backends


@asynccontextmanager
async def open_storage(
    extensions: Sequence[Extension] = (), directory: Path | None = None, clock: Clock = SYSTEM_CLOCK
) -> AsyncIterator[UnifiedStorage]:
    """Yield a storage with the tables of these extensions, in the directory, or in memory without one.

    Raises `StartRefused` when it cannot be opened, `ExtensionRefused` for a migration that fails.
    """
    settings = Settings.model_validate({"database": {"enabled": directory is not None}})
    backends = configured_backends(settings, directory or Path())
    own_tables = [extension.tables for extension in extensions]
    async with UnifiedStorage.create(backends, clock=clock, own_tables=own_tables) as storage:
        yield storage
