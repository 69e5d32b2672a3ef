"""The tree that vaults form: placing, moving, deleting and restoring whole subtrees. All of it inside a unit of work.

Deleting marks a subtree at once. Each row that it marks remembers in `deleted_with` which vault's deletion took it
along, so restoring that vault brings back exactly those rows, as they were, and not what had been deleted before.

Walks down or up use UNION, not UNION ALL: they end even where another tool has written a cycle.
"""

from sidecar.errors import Conflict
from sidecar.models.vaults import Vault
from sidecar.storage.interfaces import Connection, Work
from sidecar.storage.resources.rows.columns import boolean, integer, safe_value, text, time
from sidecar.storage.resources.rows.declaration import Exported, Lift, Reference, Searched
from sidecar.storage.resources.rows.pagination import Where
from sidecar.storage.resources.rows.positions import PositionAllocator
from sidecar.storage.resources.rows.table import Table

QUICK_START_TITLE = "Quick Start"
QUICK_START = """\
# Quick Start

Everything you write is kept on this computer, in one database file of your own.

- **Documents** hold your notes; **folders** hold documents and other folders.
- Drag a document to another folder to move it. A deleted one can be restored from the trash, its folder included.
- **Todos** remind you of what is left to do, **activities** tell what you did, and **tips** suggest what may come next.

This document is yours: change it, move it or delete it. It will not come back.
"""

VAULTS = Table(
    "vaults",
    Vault,
    {
        "title": text(),
        "summary": text(optional=True),
        "content": text(),
        "tags": text(),
        "parent_id": integer(optional=True),
        "is_folder": boolean(),
        "is_deleted": boolean(),
        "created_at": time(),
        "updated_at": time(),
        "document_type": text(),
        "sort_order": integer(),
        "deleted_with": integer(optional=True),
    },
    kind="vault",
    topic="vaults",
    counted=(
        ("is_deleted",),
        ("is_folder", "is_deleted"),
        ("is_deleted", "document_type"),
        ("is_deleted", "created_at"),
        ("is_deleted", "updated_at"),
    ),
    searched=Searched(
        "vault",
        1,
        "created_at",
        ("title", "summary", "tags", "document_type", "parent_id", "is_folder", "created_at", "updated_at"),
        delete=lambda work, row_id: delete(work, row_id),
        title="title",
        also_shown=("summary", "content"),
        present="is_deleted = 0",
    ),
    exported=Exported(
        "vaults",
        birth=("created_at",),
        evidence=("title", "created_at"),
        references=(
            Reference("parent_id", "vaults", is_home=False),
            Reference("deleted_with", "vaults", required=False, may_be_own=True),
        ),
        placeholder=(
            """
            DELETE FROM vaults WHERE title = ? AND content = ? AND updated_at = created_at AND is_deleted = 0
            AND (SELECT count(*) FROM vaults) = 1
            """,
            (QUICK_START_TITLE, QUICK_START),
        ),
        lift=Lift(
            "parent_id",
            """
            WITH RECURSIVE reached (id) AS (
                SELECT id FROM vaults WHERE parent_id IS NULL
                UNION
                SELECT vaults.id FROM vaults JOIN reached ON vaults.parent_id = reached.id
            )
            SELECT min(row_id) FROM import_ids
            WHERE kind = 'vaults' AND is_added AND row_id NOT IN (SELECT id FROM reached)
            """,
            "it lies, through others, in itself",
        ),
        is_required=True,
    ),
    belonging=("vaults", "parent_id"),
)

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


def require_present(connection: Connection, vault_id: int) -> Vault:
    """The vault. Raises `NotFound`, and `Conflict` when it is deleted."""
    vault = VAULTS.get(connection, vault_id)
    if vault.is_deleted:
        raise Conflict(f"The vault {vault_id} is deleted; restore it first.")
    return vault


def places_in(connection: Connection, parent_id: int | None) -> PositionAllocator:
    """The places of vaults that come into a folder, or to the top.

    Raises `NotFound` for a folder that is not there, `Conflict` when it is deleted or not a folder.
    """
    if parent_id is not None and not require_present(connection, parent_id).is_folder:
        raise Conflict(f"The vault {parent_id} is a document; only a folder can be the parent of another vault.")
    where = lies_directly_in(parent_id).equals("is_deleted", False)
    sql = f"SELECT sort_order FROM vaults WHERE {where.sql()} ORDER BY sort_order DESC LIMIT 1"
    last = connection.execute(sql, where.values).fetchone()
    place = None if last is None else safe_value(VAULTS.columns["sort_order"], last["sort_order"])
    return PositionAllocator(place, first=GAP, gap=GAP)


def lies_directly_in(parent_id: int | None) -> Where:
    """Return the condition on the vaults of a folder, or of the top."""
    return Where().that("parent_id IS NULL") if parent_id is None else Where().equals("parent_id", parent_id)


def lies_in(connection: Connection, start: int | None, vault_id: int) -> bool:
    """Return whether the folder `start` is the vault or lies, at any depth, in it."""
    return connection.execute(_IS_BELOW, {"start": start, "candidate": vault_id}).fetchone() is not None


def move(work: Work, vault_id: int, parent_id: int | None, wanted_place: int | None) -> Vault:
    """Put the vault into another folder. Raises `Conflict` when that folder lies in the vault itself."""
    connection = work.connection
    require_present(connection, vault_id)
    place = places_in(connection, parent_id).next(wanted_place)
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
