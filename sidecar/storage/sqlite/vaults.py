"""Vaults: the table `vaults`, documents and the folders that hold them.

What concerns one row or a list of rows is here; what concerns the tree (moving, deleting, restoring) is in
`vault_tree.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from sidecar.models.base import MAX_BATCH
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import Moment
from sidecar.models.vaults import NOTE, Vault, VaultCreate, VaultPage
from sidecar.storage.sqlite import vault_tree
from sidecar.storage.sqlite.listing import Order, Part, Where, require_range
from sidecar.storage.sqlite.places import Places
from sidecar.storage.sqlite.table import Domain
from sidecar.storage.sqlite.vault_tree import VAULTS
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.arguments import UNSET, Unset, given
from sidecar.storage.stores.lists import DEFAULT_LIMIT
from sidecar.storage.stores.vaults import IVaultStore

NEWEST_FIRST = Order("created_at", newest_first=True)
LAST_CHANGED_FIRST = Order("updated_at", newest_first=True)
BY_PLACE = Order("sort_order")

QUICK_START_TITLE = "Quick Start"
QUICK_START = """\
# Quick Start

Everything you write is kept on this computer, in one database file of your own.

- **Documents** hold your notes; **folders** hold documents and other folders.
- Drag a document to another folder to move it. A deleted one can be restored from the trash, its folder included.
- **Todos** remind you of what is left to do, **activities** tell what you did, and **tips** suggest what may come next.

This document is yours: change it, move it or delete it. It will not come back.
"""


class Vaults(Domain, IVaultStore):
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
        require_range("vaults", len(vaults), 1, MAX_BATCH)

        def insert(work: Work) -> list[int]:
            places_in = cache(partial(vault_tree.places_in, work.connection))
            return VAULTS.insert_many(work, (_new_columns(work.now, places_in, vars(vault)) for vault in vaults))

        return await self._database.write(insert, key, list[int])

    async def insert_default_vault_document(self) -> Vault | None:
        def insert_once(work: Work) -> Vault | None:
            # AUTOINCREMENT leaves a row here as soon as a table has ever held one, whatever became of it.
            sql = "SELECT 1 FROM sqlite_sequence WHERE name = 'vaults'"
            had_a_vault = work.connection.execute(sql).fetchone() is not None
            if had_a_vault:
                return None
            times = {"created_at": work.now, "updated_at": work.now}
            return VAULTS.insert(work, {"title": QUICK_START_TITLE, "content": QUICK_START, **times})

        return await self._database.write(insert_once)

    async def get_vaults(
        self,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        is_deleted: bool = False,
        document_type: str | None = None,
        created_after: Moment | None = None,
        created_before: Moment | None = None,
        updated_after: Moment | None = None,
        updated_before: Moment | None = None,
        title: str | None = None,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
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
        return await self._list(where, order, Part(limit, offset, cursor, with_total))

    async def get_reports(
        self,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        is_deleted: bool = False,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
        where = Where().equals("is_deleted", is_deleted).that(f"document_type != '{NOTE}'")
        return await self._list(where, NEWEST_FIRST, Part(limit, offset, cursor, with_total))

    async def get_folders(
        self, limit: int = DEFAULT_LIMIT, offset: int = 0, cursor: str | None = None, with_total: bool = False
    ) -> VaultPage:
        where = Where().equals("is_folder", True).equals("is_deleted", False)
        return await self._list(where, BY_PLACE, Part(limit, offset, cursor, with_total))

    async def get_children(
        self,
        parent_id: int | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
        if parent_id is not None:
            await self.get_vault(parent_id)
        where = Where().that("parent_id IS ?", parent_id).equals("is_deleted", False)
        return await self._list(where, BY_PLACE, Part(limit, offset, cursor, with_total))

    async def get_vault(self, vault_id: int) -> Vault:
        return await self._database.read(lambda connection: VAULTS.get(connection, vault_id))

    async def update_vault(
        self,
        vault_id: int,
        title: str | Unset = UNSET,
        content: str | Unset = UNSET,
        summary: str | Unset | None = UNSET,
        tags: str | Unset = UNSET,
        is_deleted: bool | Unset = UNSET,
        document_type: str | Unset = UNSET,
        sort_order: int | Unset = UNSET,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        columns = given(
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
        vault_id: int,
        parent_id: int | None,
        sort_order: int | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        return await self._database.write(
            lambda work: vault_tree.move(work, vault_id, parent_id, sort_order), key, Vault
        )

    async def delete_vault(self, vault_id: int, *, key: IdempotencyKey | None = None) -> list[int]:
        return await self._database.write(lambda work: vault_tree.delete(work, vault_id), key, list[int])

    async def restore_vault(self, vault_id: int, *, key: IdempotencyKey | None = None) -> list[int]:
        return await self._database.write(lambda work: vault_tree.restore(work, vault_id), key, list[int])

    async def delete_vault_permanently(self, vault_id: int, *, key: IdempotencyKey | None = None) -> list[int]:
        return await self._database.write(lambda work: vault_tree.remove(work, vault_id), key, list[int])

    async def _list(self, where: Where, order: Order, part: Part) -> VaultPage:
        return await self._database.read(lambda connection: VAULTS.page(connection, VaultPage, where, order, part))


def _new_columns(now: str, places_in: Callable[[int | None], Places], vault: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of a new vault. Raises what `vault_tree.places_in` raises."""
    place = places_in(vault["parent_id"]).take(vault["sort_order"])
    return {**vault, "sort_order": place, "created_at": now, "updated_at": now}
