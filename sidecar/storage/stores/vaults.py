"""The store of vaults: documents and folders."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from sidecar.models.base import Identifier, Integer, Line, LongText
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import TimestampInput
from sidecar.models.vaults import NOTE, Vault, VaultCreate, VaultPage
from sidecar.storage.stores.arguments import UNSET, Unset
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class IVaultStore(ABC):
    """Documents and folders."""

    @abstractmethod
    async def insert_vaults(
        self,
        title: Line,
        summary: LongText | None = None,
        content: LongText = "",
        document_type: Line = NOTE,
        tags: Line = "",
        parent_id: Identifier | None = None,
        is_folder: bool = False,
        sort_order: Integer | None = None,
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
        document_type: Line | None = None,
        created_after: TimestampInput | None = None,
        created_before: TimestampInput | None = None,
        updated_after: TimestampInput | None = None,
        updated_before: TimestampInput | None = None,
        title: Line | None = None,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
        """Vaults that match every filter, the newest first (by change, when a filter is on that). After includes its
        moment, before does not."""

    @abstractmethod
    async def get_reports(
        self,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        is_deleted: bool = False,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
        """Vaults whose document type is not `Note`, the newest first."""

    @abstractmethod
    async def get_folders(
        self, limit: int = DEFAULT_LIMIT, offset: int = 0, cursor: str | None = None, with_total: bool = False
    ) -> VaultPage:
        """Every folder that is not deleted, by place."""

    @abstractmethod
    async def get_children(
        self,
        parent_id: Identifier | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
        """What lies in a folder, or at the top, by place. Raises `NotFound` for a folder that is not there."""

    @abstractmethod
    async def get_vault(self, vault_id: Identifier) -> Vault:
        """One vault, deleted or not. Raises `NotFound`."""

    @abstractmethod
    async def update_vault(
        self,
        vault_id: Identifier,
        title: Line | Unset = UNSET,
        content: LongText | Unset = UNSET,
        summary: LongText | Unset | None = UNSET,
        tags: Line | Unset = UNSET,
        is_deleted: bool | Unset = UNSET,
        document_type: Line | Unset = UNSET,
        sort_order: Integer | Unset = UNSET,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        """Change what is given; `is_deleted` deletes or restores the whole subtree, `move_vault` moves it.

        Raises `NotFound`, and `Conflict` for a vault that is deleted.
        """

    @abstractmethod
    async def move_vault(
        self,
        vault_id: Identifier,
        parent_id: Identifier | None,
        sort_order: Integer | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        """Move into another folder or to the top. Raises `Conflict` for a move into the vault's own subtree."""

    @abstractmethod
    async def delete_vault(self, vault_id: Identifier, *, key: IdempotencyKey | None = None) -> list[int]:
        """Mark a vault and all below it as deleted, as one batch; returns their ids. Raises `NotFound`, `Conflict`."""

    @abstractmethod
    async def restore_vault(self, vault_id: Identifier, *, key: IdempotencyKey | None = None) -> list[int]:
        """Bring back exactly what `delete_vault` with the same id marked; returns their ids.

        Raises `Conflict` for a vault that is not deleted, that was deleted as a part of a folder (restore that one), or
        whose folder is deleted.
        """

    @abstractmethod
    async def delete_vault_permanently(self, vault_id: Identifier, *, key: IdempotencyKey | None = None) -> list[int]:
        """Remove a vault and all below it for good; returns their ids. Raises `NotFound`."""
