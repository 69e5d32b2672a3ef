"""Backups: making, listing, verifying and removing them, and going back to one."""

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from sidecar.api.context import Storage, WriteKey
from sidecar.api.long_work import ACCEPTED, LongWork, Run
from sidecar.api.operation import RESTRICTED, OperationRoute
from sidecar.models.backups import Backup, BackupCreate, BackupList, Restored
from sidecar.storage.capabilities import RestoreJob

router = APIRouter(prefix="/backups", tags=["backups"], route_class=OperationRoute)

Name = Annotated[str, Field(max_length=200, description="Name of the backup, as listed.")]


@router.post("", operation_id="backups.create", status_code=201, responses=ACCEPTED)
async def create(storage: Storage, body: BackupCreate, work: LongWork) -> Backup:
    """Create a verified backup of the whole database. Other calls are served meanwhile. It can take minutes."""

    def back_up(run: Run) -> Awaitable[Backup]:
        return storage.create_backup(body.reason, key=run.own_key, progress=run.progress)

    return await work.run("backups.create", back_up, {"reason": body.reason})


@router.get("", operation_id="backups.list")
async def list_backups(storage: Storage) -> BackupList:
    """List all backups, the newest first, unverified ones included."""
    return await storage.get_backups()


@router.post("/{name}/verify", operation_id="backups.verify", responses=ACCEPTED)
async def verify(storage: Storage, name: Name, work: LongWork) -> Backup:
    """Open a backup, check it and compare it with its manifest. Retrying with the same key verifies it again, which is
    harmless.
    """

    def prove(run: Run) -> Awaitable[Backup]:
        return storage.verify_backup(name, progress=run.progress)

    return await work.run("backups.verify", prove, {"name": name})


@router.post("/{name}/restore", operation_id="backups.restore", responses=ACCEPTED, openapi_extra=RESTRICTED)
async def restore(storage: Storage, name: Name, work: LongWork) -> Restored:
    """Replace the whole database with a backup. The replaced database becomes a backup; subscribers get a `reset`."""

    def replace(run: Run) -> Awaitable[Restored]:
        job = None if run.job.id is None else RestoreJob(run.job.id, None if run.is_awaited else run.key)
        return storage.restore_backup(name, key=run.own_key, progress=run.progress, job=job)

    return await work.run("backups.restore", replace, {"name": name})


@router.delete("/{name}", operation_id="backups.delete", status_code=204, openapi_extra=RESTRICTED)
async def delete(storage: Storage, name: Name, key: WriteKey) -> None:  # noqa: ARG001
    """Delete a backup. The only verified one is refused with 409."""
    await storage.delete_backup(name)
