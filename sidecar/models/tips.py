"""Tips: short suggestions for the user."""

from pydantic import Field

from sidecar.models.base import Batch, Identifier, Page, PageQuery, StoredRecord, Text, Wire, new_row
from sidecar.models.timestamps import Timestamp, TimestampInput


class Tip(StoredRecord):
    id: Identifier
    content: str
    created_at: Timestamp


class TipPage(Page[Tip]):
    """Tips, the newest first."""


@new_row
class TipCreate:
    content: Text


class TipBatch(Wire):
    tips: Batch[TipCreate]


class TipQuery(PageQuery):
    start_time: TimestampInput | None = Field(default=None, description="Only tips created at or after this time.")
    end_time: TimestampInput | None = Field(default=None, description="Only tips created before this time.")
