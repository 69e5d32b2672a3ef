"""Vaults: the table `vaults`, documents and the folders that hold them.

What concerns one row or a list of rows is here; what concerns the tree (moving, deleting, restoring) is in
`vault_tree.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from sidecar.models.base import MAX_BATCH, Identifier, Integer, LongText, ShortText
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import Moment, TimestampInput
from sidecar.models.vaults import MOST_TYPES, NOTE, Vault, VaultCreate, VaultPage
from sidecar.storage.arguments import DEFAULT_LIMIT, UNSET, Unset, without_unset
from sidecar.storage.interfaces import Work
from sidecar.storage.resources import vault_tree
from sidecar.storage.resources.rows.counting import Condition
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, require_range
from sidecar.storage.resources.rows.positions import PositionAllocator
from sidecar.storage.resources.rows.table import Resource
from sidecar.storage.resources.rows.validation import required_time
from sidecar.storage.resources.vault_tree import QUICK_START, QUICK_START_TITLE, VAULTS

NEWEST_FIRST = Order("created_at", newest_first=True)
LAST_CHANGED_FIRST = Order("updated_at", newest_first=True)
BY_PLACE = Order("sort_order")
IS_REPORT = Condition("document_type", "!=", NOTE)


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
        created_at: TimestampInput | None = None,
        updated_at: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        """Create a document or folder, last in its parent unless `sort_order` says where.

        `updated_at` is `created_at` unless it is given, and both are now by default. Raises `NotFound` for a parent
        that is not there, `Conflict` for one that is deleted or not a folder.
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
            "created_at": created_at,
            "updated_at": updated_at,
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
        document_type: ShortText | Sequence[ShortText] | None = None,
        created_after: TimestampInput | None = None,
        created_before: TimestampInput | None = None,
        updated_after: TimestampInput | None = None,
        updated_before: TimestampInput | None = None,
        title: ShortText | None = None,
        cursor: str | None = None,
        with_total: bool = False,
        is_folder: bool | None = None,
        parent_id: Identifier | None = None,
    ) -> VaultPage:
        """Return vaults that match every filter, the newest first (by change, when a filter is on that).

        `document_type` is one type or several, `parent_id` the folder that a vault lies in directly. After includes its
        moment, before does not.
        """
        where = self._matching(
            is_deleted,
            document_type,
            created_after,
            created_before,
            updated_after,
            updated_before,
            title,
            is_folder,
            is_selective=parent_id is not None or is_folder is True,
        ).equals("parent_id", parent_id)
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
        where = Where().equals("is_deleted", is_deleted).that(f"document_type != '{NOTE}'", condition=IS_REPORT)
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
        is_deleted: bool = False,
        document_type: ShortText | Sequence[ShortText] | None = None,
        created_after: TimestampInput | None = None,
        created_before: TimestampInput | None = None,
        updated_after: TimestampInput | None = None,
        updated_before: TimestampInput | None = None,
        title: ShortText | None = None,
        is_folder: bool | None = None,
    ) -> VaultPage:
        """Return the vaults in a folder, or at the top, that match every filter of `get_vaults`, by place.

        Raises `NotFound` for a missing folder.
        """
        where = self._matching(
            is_deleted, document_type, created_after, created_before, updated_after, updated_before, title, is_folder
        )
        if parent_id is None:
            where.that("parent_id IS NULL")
        else:
            await self.get_vault(parent_id)
            where.equals("parent_id", parent_id)
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

    def _matching(
        self,
        is_deleted: bool,
        document_type: str | Sequence[str] | None,
        created_after: Moment | None,
        created_before: Moment | None,
        updated_after: Moment | None,
        updated_before: Moment | None,
        title: str | None,
        is_folder: bool | None,
        *,
        is_selective: bool = False,
    ) -> Where:
        """Return the conditions, all of which have to hold. Raises `InvalidInput`.

        `is_selective` is true where the index of another condition finds fewer rows than that of all vaults that are
        not deleted.
        """
        where = Where().equals("is_folder", is_folder)
        if is_selective:
            where.that(f"{self._database.dialect.unindexed('is_deleted')} = ?", is_deleted)
        else:
            where.equals("is_deleted", is_deleted)
        if document_type is not None:
            types = [document_type] if isinstance(document_type, str) else list(dict.fromkeys(document_type))
            require_range("document_type", len(types), 1, MOST_TYPES)
            where.one_of("document_type", types)
        return (
            where.equals("title", title)
            .between("created_at", created_after, created_before, ("created_after", "created_before"))
            .between("updated_at", updated_after, updated_before, ("updated_after", "updated_before"))
        )

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
    """Return the columns of a new vault. Raises `InvalidInput`, and what `vault_tree.places_in` raises."""
    created = now if vault["created_at"] is None else required_time("created_at", vault["created_at"])
    updated = created if vault["updated_at"] is None else required_time("updated_at", vault["updated_at"])
    place = places_in(vault["parent_id"]).next(vault["sort_order"])
    return {**vault, "sort_order": place, "created_at": created, "updated_at": updated}
