"""The usage of models: tokens and cost of messages, added up by model, conversation and day.

Sums are read from an index that only holds messages with usage, `idx_messages_usage`.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sidecar.errors import InvalidInput
from sidecar.models import timestamps
from sidecar.models.base import Identifier, ShortText
from sidecar.models.messages import MAX_COST, MAX_TOKENS
from sidecar.models.timestamps import TimestampInput
from sidecar.models.usage import Usage, UsageGroup, UsageReport, UsageTotal
from sidecar.storage.arguments import MAX_LIMIT
from sidecar.storage.interfaces import Connection
from sidecar.storage.resources.rows.pagination import Where, require_range
from sidecar.storage.resources.rows.table import Resource
from sidecar.storage.resources.rows.validation import known_zone, one_of

MOST_DAYS = 3_660
"""Each day is a query: these are ten years, and 50 ms."""

USED = "(model IS NOT NULL OR prompt_tokens IS NOT NULL OR completion_tokens IS NOT NULL OR cost IS NOT NULL)"
"""The condition of the index, word for word."""

_COLUMNS = {UsageGroup.MODEL: "model", UsageGroup.CONVERSATION: "conversation_id"}


def _sum(column: str, most: int) -> str:
    """SQL for a sum without the values of other programs that no message may have."""
    return f"sum(CASE WHEN {column} BETWEEN 0 AND {most} THEN {column} ELSE 0 END)"


_SUMS = f"""
    count(*) AS messages, {_sum("prompt_tokens", MAX_TOKENS)} AS prompt_tokens,
    {_sum("completion_tokens", MAX_TOKENS)} AS completion_tokens, {_sum("cost", MAX_COST)} AS cost
"""


class MessageUsage(Resource, tables=()):
    """The usage of models."""

    async def get_message_usage(
        self,
        group_by: Sequence[str] = (),
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        model: ShortText | None = None,
        conversation_id: Identifier | None = None,
        time_zone: ShortText = "UTC",
        limit: int = MAX_LIMIT,
    ) -> UsageReport:
        """Return the sums of tokens, cost and messages from `start_time` to before `end_time`, by group.

        Groups are `model`, `conversation` and `day`, which begins at midnight in `time_zone`. Messages of deleted
        conversations count; what they cost is paid. Raises `InvalidInput`, also for more than 3,660 days.
        """
        require_range("limit", limit, 1, MAX_LIMIT)
        groups = [one_of(UsageGroup, "group_by", name) for name in group_by]
        columns = [column for group, column in _COLUMNS.items() if group in groups]
        zone = known_zone("time_zone", time_zone)
        where = Where().equals("model", model).equals("conversation_id", conversation_id)
        where.between("created_at", start_time, end_time)

        def read(connection: Connection) -> UsageReport:
            total = next(_sums(connection, [], where))
            items: list[Usage] = []
            if total["messages"] and UsageGroup.DAY in groups:
                for day in _days(_bounds(connection, where), zone):
                    items += _groups(connection, columns, _within(where, day), limit + 1 - len(items), day.day)
                    if len(items) > limit:
                        break
            elif total["messages"]:
                items += _groups(connection, columns, where, limit + 1, None)
            return UsageReport(items=items[:limit], has_more=len(items) > limit, totals=UsageTotal(**total))

        return await self._database.read(read)


class _Day(NamedTuple):
    """One day: from a time to before another."""

    day: date
    start: str
    end: str


def _bounds(connection: Connection, where: Where) -> tuple[str, str]:
    """Return the times of the first and the last message."""
    sql = f"SELECT min(created_at), max(created_at) FROM messages WHERE {USED} AND {where.sql()}"
    first, last = connection.execute(sql, where.values).fetchone()
    return first, last


def _days(bounds: tuple[str, str], zone: ZoneInfo) -> Iterator[_Day]:
    """Yield the days of the zone from the first time to the last."""
    try:
        first, last = (timestamps.parse(moment).astimezone(zone).date() for moment in bounds)
        if (last - first).days >= MOST_DAYS:
            raise InvalidInput.field("start_time", f"lies too far back; at most {MOST_DAYS} days are added up at once")
        day = first
        while day <= last:
            start, end = (
                timestamps.render(datetime.combine(midnight, time_of_day.min, zone))
                for midnight in (day, day + timedelta(days=1))
            )
            yield _Day(day, start, end)
            day += timedelta(days=1)
    except (ValueError, OverflowError):
        # A time of another program, or of the years 1 and 9999.
        raise InvalidInput.field("group_by", "cannot be day for these messages: one has a time without a day") from None


def _within(where: Where, day: _Day) -> Where:
    return Where([*where.clauses], [*where.values]).between("created_at", day.start, day.end)


def _groups(
    connection: Connection, columns: Sequence[str], where: Where, limit: int, day: date | None
) -> Iterator[Usage]:
    for sums in _sums(connection, columns, where, limit):
        if sums["messages"]:
            yield Usage(**sums, day=day)


def usage_sql(columns: Sequence[str], condition: str) -> str:
    """Return the query for the sums of messages that meet the condition, by these columns."""
    named = "".join(f"{column}, " for column in columns)
    grouped = f"GROUP BY {', '.join(columns)}" if columns else ""
    order = ", ".join(["cost DESC", "completion_tokens DESC", "messages DESC", *columns])
    return f"SELECT {named}{_SUMS} FROM messages WHERE {USED} AND {condition} {grouped} ORDER BY {order} LIMIT ?"


def _sums(connection: Connection, columns: Sequence[str], where: Where, limit: int = 1) -> Iterator[dict[str, Any]]:
    """Yield the sums of each group, the largest cost first."""
    for row in connection.execute(usage_sql(columns, where.sql()), (*where.values, limit)):
        sums = dict(row)
        if isinstance(sums.get("model"), bytes):
            sums["model"] = sums["model"].decode("utf-8", "replace")
        if not isinstance(sums.get("conversation_id", 0), int):  # of another program
            sums["conversation_id"] = None
        tokens = {name: int(sums[name] or 0) for name in ("prompt_tokens", "completion_tokens")}
        yield {**sums, **tokens, "cost": round(float(sums["cost"] or 0), 9)}
