"""The SQLite backend: the parts of the engine over one database."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sidecar.clock import SYSTEM_CLOCK, Clock
from sidecar.config import real_file
from sidecar.errors import (
    DatabaseDamaged,
    DataDirectoryNotWritable,
    DiskFull,
    NoRoomToStart,
    SidecarError,
    StorageError,
)
from sidecar.models.health import Component
from sidecar.storage.interfaces import ChangeListener, IDocumentStorageBackend, OwnTables, StageListener, StorageType
from sidecar.storage.resources import message_finish, vaults
from sidecar.storage.resources.all import Resources
from sidecar.storage.sqlite.adoption import arrivals, compaction
from sidecar.storage.sqlite.adoption.store import Adoptions
from sidecar.storage.sqlite.adoption.upgrade import adopt_or_upgrade
from sidecar.storage.sqlite.backup import restore
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.backup.store import Backups
from sidecar.storage.sqlite.dialect import DIALECT
from sidecar.storage.sqlite.engine.connections import Prepare
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.files import atomic, room
from sidecar.storage.sqlite.invalid_rows.store import InvalidRows
from sidecar.storage.sqlite.maintenance.health import check
from sidecar.storage.sqlite.maintenance.store import SQLiteMaintenance
from sidecar.storage.sqlite.recovery.store import Recoveries
from sidecar.storage.sqlite.schema import going_back, own_tables, upgrade
from sidecar.storage.sqlite.schema.identity import is_ours, version_of
from sidecar.storage.sqlite.search.index import IndexHooks
from sidecar.storage.sqlite.search.kinds import SearchKinds
from sidecar.storage.sqlite.search.store import SearchDocuments
from sidecar.storage.sqlite.transfer.kinds import TransferKinds
from sidecar.storage.sqlite.transfer.store import Transfer

log = logging.getLogger(__name__)

NAME = "sqlite"


class SQLiteBackend(Resources, IDocumentStorageBackend, checks=False):
    """Stores documents in one SQLite file, or in memory."""

    database: Database
    search: SearchDocuments
    transfer: Transfer
    maintenance: SQLiteMaintenance
    backups: Backups
    recovery: Recoveries
    adoptions: Adoptions
    invalid_rows: InvalidRows

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock

    async def initialize(self, config: Mapping[str, Any], announce: StageListener) -> None:
        """Open the database at `config["path"]`, or with `None` one in memory; `config["readers"]` connections read.

        The database of another system, in its place or in `config["data_directory"]`, is adopted; its local times
        belong to the zone `config["time_zone"]`, or to this machine's. Raises `StartRefused` for a database that this
        program must not open.
        """
        path: Path | None = config["path"]
        if path is not None:
            path = real_file(path)
            _make_directory(path.parent)
            BackupDirectory.beside(path, self._clock).clear_leftovers(path)
            restore.discard(restore.copy_beside(path))
            compaction.compacted_of(path).unlink(missing_ok=True)
        before_change = self._before_change(path, announce)
        upgrade_ours = partial(
            adopt_or_upgrade,
            before_change=before_change,
            announce=announce,
            clock=self._clock,
            zone=_zone(config.get("time_zone")),
            source=await _arrival(path, config.get("data_directory"), announce, self._clock),
        )
        self._own_tables: Sequence[OwnTables] = config.get("own_tables", ())
        self._own_declarations = [table for tables in self._own_tables for table in tables.declared]

        def prepare(connection: sqlite3.Connection) -> None:
            own_tables.require_known(connection, self._own_tables, partial(_way_back, path, self._clock))
            has_backup = bool(upgrade_ours(connection))
            own_tables.bring_up_to_date(
                connection, self._own_tables, None if has_backup else before_change, announce, clock=self._clock
            )

        readers = config.get("readers", 2)
        opened = partial(Database.open, readers=readers, clock=self._clock, hooks=IndexHooks(), dialect=DIALECT)
        self.recovery = Recoveries(path, opened, prepare, announce, self._clock)
        try:
            database = await self.recovery.open_with_recovery()
        except (StorageError, sqlite3.Error, OSError) as error:
            if path is None or isinstance(error, DatabaseDamaged) or room.is_there(path.parent):
                raise
            self._compose(await self.recovery.open_for_reading(partial(_require_current, path)), prepare)
            self._postpone(path, announce)
            return
        self._compose(database, prepare)
        try:
            try:
                await self._after_open()
            except DatabaseDamaged:  # a recovery has begun
                await self.recovery.until_recovered()
                await self._after_open()
        except DiskFull:
            if path is None:
                raise
            self._postpone(path, announce)
        except BaseException:
            # Threads of connections that stay open keep the process from ending.
            await self.database.close()
            raise

    @property
    def _database(self) -> Database:
        return self.database

    def _compose(self, database: Database, prepare: Prepare) -> None:
        """Make the parts over the open database."""
        upgrade_copy = partial(adopt_or_upgrade, before_change=None, announce=_ignore_stages, clock=self._clock)
        kinds = TransferKinds(self._own_tables)
        self.database = database
        self.search = SearchDocuments(database, SearchKinds(self._own_declarations))
        self.transfer = Transfer(database, kinds)
        self.maintenance = SQLiteMaintenance(database, self.recovery, kinds.tables)
        self.backups = Backups(database, prepare, upgrade_copy, self._after_open)
        self.adoptions = Adoptions(database, kinds)
        self.invalid_rows = InvalidRows(database, kinds.tables)

    def _before_change(self, path: Path | None, announce: StageListener) -> upgrade.BeforeChange | None:
        if path is None:
            return None
        return partial(BackupDirectory.beside(path, self._clock).back_up_before_change, announce=announce)

    def _postpone(self, path: Path, announce: StageListener) -> None:
        """Serve reads now; what a start writes is done before the first write that finds room."""
        detail = f"The disk of {path} is full: rows can be read, and nothing can be stored until there is room"
        log.warning("%s.", detail)
        announce("disk_full", detail)

        async def finish() -> None:
            await asyncio.to_thread(self.recovery.note_that_it_is_open)
            await self._after_open()
            log.info("there is room on the disk again")

        self.database.postpone(self.recovery.checked, finish)

    async def _after_open(self) -> None:
        """Do what every store needs when it has been opened, or put in the place of another."""
        await self.search.open_search_index()
        await self.database.write(message_finish.fail_cut_off)
        await self.database.write(vaults.insert_quick_start)

    def get_name(self) -> str:
        return NAME

    def get_storage_type(self) -> StorageType:
        return StorageType.DOCUMENT_DB

    @property
    def schema_version(self) -> int:
        return upgrade.latest_version()

    def subscribe(self, listener: ChangeListener) -> Callable[[], None]:
        return self.database.subscribe(listener)

    async def health(self) -> Mapping[str, Component]:
        self.recovery.check_file()
        index = await self.search.check_search_index()
        return {
            **await check(self.database),
            "search_index": index,
            "recovery": self.recovery.recovery_health(),
            "invalid_rows": await self.invalid_rows.invalid_rows_health(),
            "adoption": await self.adoptions.adoption_health(),
            "backups": await self.backups.backups_component(),
            **await self._extensions_component(),
        }

    async def _extensions_component(self) -> dict[str, Component]:
        """Return a component that names extensions whose tables are here without their modules; none without any."""
        try:
            found = await self.database.read(own_tables.versions)
        except SidecarError:
            return {}  # the component of the database says why
        missing = sorted(found.keys() - {tables.namespace for tables in self._own_tables})
        if not missing:
            return {}
        detail = f"The tables of {', '.join(missing)} are kept, but no loaded extension uses them."
        return {"extensions": Component(ok=True, detail=detail)}

    async def close(self) -> None:
        await self.backups.end_backups()
        if self.database.is_waiting_for_room:
            # The file is as it was, and so is what the last run said of it.
            await self.database.close()
        else:
            await self.recovery.close_cleanly()
            if self.database.location is not None:
                await asyncio.to_thread(self.backups.note_unchanged)


def _ignore_stages(stage: str, detail: str) -> None:
    """For copies of the database, whose stages nobody follows."""


def _require_current(path: Path, connection: sqlite3.Connection) -> None:
    """Raises `NoRoomToStart` for a database that this program must change before it can read it."""
    if version_of(connection) != upgrade.latest_version() or not is_ours(connection):
        raise NoRoomToStart(
            f"The disk of {path} is full, and this version of the program must change the database before it can read "
            "it; free some space."
        )


async def _arrival(path: Path | None, data_directory: Path | None, announce: StageListener, clock: Clock) -> str | None:
    """Copy another system's database from the data directory to `path`, where there is none; returns its name."""
    if path is None or data_directory is None:
        return None
    found = arrivals.candidates(path, data_directory)
    # A thread, so that the stages of a long copy are repeated.
    arrived = await asyncio.to_thread(arrivals.take, found, path, announce, clock) if found else None
    return None if arrived is None else str(arrived)


def _way_back(path: Path | None, clock: Clock, own_versions: Mapping[str, int]) -> str:
    """Return what to do with a database whose extensions' tables are newer than these versions."""
    if path is None:
        return "update the app."
    usable = BackupDirectory.beside(path, clock).usable_file(upgrade.latest_version(), own_versions)
    return going_back.advice(path, usable)


def _zone(name: str | None) -> tzinfo | None:
    return None if name is None else ZoneInfo(name)


def _make_directory(directory: Path) -> None:
    try:
        atomic.make_directory(directory)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if room.is_lacking(error):
            raise NoRoomToStart(f"The disk is full, and the directory {directory} cannot be made.") from error
        raise DataDirectoryNotWritable(f"The directory {directory} cannot be made: {reason}.") from error
