"""Windows of time and how they are divided: hours, and intervals by somebody's clock."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sidecar.errors import InvalidInput
from sidecar.models import timestamps
from sidecar.models.monitoring import MOST_HOURS
from sidecar.storage.resources.rows.pagination import require_range
from sidecar.storage.resources.rows.validation import known_zone

HOURS_A_DAY = 24
MOST_INTERVALS = 1_000
LONGEST_SHORT_HOURS = 31 * 24
"""Hours above which a window is read on a connection of its own, so that no other read waits for it."""


def bucket(moment: str) -> str:
    """When the hour of a stored time began."""
    return f"{moment[:13]}:00:00.000Z"


def window_start(now: str, hours: int, time_zone: str | None = None) -> str:
    """When a window of `hours` begins: with the hour this long ago, or at the midnight before it in `time_zone`."""
    require_range("hours", hours, 1, MOST_HOURS)
    if time_zone is None:
        return bucket(ago(now, timedelta(hours=hours)))
    zone = known_zone("time_zone", time_zone)
    begin = timestamps.parse(ago(now, timedelta(hours=hours))).astimezone(zone)
    return timestamps.render(datetime.combine(begin.date(), time.min, zone))


def ago(now: str, duration: timedelta) -> str:
    """The time `duration` before now."""
    return timestamps.render(timestamps.parse(now) - duration)


def interval_bounds(now: str, hours: int, interval_hours: int, time_zone: str) -> list[str]:
    """When the intervals of a window begin, and when the last one, which holds the present, ends."""
    start = window_start(now, hours)
    zone = known_zone("time_zone", time_zone)
    _require_interval(interval_hours)
    bounds = sorted(set(_bounds(_day(start, zone), _day(now, zone), interval_hours, zone)))
    bounds = bounds[bisect_right(bounds, start) - 1 : bisect_right(bounds, now) + 1]
    if len(bounds) - 1 > MOST_INTERVALS:
        raise InvalidInput.field("interval_hours", f"makes more than {MOST_INTERVALS} intervals; choose a longer one")
    return bounds


def _require_interval(interval_hours: int) -> None:
    require_range("interval_hours", interval_hours, 1, MOST_HOURS)
    if interval_hours > HOURS_A_DAY and interval_hours % HOURS_A_DAY:
        raise InvalidInput.field("interval_hours", "must be from 1 to 24, or whole days: a multiple of 24")


def _bounds(first: date, last: date, interval_hours: int, zone: ZoneInfo) -> Iterator[str]:
    """Every bound from before the day `first` to after the day `last`."""
    days = max(1, interval_hours // HOURS_A_DAY)
    day = first - timedelta(days=(first.toordinal() - 1) % days)
    # An hour that the clock shows twice is two intervals of one hour, but no bound of longer ones.
    folds = (0, 1) if interval_hours == 1 else (0,)
    while day <= last + timedelta(days=days):
        for hour in range(0, HOURS_A_DAY, interval_hours):
            for fold in folds:
                yield timestamps.render(datetime.combine(day, time(hour, fold=fold), zone))
        day += timedelta(days=days)


def _day(moment: str, zone: ZoneInfo) -> date:
    return timestamps.parse(moment).astimezone(zone).date()
