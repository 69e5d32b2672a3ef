"""The SQLite backend: every domain over one database."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sidecar.errors import DatabaseBeyondRepair, DatabaseDamaged, DataDirectoryNotWritable
from sidecar.models.health import Component
from sidecar.storage.interfaces import ChangeListener, IDocumentStorageBackend, StageListener, StorageType
from sidecar.storage.sqlite import schema
from sidecar.storage.sqlite.activities import Activities
from sidecar.storage.sqlite.conversations import Conversations
from sidecar.storage.sqlite.database import Database
from sidecar.storage.sqlite.health import check
from sidecar.storage.sqlite.messages import Messages
from sidecar.storage.sqlite.states import ConversationStates
from sidecar.storage.sqlite.thinking import Thinking
from sidecar.storage.sqlite.tips import Tips
from sidecar.storage.sqlite.todos import Todos
from sidecar.storage.sqlite.transfer import Transfer
from sidecar.storage.sqlite.vaults import Vaults

NAME = "sqlite"
BACKUPS = "backups"


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
    IDocumentStorageBackend,
):
    """Stores documents in one SQLite file, or in memory."""

    async def initialize(self, config: Mapping[str, Any], announce: StageListener) -> None:
        """Open the database at `config["path"]`, or with `None` one in memory; `config["readers"]` connections read.

        Raises `StartRefused` for a database that this program must not open.
        """
        path: Path | None = config["path"]
        backups = None
        if path is not None:
            _make_directory(path.parent)
            backups = path.parent / BACKUPS
            schema.check_version(path, backups)
        prepare = partial(schema.bring_up_to_date, backups=backups, announce=announce)
        try:
            self._database = await Database.open(path, prepare, readers=config.get("readers", 2))
        except DatabaseDamaged as error:
            raise DatabaseBeyondRepair(f"{path} is damaged and cannot be opened; it was left as it is.") from error
        await self.fail_cut_off_messages()
        await self.insert_default_vault_document()

    def get_name(self) -> str:
        return NAME

    def get_storage_type(self) -> StorageType:
        return StorageType.DOCUMENT_DB

    @property
    def schema_version(self) -> int:
        return schema.latest_version()

    def subscribe(self, listener: ChangeListener) -> Callable[[], None]:
        return self._database.subscribe(listener)

    async def health(self) -> Mapping[str, Component]:
        return await check(self._database)

    async def close(self) -> None:
        await self._database.close()


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataDirectoryNotWritable(f"The directory {directory} cannot be made: {reason}.") from error
