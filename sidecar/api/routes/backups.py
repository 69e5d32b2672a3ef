"""Backups: making, listing, verifying and removing them, and going back to one."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, OperationRoute
from sidecar.models.backups import Backup, BackupCreate, BackupList, Restored

router = APIRouter(prefix="/backups", tags=["backups"], route_class=OperationRoute)

Name = Annotated[str, Field(max_length=200, description="Name of the backup, as listed.")]


@router.post("", operation_id="backups.create", status_code=201)
async def create(storage: Storage, body: BackupCreate, key: WriteKey) -> Backup:
    """Create a verified backup of the whole database. Other calls are served meanwhile. It can take minutes."""
    return await storage.create_backup(body.reason, key=key)


@router.get("", operation_id="backups.list")
async def list_backups(storage: Storage) -> BackupList:
    """List all backups, the newest first, unverified ones included."""
    return await storage.get_backups()


@router.post("/{name}/verify", operation_id="backups.verify")
async def verify(storage: Storage, name: Name, key: WriteKey) -> Backup:  # noqa: ARG001
    """Open a backup, check it and compare it with its manifest. Retrying with the same key verifies it again, which is
    harmless.
    """
    return await storage.verify_backup(name)


@router.post("/{name}/restore", operation_id="backups.restore", openapi_extra=RESTRICTED)
async def restore(storage: Storage, name: Name, key: WriteKey) -> Restored:
    """Replace the whole database with a backup. The replaced database becomes a backup; subscribers get a `reset`."""
    return await storage.restore_backup(name, key=key)


@router.delete("/{name}", operation_id="backups.delete", status_code=204, openapi_extra=RESTRICTED)
async def delete(storage: Storage, name: Name, key: WriteKey) -> None:  # noqa: ARG001
    """Delete a backup. The only verified one is refused with 409."""
    await storage.delete_backup(name)
