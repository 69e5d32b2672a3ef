"""Activities: the table `activity`, its JSON columns, and the counts for a heat map."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

from sidecar.errors import InvalidInput
from sidecar.models import timestamps
from sidecar.models.activities import Activity, ActivityCount, ActivityCreate, ActivityPage
from sidecar.models.base import MAX_BATCH, Identifier, LongText, ShortText
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import TimestampInput
from sidecar.storage.arguments import DEFAULT_LIMIT, JsonObject
from sidecar.storage.interfaces import Connection, Work
from sidecar.storage.resources.rows.columns import json_object, json_value, text, time
from sidecar.storage.resources.rows.declaration import Exported, Searched
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, require_range
from sidecar.storage.resources.rows.table import Resource, Table
from sidecar.storage.resources.rows.validation import json_text, known_zone, optional_time, require_order

ACTIVITIES = Table(
    "activity",
    Activity,
    {
        "title": text(),
        "content": text(),
        "resources": json_value(),
        "metadata": json_object(optional=True),
        "start_time": time(),
        "end_time": time(),
    },
    kind="activity",
    topic="activities",
    searched=Searched(
        "activity",
        3,
        "start_time",
        ("title", "resources", "metadata", "start_time", "end_time"),
        title="title",
    ),
    exported=Exported(
        "activities",
        birth=("title", "content", "start_time", "end_time"),
        evidence=("title", "content", "start_time"),
        is_required=True,
    ),
)
LATEST_FIRST = Order("start_time", newest_first=True)
MOST_DAYS = 731
"""Two years and a leap day: a heat map shows no more, and each day is a query."""


class Activities(Resource, tables=(ACTIVITIES,)):
    """Activities."""

    async def insert_activity(
        self,
        title: ShortText,
        content: LongText,
        resources: Any = None,
        metadata: JsonObject | None = None,
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Activity:
        """Record an activity; times that are left out are now. Raises `InvalidInput` when it ends before it starts."""
        columns = _new_columns(
            self._now(),
            title,
            content,
            resources,
            metadata,
            optional_time("start_time", start_time),
            optional_time("end_time", end_time),
        )
        return await self._database.write(lambda work: ACTIVITIES.insert(work, columns), key, Activity)

    async def batch_insert_activities(
        self, activities: Sequence[ActivityCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Record all of them or none; returns their ids in order. Raises `InvalidInput`."""
        require_range("activities", len(activities), 1, MAX_BATCH)

        def insert(work: Work) -> list[int]:
            return ACTIVITIES.insert_many(work, (_new_columns(work.now, **vars(activity)) for activity in activities))

        return await self._database.write(insert, key, list[int])

    async def get_activities(
        self,
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> ActivityPage:
        """Activities that begin from `start_time` to before `end_time`, the latest first."""
        where = Where().between("start_time", start_time, end_time)
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(
            lambda connection: ACTIVITIES.page(connection, ActivityPage, where, LATEST_FIRST, part)
        )

    async def get_activity(self, activity_id: Identifier) -> Activity:
        """One activity. Raises `NotFound`."""
        return await self._database.read(lambda connection: ACTIVITIES.get(connection, activity_id))

    async def get_latest_activity(self) -> Activity | None:
        """The activity that began last; `None` in a store without any."""
        return next(iter((await self.get_activities(limit=1)).items), None)

    async def get_activity_counts(
        self, start_date: date, end_date: date, time_zone: ShortText = "UTC"
    ) -> Sequence[ActivityCount]:
        """How many activities began on each day from `start_date` to `end_date`, both included.

        Days begin at midnight in `time_zone`. Raises `InvalidInput` for a zone that is not known, and for more than 731
        days.
        """
        days = _days(start_date, end_date)
        midnights = _midnights([*days, end_date + timedelta(days=1)], time_zone)

        def query(connection: Connection) -> list[ActivityCount]:
            sql = "SELECT count(*) FROM activity WHERE start_time >= ? AND start_time < ?"
            return [
                ActivityCount(day=day, count=connection.execute(sql, (midnight, next_midnight)).fetchone()[0])
                for day, midnight, next_midnight in zip(days, midnights, midnights[1:], strict=False)
            ]

        return await self._database.read(query)


def _new_columns(
    now: str,
    title: str,
    content: str,
    resources: Any,
    metadata: Mapping[str, Any] | None,
    start_time: str | None,
    end_time: str | None,
) -> dict[str, Any]:
    """Return the columns of a new activity; its times are in stored form. Raises `InvalidInput`."""
    start = start_time or end_time or now
    end = end_time or max(start, now)
    require_order(start, end)
    return {
        "title": title,
        "content": content,
        "resources": None if resources is None else json_text("resources", resources),
        "metadata": json_text("metadata", metadata or {}),
        "start_time": start,
        "end_time": end,
    }


def _days(first: date, last: date) -> list[date]:
    if last < first:
        raise InvalidInput.field("end_date", "lies before start_date")
    count = (last - first).days + 1
    if count > MOST_DAYS or last == date.max:
        raise InvalidInput.field("end_date", f"lies too far away; at most {MOST_DAYS} days are counted at once")
    return [first + timedelta(days=day) for day in range(count)]


def _midnights(days: Sequence[date], time_zone: str) -> list[str]:
    """When each day begins in the zone, in UTC; a day may have 23 or 25 hours."""
    zone = known_zone("time_zone", time_zone)
    try:
        return [timestamps.render(datetime.combine(day, time_of_day.min, zone)) for day in days]
    except ValueError as error:
        raise InvalidInput.field("start_date", str(error)) from None
