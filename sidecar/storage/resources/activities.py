"""Activities: the table `activity`, its JSON columns, and the counts for a heat map.

The seed's table does not say when an activity was recorded. The column `created_at` does, for imports, which know a row
by it whatever else of the row was changed; it is NULL in a row that is older than the column.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from sidecar.models.activities import (
    Activity,
    ActivityCount,
    ActivityCreate,
    ActivityOrder,
    ActivityPage,
    ActivityWindow,
)
from sidecar.models.base import MAX_BATCH, Identifier, LongText, ShortText
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import Moment, TimestampInput
from sidecar.storage.arguments import ANY_VALUE, DEFAULT_LIMIT, UNSET, JsonObject, Unset, without_unset
from sidecar.storage.interfaces import Connection, Work
from sidecar.storage.resources.rows.columns import added, json_object, json_value, text, time
from sidecar.storage.resources.rows.days import Days, days_between
from sidecar.storage.resources.rows.declaration import Exported, Searched
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, require_range
from sidecar.storage.resources.rows.table import Resource, Table
from sidecar.storage.resources.rows.validation import (
    json_text,
    one_of,
    optional_time,
    require_order,
    required_time,
)

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
        "created_at": added(time(optional=True)),
    },
    kind="activity",
    topic="activities",
    counted=(("start_time",),),
    searched=Searched(
        "activity",
        3,
        "start_time",
        ("title", "resources", "metadata", "start_time", "end_time"),
        title="title",
    ),
    exported=Exported(
        "activities",
        birth=("created_at",),
        earlier_birth=("title", "content", "start_time", "end_time"),
        evidence=("title", "content", "start_time"),
        is_required=True,
    ),
)
ORDERS = {
    ActivityOrder.LATEST: Order("start_time", newest_first=True),
    ActivityOrder.EARLIEST: Order("start_time", name=ActivityOrder.EARLIEST),
}


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
        window: str = ActivityWindow.BEGIN,
        order: str = ActivityOrder.LATEST,
    ) -> ActivityPage:
        """Return activities of the window from `start_time` to `end_time`, the latest start first.

        They `begin` in it, its end not included; or it `contain`s them, both ends included; or they `overlap` with it.
        """
        where = _in_window(one_of(ActivityWindow, "window", window), start_time, end_time)
        by, part = ORDERS[one_of(ActivityOrder, "order", order)], PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: ACTIVITIES.page(connection, ActivityPage, where, by, part))

    async def get_activity(self, activity_id: Identifier) -> Activity:
        """One activity. Raises `NotFound`."""
        return await self._database.read(lambda connection: ACTIVITIES.get(connection, activity_id))

    async def get_latest_activity(self) -> Activity | None:
        """The activity that began last; `None` in a store without any."""
        return next(iter((await self.get_activities(limit=1)).items), None)

    async def update_activity(
        self,
        activity_id: Identifier,
        title: ShortText | Unset = UNSET,
        content: LongText | Unset = UNSET,
        resources: Annotated[Any, ANY_VALUE] = UNSET,
        metadata: JsonObject | Unset = UNSET,
        start_time: TimestampInput | Unset = UNSET,
        end_time: TimestampInput | Unset = UNSET,
        *,
        key: IdempotencyKey | None = None,
    ) -> Activity:
        """Change what is given; `metadata` replaces what is there. Raises `NotFound`, `InvalidInput`."""
        columns = without_unset(
            title=title,
            content=content,
            resources=resources,
            metadata=metadata,
            start_time=start_time,
            end_time=end_time,
        )
        for name in columns.keys() & {"resources", "metadata"}:
            columns[name] = None if columns[name] is None else json_text(name, columns[name])
        times = columns.keys() & {"start_time", "end_time"}
        for name in times:
            columns[name] = required_time(name, columns[name])

        def update(work: Work) -> Activity:
            activity = ACTIVITIES.update(work, activity_id, columns)
            if times:
                require_order(activity.start_time, activity.end_time)
            return activity

        return await self._database.write(update, key, Activity)

    async def delete_activity(self, activity_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Remove an activity. Raises `NotFound`."""
        await self._database.write(lambda work: ACTIVITIES.delete(work, activity_id), key, type(None))

    async def get_activity_counts(
        self, start_date: date, end_date: date, time_zone: ShortText = "UTC"
    ) -> Sequence[ActivityCount]:
        """How many activities began on each day from `start_date` to `end_date`, both included.

        Days begin at midnight in `time_zone`. Raises `InvalidInput` for a zone that is not known, and for more than 731
        days.
        """
        days = days_between(start_date, end_date, time_zone)

        def query(connection: Connection) -> list[ActivityCount]:
            counts = count_activities(connection, days)
            return [ActivityCount(day=day, count=count) for day, count in zip(days.dates, counts, strict=True)]

        return await self._database.read(query)


def count_activities(connection: Connection, days: Days) -> list[int]:
    """Return how many activities began on each day."""
    return days.counts(connection, "SELECT count(*) FROM activity WHERE start_time >= ? AND start_time < ?")


def _in_window(window: ActivityWindow, start_time: Moment | None, end_time: Moment | None) -> Where:
    """Return the condition on the times of activities. Raises `InvalidInput`."""
    where = Where()
    if window is ActivityWindow.BEGIN:
        return where.between("start_time", start_time, end_time)
    if window is ActivityWindow.CONTAIN:
        return where.at_least("start_time", start_time, "start_time").at_most("end_time", end_time, "end_time")
    since, before = optional_time("start_time", start_time), optional_time("end_time", end_time)
    if since is not None:
        # One that only touches the window with its end does not overlap, unless it has no length.
        where.that("(end_time > ? OR (end_time = ? AND start_time = ?))", since, since, since)
    return where if before is None else where.that("start_time < ?", before)


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
        "created_at": now,
    }
