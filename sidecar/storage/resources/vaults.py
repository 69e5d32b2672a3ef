"""Vaults: the table `vaults`, documents and the folders that hold them.

What concerns one row or a list of rows is here; what concerns the tree (moving, deleting, restoring) is in
`vault_tree.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from sidecar.models.base import MAX_BATCH, Identifier, Integer, LongText, ShortText
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import TimestampInput
from sidecar.models.vaults import NOTE, Vault, VaultCreate, VaultPage
from sidecar.storage.arguments import DEFAULT_LIMIT, UNSET, Unset, without_unset
from sidecar.storage.interfaces import Work
from sidecar.storage.resources import vault_tree
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, require_range
from sidecar.storage.resources.rows.positions import PositionAllocator
from sidecar.storage.resources.rows.table import Resource
from sidecar.storage.resources.vault_tree import QUICK_START, QUICK_START_TITLE, VAULTS

NEWEST_FIRST = Order("created_at", newest_first=True)
LAST_CHANGED_FIRST = Order("updated_at", newest_first=True)
BY_PLACE = Order("sort_order")


class Vaults(Resource, tables=(VAULTS,)):
    """Documents and folders."""

    async def insert_vaults(
        self,
        title: ShortText,
        summary: LongText | None = None,
        content: LongText = "",
        document_type: ShortText = NOTE,
        tags: ShortText = "",
        parent_id: Identifier | None = None,
        is_folder: bool = False,
        sort_order: Integer | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        """Make a document or folder, last in its parent unless `sort_order` says where.

        Raises `NotFound` for a parent that is not there, `Conflict` for one that is deleted or not a folder.
        """
        vault = {
            "title": title,
            "summary": summary,
            "content": content,
            "document_type": document_type,
            "tags": tags,
            "parent_id": parent_id,
            "is_folder": is_folder,
            "sort_order": sort_order,
        }

        def insert(work: Work) -> Vault:
            places_in = partial(vault_tree.places_in, work.connection)
            return VAULTS.insert(work, _new_columns(work.now, places_in, vault))

        return await self._database.write(insert, key, Vault)

    async def batch_insert_vaults(
        self, vaults: Sequence[VaultCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Make all of them or none, those without a `sort_order` one behind the other; returns their ids in order.

        Their folders have to be there already: one that the same batch makes has no id that could be named. Raises
        `InvalidInput`, and what `insert_vaults` raises.
        """
        require_range("vaults", len(vaults), 1, MAX_BATCH)

        def insert(work: Work) -> list[int]:
            places_in = cache(partial(vault_tree.places_in, work.connection))
            return VAULTS.insert_many(work, (_new_columns(work.now, places_in, vars(vault)) for vault in vaults))

        return await self._database.write(insert, key, list[int])

    async def insert_default_vault_document(self) -> Vault | None:
        """Put the Quick Start document into a store that never held a vault; in any other, do nothing."""
        return await self._database.write(insert_quick_start)

    async def get_vaults(
        self,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        is_deleted: bool = False,
        document_type: ShortText | None = None,
        created_after: TimestampInput | None = None,
        created_before: TimestampInput | None = None,
        updated_after: TimestampInput | None = None,
        updated_before: TimestampInput | None = None,
        title: ShortText | None = None,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
        """Vaults that match every filter, the newest first (by change, when a filter is on that). After includes its
        moment, before does not."""
        where = (
            Where()
            .equals("is_deleted", is_deleted)
            .equals("document_type", document_type)
            .equals("title", title)
            .between("created_at", created_after, created_before, ("created_after", "created_before"))
            .between("updated_at", updated_after, updated_before, ("updated_after", "updated_before"))
        )
        by_change = updated_after is not None or updated_before is not None
        order = LAST_CHANGED_FIRST if by_change else NEWEST_FIRST
        return await self._list(where, order, PageRequest(limit, offset, cursor, with_total))

    async def get_reports(
        self,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        is_deleted: bool = False,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
        """Vaults whose document type is not `Note`, the newest first."""
        where = Where().equals("is_deleted", is_deleted).that(f"document_type != '{NOTE}'")
        return await self._list(where, NEWEST_FIRST, PageRequest(limit, offset, cursor, with_total))

    async def get_folders(
        self, limit: int = DEFAULT_LIMIT, offset: int = 0, cursor: str | None = None, with_total: bool = False
    ) -> VaultPage:
        """Every folder that is not deleted, by place."""
        where = Where().equals("is_folder", True).equals("is_deleted", False)
        return await self._list(where, BY_PLACE, PageRequest(limit, offset, cursor, with_total))

    async def get_children(
        self,
        parent_id: Identifier | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
        """Return the vaults in a folder, or at the top, by place. Raises `NotFound` for a missing folder."""
        if parent_id is not None:
            await self.get_vault(parent_id)
        where = vault_tree.lies_directly_in(parent_id).equals("is_deleted", False)
        return await self._list(where, BY_PLACE, PageRequest(limit, offset, cursor, with_total))

    async def get_vault(self, vault_id: Identifier) -> Vault:
        """One vault, deleted or not. Raises `NotFound`."""
        return await self._database.read(lambda connection: VAULTS.get(connection, vault_id))

    async def update_vault(
        self,
        vault_id: Identifier,
        title: ShortText | Unset = UNSET,
        content: LongText | Unset = UNSET,
        summary: LongText | Unset | None = UNSET,
        tags: ShortText | Unset = UNSET,
        is_deleted: bool | Unset = UNSET,
        document_type: ShortText | Unset = UNSET,
        sort_order: Integer | Unset = UNSET,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        """Change what is given; `is_deleted` deletes or restores the whole subtree, `move_vault` moves it.

        Raises `NotFound`, and `Conflict` for a vault that is deleted.
        """
        columns = without_unset(
            title=title, content=content, summary=summary, tags=tags, document_type=document_type, sort_order=sort_order
        )

        def update(work: Work) -> Vault:
            vault = VAULTS.get(work.connection, vault_id)
            if vault.is_deleted and is_deleted is False:
                vault_tree.restore(work, vault_id)
            if columns:
                vault_tree.require_present(work.connection, vault_id)
                VAULTS.update(work, vault_id, {**columns, "updated_at": work.now})
            if is_deleted is True and not vault.is_deleted:
                vault_tree.delete(work, vault_id)
            return VAULTS.get(work.connection, vault_id)

        return await self._database.write(update, key, Vault)

    async def move_vault(
        self,
        vault_id: Identifier,
        parent_id: Identifier | None,
        sort_order: Integer | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        """Move into another folder or to the top. Raises `Conflict` for a move into the vault's own subtree."""
        return await self._database.write(
            lambda work: vault_tree.move(work, vault_id, parent_id, sort_order), key, Vault
        )

    async def delete_vault(self, vault_id: Identifier, *, key: IdempotencyKey | None = None) -> list[int]:
        """Mark a vault and all below it as deleted, as one batch; returns their ids. Raises `NotFound`, `Conflict`."""
        return await self._database.write(lambda work: vault_tree.delete(work, vault_id), key, list[int])

    async def restore_vault(self, vault_id: Identifier, *, key: IdempotencyKey | None = None) -> list[int]:
        """Bring back exactly what `delete_vault` with the same id marked; returns their ids.

        Raises `Conflict` for a vault that is not deleted, that was deleted as a part of a folder (restore that one), or
        whose folder is deleted.
        """
        return await self._database.write(lambda work: vault_tree.restore(work, vault_id), key, list[int])

    async def delete_vault_permanently(self, vault_id: Identifier, *, key: IdempotencyKey | None = None) -> list[int]:
        """Remove a vault and all below it for good; returns their ids. Raises `NotFound`."""
        return await self._database.write(lambda work: vault_tree.remove(work, vault_id), key, list[int])

    async def _list(self, where: Where, order: Order, part: PageRequest) -> VaultPage:
        return await self._database.read(lambda connection: VAULTS.page(connection, VaultPage, where, order, part))


def insert_quick_start(work: Work) -> Vault | None:
    """Put the Quick Start document into a store that never held a vault; in any other, do nothing."""
    if work.ever_held_a_row(VAULTS.name):
        return None
    times = {"created_at": work.now, "updated_at": work.now}
    return VAULTS.insert(work, {"title": QUICK_START_TITLE, "content": QUICK_START, **times})


def _new_columns(
    now: str, places_in: Callable[[int | None], PositionAllocator], vault: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the columns of a new vault. Raises what `vault_tree.places_in` raises."""
    place = places_in(vault["parent_id"]).next(vault["sort_order"])
    return {**vault, "sort_order": place, "created_at": now, "updated_at": now}
