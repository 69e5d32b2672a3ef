"""The SQLite backend: every domain over one database."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sidecar.clock import SYSTEM_CLOCK, Clock
from sidecar.config import real_file
from sidecar.errors import DatabaseDamaged, DataDirectoryNotWritable, DiskFull, NoRoomToStart, StorageError
from sidecar.models.health import Component
from sidecar.storage.interfaces import ChangeListener, IDocumentStorageBackend, StageListener, StorageType
from sidecar.storage.sqlite import arrivals, compacting, files, restoring, room, schema
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

log = logging.getLogger(__name__)

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

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__()
        self._clock = clock

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
            BackupDirectory(backups, self._clock).clear_leftovers(path)
            restoring.discard(restoring.copy_beside(path))
            compacting.compacted_of(path).unlink(missing_ok=True)
        self._prepare = prepare = partial(
            schema.bring_up_to_date,
            backups=backups,
            announce=announce,
            clock=self._clock,
            zone=_zone(config.get("time_zone")),
            source=await _arrival(path, config.get("data_directory"), announce, self._clock),
        )
        readers = config.get("readers", 2)
        if path is None or backups is None:
            self._database = await Database.open(None, prepare, clock=self._clock)
        else:
            try:
                self._database = await self.open_soundly(path, prepare, readers, backups, announce, self._clock)
            except (StorageError, sqlite3.Error, OSError) as error:
                if isinstance(error, DatabaseDamaged) or room.is_there(path.parent):
                    raise
                await self._open_without_room(path, readers, announce)
                return
        try:
            try:
                await self._settle_in()
            except DatabaseDamaged:  # a recovery has begun
                await self.until_recovered()
                await self._settle_in()
        except DiskFull:
            if path is None:
                raise
            self._postpone(path, announce)
        except BaseException:
            # Threads of connections that stay open keep the process from ending.
            await self._database.close()
            raise

    async def _open_without_room(self, path: Path, readers: int, announce: StageListener) -> None:
        """Open the database for reading. Raises `NoRoomToStart` when that is not enough."""
        self._database = await Database.open_without_room(path, readers, self._clock)
        self.attend_to_reports()
        self._postpone(path, announce)

    def _postpone(self, path: Path, announce: StageListener) -> None:
        """Serve reads now; what a start writes is done before the first write that finds room."""
        detail = f"The disk of {path} is full: rows can be read, and nothing can be stored until there is room"
        log.warning("%s.", detail)
        announce("disk_full", detail)

        async def finish() -> None:
            await asyncio.to_thread(self.note_that_it_is_open, path)
            await self._settle_in()
            log.info("there is room on the disk again")

        backups = path.parent / BACKUPS
        self._database.postpone(partial(self.settled, path, self._prepare, backups, self._clock), finish)

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
        if self._database.is_waiting_for_room:
            # The file is as it was, and so is what the last run said of it.
            await self._database.close()
        else:
            await self.close_soundly()


async def _arrival(path: Path | None, data_directory: Path | None, announce: StageListener, clock: Clock) -> str | None:
    """Copy another system's database from the data directory to `path`, where there is none; returns its name."""
    if path is None or data_directory is None:
        return None
    found = arrivals.candidates(path, data_directory)
    # A thread, so that the stages of a long copy are repeated.
    arrived = await asyncio.to_thread(arrivals.take, found, path, announce, clock) if found else None
    return None if arrived is None else str(arrived)


def _zone(name: str | None) -> tzinfo | None:
    return None if name is None else ZoneInfo(name)


def _make_directory(directory: Path) -> None:
    try:
        files.make_directory(directory)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if room.is_lacking(error):
            raise NoRoomToStart(f"The disk is full, and the directory {directory} cannot be made.") from error
        raise DataDirectoryNotWritable(f"The directory {directory} cannot be made: {reason}.") from error
