"""Vaults: documents and folders."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, OperationRoute, problems
from sidecar.api.topics import depends_on
from sidecar.models.base import PageQuery, RowsMade, UrlIdentifier
from sidecar.models.contexts import ContextPage, SourceContextsQuery
from sidecar.models.daily_counts import DailyCountsQuery, DayCounts
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

router = APIRouter(prefix="/vaults", tags=["vaults"], route_class=OperationRoute)


@router.post("", operation_id="vaults.create", status_code=201, openapi_extra=problems(404))
async def create(storage: Storage, body: VaultCreate, key: WriteKey) -> Vault:
    """Create a document or a folder."""
    return await storage.insert_vaults(**vars(body), key=key)


@router.post("/batch", operation_id="vaults.create_batch", status_code=201, openapi_extra=problems(404))
async def create_batch(storage: Storage, body: VaultBatch, key: WriteKey) -> RowsMade:
    """Create all of these documents and folders or none. They may lie in existing folders."""
    return RowsMade(ids=await storage.batch_insert_vaults(body.vaults, key=key))


@router.get("", operation_id="vaults.list")
async def list_vaults(storage: Storage, query: Annotated[VaultQuery, Query()]) -> VaultPage:
    """List vaults that match every filter, the newest first, or the last changed first with a filter on changes."""
    return await storage.get_vaults(**query.explicit_fields())


@router.get("/children", operation_id="vaults.children", openapi_extra=problems(404))
async def children(storage: Storage, query: Annotated[ChildrenQuery, Query()]) -> VaultPage:
    """List the content of a folder, or of the top level, that matches every filter, by position."""
    return await storage.get_children(**query.explicit_fields())


@router.get("/folders", operation_id="vaults.folders")
async def folders(storage: Storage, query: Annotated[PageQuery, Query()]) -> VaultPage:
    """List every folder, by position."""
    return await storage.get_folders(**query.explicit_fields())


@router.get("/reports", operation_id="vaults.reports")
async def reports(storage: Storage, query: Annotated[TrashQuery, Query()]) -> VaultPage:
    """List documents that are not notes, the newest first."""
    return await storage.get_reports(**query.explicit_fields())


@router.get("/counts", operation_id="vaults.counts")
async def counts(storage: Storage, query: Annotated[DailyCountsQuery, Query()]) -> DayCounts:
    """Count the documents that were created on each day, without folders and deleted ones."""
    return DayCounts(days=list(await storage.get_vault_counts(**query.explicit_fields())))


@router.get("/{vault_id}", operation_id="vaults.get")
async def get(storage: Storage, vault_id: UrlIdentifier) -> Vault:
    """Return a vault, deleted or not."""
    return await storage.get_vault(vault_id)


@router.get("/{vault_id}/contexts", operation_id="vaults.contexts", openapi_extra=depends_on("vaults", "contexts"))
async def contexts(
    storage: Storage, vault_id: UrlIdentifier, query: Annotated[SourceContextsQuery, Query()]
) -> ContextPage:
    """List the processed contexts that were made from a vault, the newest first.

    Such a context has `vaults` as its `raw_type`, and the id of the vault as its `raw_id`.
    """
    await storage.get_vault(vault_id)
    return await storage.get_vault_contexts(vault_id, **query.explicit_fields())


@router.patch("/{vault_id}", operation_id="vaults.update")
async def update(storage: Storage, vault_id: UrlIdentifier, body: VaultUpdate, key: WriteKey) -> Vault:
    """Update some fields of a vault. `vaults.move` changes its folder."""
    return await storage.update_vault(vault_id, **body.explicit_fields(), key=key)


@router.post("/{vault_id}/move", operation_id="vaults.move")
async def move(storage: Storage, vault_id: UrlIdentifier, body: VaultMove, key: WriteKey) -> Vault:
    """Move a vault to another folder, or to the top level."""
    return await storage.move_vault(vault_id, **body.explicit_fields(), key=key)


@router.delete("/{vault_id}", operation_id="vaults.delete")
async def delete(storage: Storage, vault_id: UrlIdentifier, key: WriteKey) -> VaultsAffected:
    """Delete a vault and everything below it; `vaults.restore` restores exactly these."""
    return VaultsAffected(ids=await storage.delete_vault(vault_id, key=key))


@router.post("/{vault_id}/restore", operation_id="vaults.restore")
async def restore(storage: Storage, vault_id: UrlIdentifier, key: WriteKey) -> VaultsAffected:
    """Restore everything that deleting this vault deleted."""
    return VaultsAffected(ids=await storage.restore_vault(vault_id, key=key))


@router.delete("/{vault_id}/permanent", operation_id="vaults.delete_permanently", openapi_extra=RESTRICTED)
async def delete_permanently(storage: Storage, vault_id: UrlIdentifier, key: WriteKey) -> VaultsAffected:
    """Delete a vault and everything below it for good, deleted before or not."""
    return VaultsAffected(ids=await storage.delete_vault_permanently(vault_id, key=key))
