"""The SQLite backend: every domain over one database."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sidecar.config import real_file
from sidecar.errors import DataDirectoryNotWritable
from sidecar.models.health import Component
from sidecar.storage.interfaces import ChangeListener, IDocumentStorageBackend, StageListener, StorageType
from sidecar.storage.sqlite import arrivals, compacting, restoring, schema
from sidecar.storage.sqlite.activities import Activities
from sidecar.storage.sqlite.adoptions import Adoptions
from sidecar.storage.sqlite.backup_directory import BACKUPS, BackupDirectory
from sidecar.storage.sqlite.backups import Backups
from sidecar.storage.sqlite.conversations import Conversations
from sidecar.storage.sqlite.database import Database
from sidecar.storage.sqlite.health import check
from sidecar.storage.sqlite.invalid_rows import InvalidRows
from sidecar.storage.sqlite.messages import Messages
from sidecar.storage.sqlite.monitoring import Monitoring
from sidecar.storage.sqlite.recoveries import Recoveries
from sidecar.storage.sqlite.search import SearchDocuments
from sidecar.storage.sqlite.states import ConversationStates
from sidecar.storage.sqlite.thinking import Thinking
from sidecar.storage.sqlite.tips import Tips
from sidecar.storage.sqlite.todos import Todos
from sidecar.storage.sqlite.transfer import Transfer
from sidecar.storage.sqlite.upkeep import Upkeep
from sidecar.storage.sqlite.vaults import Vaults

NAME = "sqlite"


class SQLiteBackend(
    Vaults,
    Todos,
    Activities,
    Tips,
    Conversations,
    Messages,
    Thinking,
    ConversationStates,
    Transfer,
    SearchDocuments,
    Upkeep,
    Monitoring,
    Recoveries,
    Adoptions,
    InvalidRows,
    Backups,
    IDocumentStorageBackend,
):
    """Stores documents in one SQLite file, or in memory."""

    async def initialize(self, config: Mapping[str, Any], announce: StageListener) -> None:
        """Open the database at `config["path"]`, or with `None` one in memory; `config["readers"]` connections read.

        The database of another system, in its place or in `config["data_directory"]`, is adopted; its local times
        belong to the zone `config["time_zone"]`, or to this machine's. Raises `StartRefused` for a database that this
        program must not open.
        """
        path: Path | None = config["path"]
        backups = None
        if path is not None:
            path = real_file(path)
            _make_directory(path.parent)
            backups = path.parent / BACKUPS
            BackupDirectory(backups).clear_leftovers(path)
            restoring.discard(restoring.copy_beside(path))
            compacting.compacted_of(path).unlink(missing_ok=True)
        self._prepare = prepare = partial(
            schema.bring_up_to_date,
            backups=backups,
            announce=announce,
            zone=_zone(config.get("time_zone")),
            source=await _arrival(path, config.get("data_directory"), announce),
        )
        readers = config.get("readers", 2)
        if path is None or backups is None:
            self._database = await Database.open(None, prepare)
        else:
            self._database = await self.open_soundly(path, prepare, readers, backups, announce)
        try:
            await self._settle_in()
        except BaseException:
            # Threads of connections that stay open keep the process from ending.
            await self._database.close()
            raise

    async def _settle_in(self) -> None:
        await self.open_search_index()
        await self.fail_cut_off_messages()
        await self.insert_default_vault_document()

    def get_name(self) -> str:
        return NAME

    def get_storage_type(self) -> StorageType:
        return StorageType.DOCUMENT_DB

    @property
    def database(self) -> Database:
        """The open database, for a backend that lives beside this one in it."""
        return self._database

    @property
    def schema_version(self) -> int:
        return schema.latest_version()

    def subscribe(self, listener: ChangeListener) -> Callable[[], None]:
        return self._database.subscribe(listener)

    async def health(self) -> Mapping[str, Component]:
        self.check_file()
        index = await self.check_search_index()
        return {
            **await check(self._database),
            "search_index": index,
            "recovery": self.recovery_health(),
            "invalid_rows": await self.invalid_rows_health(),
            "adoption": await self.adoption_health(),
            "backups": await self.backups_component(),
        }

    async def close(self) -> None:
        await self.end_backups()
        await self.close_soundly()


async def _arrival(path: Path | None, data_directory: Path | None, announce: StageListener) -> str | None:
    """Copy another system's database from the data directory to `path`, where there is none; returns its name."""
    if path is None or data_directory is None:
        return None
    found = arrivals.candidates(path, data_directory)
    # A thread, so that the stages of a long copy are repeated.
    arrived = await asyncio.to_thread(arrivals.take, found, path, announce) if found else None
    return None if arrived is None else str(arrived)


def _zone(name: str | None) -> tzinfo | None:
    return None if name is None else ZoneInfo(name)


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataDirectoryNotWritable(f"The directory {directory} cannot be made: {reason}.") from error
