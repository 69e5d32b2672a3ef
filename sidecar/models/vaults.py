"""Vaults: documents, and the folders that hold them."""

from typing import Annotated

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

MOST_TYPES = 100
"""Document types of one list: an app has a few, and each of a query is looked up by itself."""

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
    created_at: TimestampInput | None = Field(default=None, description="Time of creation. Default: now.")
    updated_at: TimestampInput | None = Field(
        default=None, description="Time of the last change. Default: `created_at`, or now."
    )


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


class VaultFilters(TrashQuery):
    """Which vaults are listed. Conditions must all hold."""

    title: ShortText | None = Field(default=None, description="Only vaults with exactly this title.")
    document_type: ShortText | Annotated[list[ShortText], Field(min_length=1, max_length=MOST_TYPES)] | None = Field(
        default=None, description="Only this document type; repeat the parameter for several."
    )
    is_folder: bool | None = Field(default=None, description="Only folders, or only documents. Default: both.")
    created_after: TimestampInput | None = Field(default=None, description="Created at or after this time.")
    created_before: TimestampInput | None = Field(default=None, description="Created before this time.")
    updated_after: TimestampInput | None = Field(default=None, description="Changed at or after this time.")
    updated_before: TimestampInput | None = Field(default=None, description="Changed before this time.")


class VaultQuery(VaultFilters):
    parent_id: UrlIdentifier | None = Field(
        default=None,
        description="Only vaults directly in this folder. `vaults.children` lists those of the top level.",
    )


class ChildrenQuery(VaultFilters):
    parent_id: UrlIdentifier | None = Field(default=None, description="Id of the folder. Default: the top level.")
