"""Activities: what somebody did between two times."""

from datetime import date
from enum import StrEnum

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
    unset,
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


class ActivityOrder(StrEnum):
    """Orders of a list of activities."""

    LATEST = "-start_time"
    EARLIEST = "start_time"


class ActivityWindow(StrEnum):
    """How an activity must lie to the window of a list."""

    BEGIN = "begin"
    CONTAIN = "contain"
    OVERLAP = "overlap"


class ActivityPage(Page[Activity]):
    """Activities, in the order that was asked for."""


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


class ActivityUpdate(ApiModel):
    """Fields that are left out stay as they are."""

    title: ShortText = unset()
    content: LongText = unset()
    resources: JsonValue = unset()
    metadata: dict[str, JsonValue] = unset("Replaces the metadata.")
    start_time: TimestampInput = unset()
    end_time: TimestampInput = unset()


class ActivityQuery(PageQuery):
    start_time: TimestampInput | None = Field(default=None, description="Beginning of the window. Default: any.")
    end_time: TimestampInput | None = Field(default=None, description="End of the window. Default: any.")
    window: ActivityWindow = Field(
        default=ActivityWindow.BEGIN,
        description="Activities that `begin` in the window, at its beginning included and at its end not; that it "
        "`contain`s as a whole, both ends included, as in the seed; or that `overlap` with it for any time, or begin "
        "and end at one moment in it.",
    )
    order: ActivityOrder = Field(
        default=ActivityOrder.LATEST,
        description="`-start_time`: the latest start first. `start_time`: the earliest start first.",
    )


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
