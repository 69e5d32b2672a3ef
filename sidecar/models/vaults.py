"""Vaults: documents, and the folders that hold them."""

from pydantic import Field

from sidecar.models.base import (
    ApiModel,
    Batch,
    Identifier,
    Integer,
    LongText,
    Page,
    PageQuery,
    Record,
    ShortText,
    StoredRecord,
    UrlIdentifier,
    input_dataclass,
    unset,
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
    parent_id: Identifier | None = Field(description="Id of the folder. Null at the top level.")
    is_folder: bool
    is_deleted: bool
    created_at: Timestamp
    updated_at: Timestamp
    document_type: str
    sort_order: int


class VaultPage(Page[Vault]):
    """Vaults, in the order of the operation."""


@input_dataclass
class VaultCreate:
    title: ShortText
    summary: LongText | None = None
    content: LongText = ""
    document_type: ShortText = NOTE
    tags: ShortText = ""
    parent_id: Identifier | None = None
    is_folder: bool = False
    sort_order: Integer | None = Field(default=None, description="Position in the folder. Default: last.")


class VaultBatch(ApiModel):
    vaults: Batch[VaultCreate]


class VaultUpdate(ApiModel):
    """Fields that are left out stay as they are."""

    title: ShortText = unset()
    summary: LongText | None = unset()
    content: LongText = unset()
    document_type: ShortText = unset()
    tags: ShortText = unset()
    sort_order: Integer = unset()
    is_deleted: bool = unset(
        description="True deletes the vault and everything below it; false restores everything that its "
        "deletion deleted."
    )


class VaultMove(ApiModel):
    parent_id: Identifier | None = Field(description="Id of the new folder. Null for the top level.")
    sort_order: Integer | None = Field(default=None, description="Position in the new folder. Default: last.")


class VaultsAffected(Record):
    """The vaults that an operation on a subtree changed."""

    ids: list[Identifier]


class TrashQuery(PageQuery):
    is_deleted: bool = Field(
        default=False, description="List deleted vaults, which can be restored, instead of the others."
    )


class VaultQuery(TrashQuery):
    title: ShortText | None = Field(default=None, description="Only vaults with exactly this title.")
    document_type: ShortText | None = None
    created_after: TimestampInput | None = Field(default=None, description="Created at or after this time.")
    created_before: TimestampInput | None = Field(default=None, description="Created before this time.")
    updated_after: TimestampInput | None = Field(default=None, description="Changed at or after this time.")
    updated_before: TimestampInput | None = Field(default=None, description="Changed before this time.")


class ChildrenQuery(PageQuery):
    parent_id: UrlIdentifier | None = Field(default=None, description="Id of the folder. Default: the top level.")
