"""Days by somebody's clock: when each begins, and how many rows there are of each."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, timezone, tzinfo
from datetime import time as time_of_day
from itertools import pairwise
from typing import Any, NamedTuple

from sidecar.errors import InvalidInput
from sidecar.models import timestamps
from sidecar.models.daily_counts import MOST_DAYS
from sidecar.storage.interfaces import Connection
from sidecar.storage.resources.rows.validation import known_zone

_OFFSET = re.compile(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])")


class Days(NamedTuple):
    """Days that follow each other."""

    dates: list[date]
    bounds: list[str]
    """When each begins, and when the last one ends, in stored form."""

    def counts(self, connection: Connection, sql: str, *values: Any) -> list[int]:
        """Return the number of rows of each day: `sql` counts those between two times, its last two values.

        A query for each day is faster than one that groups: it counts a stretch of an index and computes nothing.
        """
        return [connection.execute(sql, (*values, *bounds)).fetchone()[0] for bounds in pairwise(self.bounds)]

    def counts_of(self, moments: Iterable[object]) -> list[int]:
        """Return how many of these times lie in each day; what another program stored in place of a time is in none."""
        counts = [0] * len(self.dates)
        for moment in moments:
            if isinstance(moment, str) and self.bounds[0] <= moment < self.bounds[-1]:
                counts[bisect_right(self.bounds, moment) - 1] += 1
        return counts


def days_between(first: date, last: date, time_zone: str) -> Days:
    """Return the days from `first` to `last`, both included, by the clock of a zone; some have 23 or 25 hours.

    Raises `InvalidInput` for a zone that is not known, and for more than 731 days.
    """
    if last < first:
        raise InvalidInput.field("end_date", "lies before start_date")
    count = (last - first).days + 1
    if count > MOST_DAYS or last == date.max:
        raise InvalidInput.field("end_date", f"lies too far away; at most {MOST_DAYS} days are counted at once")
    dates = [first + timedelta(days=day) for day in range(count)]
    return Days(dates, _midnights([*dates, last + timedelta(days=1)], _zone(time_zone)))


def _midnights(days: Sequence[date], zone: tzinfo) -> list[str]:
    """When each day begins in the zone, in UTC."""
    try:
        return [timestamps.render(datetime.combine(day, time_of_day.min, zone)) for day in days]
    except ValueError as error:
        raise InvalidInput.field("start_date", str(error)) from None


def _zone(name: str) -> tzinfo:
    offset = _OFFSET.fullmatch(name)
    if offset is None:
        return known_zone("time_zone", name)
    sign, hours, minutes = offset.groups()
    return timezone(timedelta(hours=int(f"{sign}{hours}"), minutes=int(f"{sign}{minutes}")))
