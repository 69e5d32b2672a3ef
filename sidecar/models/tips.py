"""Tips: short suggestions for the user."""

from pydantic import Field

from sidecar.models.base import ApiModel, Batch, Identifier, Page, PageQuery, StoredRecord, Text, input_dataclass, unset
from sidecar.models.timestamps import Timestamp, TimestampInput


class Tip(StoredRecord):
    id: Identifier
    content: str
    created_at: Timestamp


class TipPage(Page[Tip]):
    """Tips, the newest first."""


@input_dataclass
class TipCreate:
    content: Text
    created_at: TimestampInput | None = Field(default=None, description="Time of creation. Default: now.")


class TipBatch(ApiModel):
    tips: Batch[TipCreate]


class TipUpdate(ApiModel):
    """Fields that are left out stay as they are."""

    content: Text = unset()


class TipQuery(PageQuery):
    start_time: TimestampInput | None = Field(default=None, description="Only tips created at or after this time.")
    end_time: TimestampInput | None = Field(default=None, description="Only tips created before this time.")
    created_after: TimestampInput | None = Field(default=None, description="The same as `start_time`.")
    created_before: TimestampInput | None = Field(default=None, description="The same as `end_time`.")
