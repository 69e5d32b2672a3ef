"""Counts of rows by day, for a heat map."""

from datetime import date

from pydantic import Field

from sidecar.models.base import ApiModel, Record, ShortText

MOST_DAYS = 731
"""Two years and a leap day: a heat map shows no more, and each day is a query."""


class DayCount(Record):
    day: date
    count: int


class DayCounts(Record):
    """How many there are of each day, days without any included."""

    days: list[DayCount]


class DailyCount(Record):
    """The rows of one day."""

    day: date
    todos: int = Field(description="Number of todos that were completed.")
    conversations: int = Field(description="Number of conversations that were created, without deleted ones.")
    documents: int = Field(description="Number of vaults that were created, without folders and deleted ones.")
    activities: int = Field(description="Number of activities that began.")
    contexts: int = Field(description="Number of contexts that were created.")
    total: int


class DailyCounts(Record):
    """The rows of each day, days without any included."""

    days: list[DailyCount]


class DailyCountsQuery(ApiModel):
    start_date: date = Field(description="The first day.")
    end_date: date = Field(description="The last day, inclusive. At most 731 days in all.")
    time_zone: ShortText = Field(
        default="UTC",
        description="Time zone whose midnight separates the days: a name such as `Europe/Berlin`, or an offset such as "
        "`-03:30`.",
    )
