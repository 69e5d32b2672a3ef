"""The store of vaults: documents and folders."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypedDict, Unpack

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.vaults import NOTE, Vault, VaultCreate, VaultPage
from sidecar.storage.stores.lists import DEFAULT_LIMIT, Paging


class VaultChanges(TypedDict, total=False):
    """The columns of a vault that `update_vault` changes; `is_deleted` deletes or restores the whole subtree."""

    title: str
    summary: str | None
    content: str
    document_type: str
    tags: str
    sort_order: int
    is_deleted: bool


class IVaultStore(ABC):
    """Documents and folders."""

    @abstractmethod
    async def insert_vaults(
        self,
        title: str,
        summary: str | None = None,
        content: str = "",
        document_type: str = NOTE,
        tags: str = "",
        parent_id: int | None = None,
        is_folder: bool = False,
        sort_order: int | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        """Make a document or folder, last in its parent unless `sort_order` says where.

        Raises `NotFound` for a parent that is not there, `Conflict` for one that is deleted or not a folder.
        """

    @abstractmethod
    async def batch_insert_vaults(
        self, vaults: Sequence[VaultCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Make all of them or none, those without a `sort_order` one behind the other; returns their ids in order.

        Their folders have to be there already: one that the same batch makes has no id that could be named. Raises
        `InvalidInput`, and what `insert_vaults` raises.
        """

    @abstractmethod
    async def insert_default_vault_document(self) -> Vault | None:
        """Put the Quick Start document into a store that never held a vault; in any other, do nothing."""

    @abstractmethod
    async def get_vaults(
        self,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        is_deleted: bool = False,
        document_type: str | None = None,
        created_after: str | None = None,
        created_before: str | None = None,
        updated_after: str | None = None,
        updated_before: str | None = None,
        title: str | None = None,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
        """Vaults that match every filter, the newest first (by change, when a filter is on that). After includes its
        moment, before does not."""

    @abstractmethod
    async def get_reports(self, is_deleted: bool = False, **paging: Unpack[Paging]) -> VaultPage:
        """Vaults whose document type is not `Note`, the newest first."""

    @abstractmethod
    async def get_folders(self, **paging: Unpack[Paging]) -> VaultPage:
        """Every folder that is not deleted, by place."""

    @abstractmethod
    async def get_children(self, parent_id: int | None = None, **paging: Unpack[Paging]) -> VaultPage:
        """What lies in a folder, or at the top, by place. Raises `NotFound` for a folder that is not there."""

    @abstractmethod
    async def get_vault(self, vault_id: int) -> Vault:
        """One vault, deleted or not. Raises `NotFound`."""

    @abstractmethod
    async def update_vault(
        self, vault_id: int, *, key: IdempotencyKey | None = None, **changes: Unpack[VaultChanges]
    ) -> Vault:
        """Change the given columns. Raises `NotFound`, and `Conflict` for a vault that is deleted."""

    @abstractmethod
    async def move_vault(
        self,
        vault_id: int,
        parent_id: int | None,
        sort_order: int | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        """Move into another folder or to the top. Raises `Conflict` for a move into the vault's own subtree."""

    @abstractmethod
    async def delete_vault(self, vault_id: int, *, key: IdempotencyKey | None = None) -> list[int]:
        """Mark a vault and all below it as deleted, as one batch; returns their ids. Raises `NotFound`, `Conflict`."""

    @abstractmethod
    async def restore_vault(self, vault_id: int, *, key: IdempotencyKey | None = None) -> list[int]:
        """Bring back exactly what `delete_vault` with the same id marked; returns their ids.

        Raises `Conflict` for a vault that is not deleted, that was deleted as a part of a folder (restore that one), or
        whose folder is deleted.
        """

    @abstractmethod
    async def delete_vault_permanently(self, vault_id: int, *, key: IdempotencyKey | None = None) -> list[int]:
        """Remove a vault and all below it for good; returns their ids. Raises `NotFound`."""
