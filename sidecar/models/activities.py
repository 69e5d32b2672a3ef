"""Activities: what somebody did between two times."""

from datetime import date

from pydantic import Field, JsonValue

from sidecar.models.base import (
    ApiModel,
    Batch,
    Identifier,
    LongText,
    Page,
    PageQuery,
    Record,
    ShortText,
    StoredRecord,
    input_dataclass,
)
from sidecar.models.timestamps import Timestamp, TimestampInput


class Activity(StoredRecord):
    id: Identifier
    title: str
    content: str
    resources: JsonValue = Field(description="Anything JSON can hold; usually a list of files, pages, screenshots.")
    metadata: dict[str, JsonValue]
    start_time: Timestamp
    end_time: Timestamp


class ActivityPage(Page[Activity]):
    """Activities, the latest start first."""


@input_dataclass
class ActivityCreate:
    title: ShortText
    content: LongText
    start_time: TimestampInput
    end_time: TimestampInput
    resources: JsonValue = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class ActivityBatch(ApiModel):
    activities: Batch[ActivityCreate]


class ActivityQuery(PageQuery):
    start_time: TimestampInput | None = Field(
        default=None, description="Only activities that begin at or after this time."
    )
    end_time: TimestampInput | None = Field(default=None, description="Only activities that begin before this time.")


class LatestActivity(Record):
    activity: Activity | None = Field(description="Activity with the latest start. Null if there is none.")


class ActivityCount(Record):
    day: date
    count: int


class ActivityCounts(Record):
    """How many activities began on each day, days without any included."""

    days: list[ActivityCount]


class ActivityCountsQuery(ApiModel):
    start_date: date = Field(description="The first day.")
    end_date: date = Field(description="The last day, inclusive. At most 731 days in all.")
    time_zone: ShortText = Field(
        default="UTC", description="Time zone whose midnight separates the days, such as `Europe/Berlin`."
    )
