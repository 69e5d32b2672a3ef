"""Activities: what somebody did between two times."""

from datetime import date

from pydantic import Field, JsonValue

from sidecar.models.base import Batch, Identifier, Line, LongText, Page, PageQuery, Record, StoredRecord, Wire, new_row
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


@new_row
class ActivityCreate:
    title: Line
    content: LongText
    start_time: TimestampInput
    end_time: TimestampInput
    resources: JsonValue = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class ActivityBatch(Wire):
    activities: Batch[ActivityCreate]


class ActivityQuery(PageQuery):
    start_time: TimestampInput | None = Field(default=None, description="Only activities that begin at or after it.")
    end_time: TimestampInput | None = Field(default=None, description="Only activities that begin before it.")


class LatestActivity(Record):
    activity: Activity | None = Field(description="The one that began last; null when there is none.")


class ActivityCount(Record):
    day: date
    count: int


class ActivityCounts(Record):
    """How many activities began on each day, days without any included."""

    days: list[ActivityCount]


class ActivityCountsQuery(Wire):
    start_date: date = Field(description="The first day.")
    end_date: date = Field(description="The last day, included; at most 731 days in all.")
    time_zone: Line = Field(default="UTC", description="Whose midnight separates the days, e.g. `Europe/Berlin`.")
