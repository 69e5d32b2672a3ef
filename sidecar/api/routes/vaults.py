"""Vaults: documents and folders."""

from typing import Annotated

from sidecar.api.arguments import Query
from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, Router, problems
from sidecar.models.base import Identifier, PageQuery, RowsMade
from sidecar.models.vaults import (
    ChildrenQuery,
    TrashQuery,
    Vault,
    VaultBatch,
    VaultCreate,
    VaultMove,
    VaultPage,
    VaultQuery,
    VaultsAffected,
    VaultUpdate,
)

router = Router("vaults", prefix="/vaults")


@router.post("", operation_id="vaults.create", status_code=201, openapi_extra=problems(404))
async def create(storage: Storage, body: VaultCreate, key: WriteKey) -> Vault:
    """Make a document or a folder."""
    return await storage.insert_vaults(**vars(body), key=key)


@router.post("/batch", operation_id="vaults.create_batch", status_code=201, openapi_extra=problems(404))
async def create_batch(storage: Storage, body: VaultBatch, key: WriteKey) -> RowsMade:
    """Make all of these documents and folders or none; they may lie in folders that are there already."""
    return RowsMade(ids=await storage.batch_insert_vaults(body.vaults, key=key))


@router.get("", operation_id="vaults.list")
async def find(storage: Storage, query: Annotated[VaultQuery, Query()]) -> VaultPage:
    """Vaults that match every filter, the newest first; by last change, when a filter is on that."""
    return await storage.get_vaults(**query.given())


@router.get("/children", operation_id="vaults.children", openapi_extra=problems(404))
async def children(storage: Storage, query: Annotated[ChildrenQuery, Query()]) -> VaultPage:
    """What lies in a folder, or at the top, by its place."""
    return await storage.get_children(**query.given())


@router.get("/folders", operation_id="vaults.folders")
async def folders(storage: Storage, query: Annotated[PageQuery, Query()]) -> VaultPage:
    """Every folder, by its place."""
    return await storage.get_folders(**query.given())


@router.get("/reports", operation_id="vaults.reports")
async def reports(storage: Storage, query: Annotated[TrashQuery, Query()]) -> VaultPage:
    """Documents that are not notes, the newest first."""
    return await storage.get_reports(**query.given())


@router.get("/{vault_id}", operation_id="vaults.get")
async def get(storage: Storage, vault_id: Identifier) -> Vault:
    """One vault, deleted or not."""
    return await storage.get_vault(vault_id)


@router.patch("/{vault_id}", operation_id="vaults.update")
async def update(storage: Storage, vault_id: Identifier, body: VaultUpdate, key: WriteKey) -> Vault:
    """Change some fields of a vault; where it lies has an operation of its own."""
    return await storage.update_vault(vault_id, **body.given(), key=key)


@router.post("/{vault_id}/move", operation_id="vaults.move")
async def move(storage: Storage, vault_id: Identifier, body: VaultMove, key: WriteKey) -> Vault:
    """Move a vault into another folder, or to the top."""
    return await storage.move_vault(vault_id, **body.given(), key=key)


@router.delete("/{vault_id}", operation_id="vaults.delete")
async def delete(storage: Storage, vault_id: Identifier, key: WriteKey) -> VaultsAffected:
    """Delete a vault and all below it; `vaults.restore` brings exactly those back."""
    return VaultsAffected(ids=await storage.delete_vault(vault_id, key=key))


@router.post("/{vault_id}/restore", operation_id="vaults.restore")
async def restore(storage: Storage, vault_id: Identifier, key: WriteKey) -> VaultsAffected:
    """Bring back what deleting this vault took away."""
    return VaultsAffected(ids=await storage.restore_vault(vault_id, key=key))


@router.delete("/{vault_id}/permanent", operation_id="vaults.delete_permanently", openapi_extra=RESTRICTED)
async def delete_permanently(storage: Storage, vault_id: Identifier, key: WriteKey) -> VaultsAffected:
    """Remove a vault and all below it for good, deleted before or not."""
    return VaultsAffected(ids=await storage.delete_vault_permanently(vault_id, key=key))
