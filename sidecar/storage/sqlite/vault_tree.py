"""The tree that vaults form: placing, moving, deleting and restoring whole subtrees. All of it inside a unit of work.

Deleting marks a subtree at once. Each row that it marks remembers in `deleted_with` which vault's deletion took it
along, so restoring that vault brings back exactly those rows, as they were, and not what had been deleted before.

Walks down or up use UNION, not UNION ALL: they end even where another tool has written a cycle.
"""

import sqlite3

from sidecar.errors import Conflict
from sidecar.models.vaults import Vault
from sidecar.storage.sqlite.columns import safe_value
from sidecar.storage.sqlite.places import Places
from sidecar.storage.sqlite.stored_columns import STORED
from sidecar.storage.sqlite.table import Table
from sidecar.storage.sqlite.work import Work

VAULTS = Table("vaults", Vault, kind="vault", topic="vaults")

GAP = 1024
"""Between the places of neighbours, so that one can be put between two others without renumbering."""

_SUBTREE = """
WITH RECURSIVE subtree (id) AS (
    SELECT :root
    UNION
    SELECT vaults.id FROM vaults JOIN subtree ON vaults.parent_id = subtree.id
)
"""

_IS_BELOW = """
WITH RECURSIVE ancestors (id) AS (
    SELECT :start
    UNION
    SELECT vaults.parent_id FROM vaults JOIN ancestors ON vaults.id = ancestors.id WHERE vaults.parent_id IS NOT NULL
)
SELECT 1 FROM ancestors WHERE id = :candidate
"""


def require_present(connection: sqlite3.Connection, vault_id: int) -> Vault:
    """The vault. Raises `NotFound`, and `Conflict` when it is deleted."""
    vault = VAULTS.get(connection, vault_id)
    if vault.is_deleted:
        raise Conflict(f"The vault {vault_id} is deleted; restore it first.")
    return vault


def places_in(connection: sqlite3.Connection, parent_id: int | None) -> Places:
    """The places of vaults that come into a folder, or to the top.

    Raises `NotFound` for a folder that is not there, `Conflict` when it is deleted or not a folder.
    """
    if parent_id is not None and not require_present(connection, parent_id).is_folder:
        raise Conflict(f"The vault {parent_id} is a document; only a folder can be the parent of another vault.")
    last = connection.execute(
        "SELECT sort_order FROM vaults WHERE parent_id IS ? AND is_deleted = 0 ORDER BY sort_order DESC LIMIT 1",
        (parent_id,),
    ).fetchone()
    place = None if last is None else safe_value(STORED[VAULTS.name]["sort_order"], last["sort_order"])
    return Places(place, first=GAP, gap=GAP)


def lies_in(connection: sqlite3.Connection, start: int | None, vault_id: int) -> bool:
    """Return whether the folder `start` is the vault or lies, at any depth, in it."""
    return connection.execute(_IS_BELOW, {"start": start, "candidate": vault_id}).fetchone() is not None


def move(work: Work, vault_id: int, parent_id: int | None, wanted_place: int | None) -> Vault:
    """Put the vault into another folder. Raises `Conflict` when that folder lies in the vault itself."""
    connection = work.connection
    require_present(connection, vault_id)
    place = places_in(connection, parent_id).take(wanted_place)
    if lies_in(connection, parent_id, vault_id):
        raise Conflict(f"The vault {vault_id} cannot be moved into itself or into a folder below it.")
    columns = {"parent_id": parent_id, "sort_order": place, "updated_at": work.now}
    return VAULTS.update(work, vault_id, columns)


def delete(work: Work, vault_id: int) -> list[int]:
    """Mark the vault and what is not yet deleted below it; returns their ids. Raises `NotFound`, `Conflict`."""
    require_present(work.connection, vault_id)
    sql = f"""{_SUBTREE}
        UPDATE vaults SET is_deleted = 1, deleted_with = :root
        WHERE id IN (SELECT id FROM subtree) AND is_deleted = 0 RETURNING id
    """
    return _affected(work, sql, vault_id)


def restore(work: Work, vault_id: int) -> list[int]:
    """Bring back what `delete` of the same vault marked; returns their ids. Raises `NotFound`, `Conflict`."""
    connection = work.connection
    vault = VAULTS.get(connection, vault_id)
    if not vault.is_deleted:
        raise Conflict(f"The vault {vault_id} is not deleted.")
    (deleted_with,) = connection.execute("SELECT deleted_with FROM vaults WHERE id = ?", (vault_id,)).fetchone()
    if deleted_with not in (None, vault_id):
        raise Conflict(f"The vault {vault_id} was deleted together with the folder {deleted_with}; restore that one.")
    if vault.parent_id is not None and VAULTS.get(connection, vault.parent_id).is_deleted:
        raise Conflict(f"The folder {vault.parent_id} of the vault {vault_id} is deleted; restore the folder first.")
    sql = """
        UPDATE vaults SET is_deleted = 0, deleted_with = NULL
        WHERE (deleted_with = :root OR id = :root) AND is_deleted = 1 RETURNING id
    """
    return _affected(work, sql, vault_id)


def remove(work: Work, vault_id: int) -> list[int]:
    """Remove the vault and all below it for good; returns their ids. Raises `NotFound`."""
    VAULTS.get(work.connection, vault_id)
    sql = f"{_SUBTREE} DELETE FROM vaults WHERE id IN (SELECT id FROM subtree) RETURNING id"
    return _affected(work, sql, vault_id)


def _affected(work: Work, sql: str, root: int) -> list[int]:
    ids = sorted(row["id"] for row in work.connection.execute(sql, {"root": root}).fetchall())
    for row_id in ids:
        work.changed(VAULTS.topic, row_id)
    return ids
