"""Copies of the whole store, and the way back to one."""

from abc import ABC, abstractmethod

from sidecar.models.backups import ON_REQUEST, Backup, BackupList, Restored
from sidecar.models.idempotency import IdempotencyKey


class IBackupStore(ABC):
    """Backups lie beside the data; a store in memory has none. Their names are those that are listed, no paths."""

    @abstractmethod
    async def create_backup(self, reason: str = ON_REQUEST, *, key: IdempotencyKey | None = None) -> Backup:
        """A verified copy of everything as of one moment, made while other work goes on.

        Raises `Conflict` for a store in memory, `DiskFull` before anything is written, `StorageBusy` when the store is
        replaced or closed meanwhile.
        """

    @abstractmethod
    async def get_backups(self) -> BackupList:
        """All backups, the newest first, those too that were never verified."""

    @abstractmethod
    async def verify_backup(self, name: str) -> Backup:
        """Open it and compare it with what is known of it. Raises `NotFound`, and `Conflict` when it is damaged."""

    @abstractmethod
    async def restore_backup(self, name: str, *, key: IdempotencyKey | None = None) -> Restored:
        """Replace the whole store by the backup while it is open; what it replaces becomes a backup itself.

        Its key and those of other restores and backups are carried into the new store; writes that were replaced are
        done again when they are repeated. Work that comes meanwhile waits; every subscriber is told `STORE_REPLACED`.
        Raises `NotFound`; `Conflict` when the backup is damaged or from a newer program; `DiskFull`. The store is then
        as it was.
        """

    @abstractmethod
    async def delete_backup(self, name: str) -> None:
        """Remove it. Raises `NotFound`, and `Conflict` for the only verified one."""

    @abstractmethod
    async def has_changed_since_backup(self) -> bool:
        """Return whether the store's files are not as they were before the newest verified backup.

        True without such a backup, and false for a store in memory.
        """
