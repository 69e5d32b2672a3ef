"""Backups: making, listing, verifying and removing them, and going back to one."""

from typing import Annotated

from pydantic import Field

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, Router
from sidecar.models.backups import Backup, BackupCreate, BackupList, Restored

router = Router("backups", prefix="/backups")

Name = Annotated[str, Field(max_length=200, description="As the list has it.")]


@router.post("", operation_id="backups.create", status_code=201)
async def create(storage: Storage, body: BackupCreate, key: WriteKey) -> Backup:
    """Make a verified copy of everything, while other work goes on. It can take minutes."""
    return await storage.create_backup(body.reason, key=key)


@router.get("", operation_id="backups.list")
async def find(storage: Storage) -> BackupList:
    """All backups, the newest first, those too that were never verified."""
    return await storage.get_backups()


@router.post("/{name}/verify", operation_id="backups.verify")
async def verify(storage: Storage, name: Name, key: WriteKey) -> Backup:  # noqa: ARG001
    """Open a backup and compare it with what is known of it. What is done twice is not done wrong."""
    return await storage.verify_backup(name)


@router.post("/{name}/restore", operation_id="backups.restore", openapi_extra=RESTRICTED)
async def restore(storage: Storage, name: Name, key: WriteKey) -> Restored:
    """Replace the whole store by a backup. What it replaces becomes a backup; subscribers get a `reset`."""
    return await storage.restore_backup(name, key=key)


@router.delete("/{name}", operation_id="backups.delete", status_code=204, openapi_extra=RESTRICTED)
async def delete(storage: Storage, name: Name, key: WriteKey) -> None:  # noqa: ARG001
    """Remove a backup, unless it is the only verified one."""
    await storage.delete_backup(name)
