"""Vaults: documents, and the folders that hold them."""

from pydantic import Field

from sidecar.models.base import (
    Batch,
    Identifier,
    Integer,
    Line,
    LongText,
    Page,
    PageQuery,
    Record,
    StoredRecord,
    Wire,
    new_row,
    unchanged,
)
from sidecar.models.timestamps import Timestamp, TimestampInput

NOTE = "Note"
"""The document type of what a person writes; everything else is a report."""


class Vault(StoredRecord):
    id: Identifier
    title: str
    summary: str | None
    content: str
    tags: str
    parent_id: Identifier | None = Field(description="The folder it lies in; null at the top.")
    is_folder: bool
    is_deleted: bool
    created_at: Timestamp
    updated_at: Timestamp
    document_type: str
    sort_order: int


class VaultPage(Page[Vault]):
    """Vaults; in which order, each operation says."""


@new_row
class VaultCreate:
    title: Line
    summary: LongText | None = None
    content: LongText = ""
    document_type: Line = NOTE
    tags: Line = ""
    parent_id: Identifier | None = None
    is_folder: bool = False
    sort_order: Integer | None = Field(default=None, description="Its place in the folder; last, if left out.")


class VaultBatch(Wire):
    vaults: Batch[VaultCreate]


class VaultUpdate(Wire):
    """Fields that are left out stay as they are."""

    title: Line = unchanged()
    summary: LongText | None = unchanged()
    content: LongText = unchanged()
    document_type: Line = unchanged()
    tags: Line = unchanged()
    sort_order: Integer = unchanged()
    is_deleted: bool = unchanged(
        description="True deletes the vault and all below it, false restores what its deletion took along."
    )


class VaultMove(Wire):
    parent_id: Identifier | None = Field(description="The folder to move into; null for the top.")
    sort_order: Integer | None = Field(default=None, description="Its place there; last, if left out.")


class VaultsAffected(Record):
    """What an operation on a whole subtree touched."""

    ids: list[Identifier]


class TrashQuery(PageQuery):
    is_deleted: bool = Field(default=False, description="True lists what was deleted and can be restored.")


class VaultQuery(TrashQuery):
    title: Line | None = Field(default=None, description="Only vaults with exactly this title.")
    document_type: Line | None = None
    created_after: TimestampInput | None = Field(default=None, description="Created at or after this time.")
    created_before: TimestampInput | None = Field(default=None, description="Created before this time.")
    updated_after: TimestampInput | None = Field(default=None, description="Changed at or after this time.")
    updated_before: TimestampInput | None = Field(default=None, description="Changed before this time.")


class ChildrenQuery(PageQuery):
    parent_id: Identifier | None = Field(default=None, description="The folder; its top, if left out.")
