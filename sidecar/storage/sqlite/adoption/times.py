"""Conversion of times as the seeds' systems wrote them.

The column decides how a time without an offset is read. In most columns a time without a fraction of a
second is `CURRENT_TIMESTAMP`, which is UTC, and one with a fraction was written by Python in local time. In some, the
systems write whole seconds in local time, too.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from sidecar.models import timestamps
from sidecar.storage.resources.monitoring_windows import bucket
from sidecar.storage.sqlite.adoption.conversions import Convert, Unfit, readable, shown

_HAS_FRACTION = re.compile(r":\d\d[.,]\d")
_SPACE_BEFORE_OFFSET = re.compile(r"\s+(?=[+-]\d\d:?\d\d$|[Zz]$)")
_MILLISECONDS_FROM = 1e11
"""Seconds reach this number in the year 5138; what is larger counts milliseconds."""
_JULIAN_DAYS = range(1_721_426, 5_373_485)
"""Numbers that SQLite's functions take for days since 4714 BC; as seconds they would be in the year 1970."""
_JULIAN_DAY_OF_1970 = 2_440_587.5


class Clock:
    """The clock by which a system wrote its local times, with counts of the times that were not one moment."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.repeated = 0
        self.skipped = 0

    def moment(self, local: datetime) -> datetime:
        """Return the moment when this clock showed `local`.

        A time in a repeated hour is the first of its two moments; a time in a skipped hour is moved forward.
        """
        first, second = local.replace(tzinfo=self.zone, fold=0), local.replace(tzinfo=self.zone, fold=1)
        before, after = first.utcoffset(), second.utcoffset()
        if before != after and before is not None and after is not None:
            if before > after:
                self.repeated += 1
            else:
                self.skipped += 1
        return first


def time_of(clock: Clock, *, is_local: bool = False) -> Convert:
    """Return a conversion of times to the stored form; with `is_local`, a time without a fraction is local, too."""

    def moment(written: str) -> datetime:
        found = datetime.fromisoformat(written)
        if found.tzinfo is not None:
            return found
        if is_local or _HAS_FRACTION.search(written):
            return clock.moment(found)
        return found.replace(tzinfo=UTC)

    return _converting(lambda value: timestamps.render(_moment(value, moment)))


def hour_of(clock: Clock) -> Convert:
    """Return a conversion of the beginnings of hours, which are local times, to the stored form."""

    def moment(written: str) -> datetime:
        found = datetime.fromisoformat(written)
        return clock.moment(found) if found.tzinfo is None else found

    return _converting(lambda value: bucket(timestamps.render(_moment(value, moment))))


def _converting(render: Callable[[Any], str]) -> Convert:
    def convert(value: Any) -> str | None:
        if value in (None, "", b""):
            return None
        try:
            return render(value)
        except (ValueError, OverflowError, OSError):
            raise Unfit(f"{shown(value)} is not a time") from None

    return convert


def _moment(value: Any, read: Callable[[str], datetime]) -> datetime:
    if not isinstance(value, int | float):
        return read(_SPACE_BEFORE_OFFSET.sub("", readable(value).strip()))
    if int(value) in _JULIAN_DAYS:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=value - _JULIAN_DAY_OF_1970)
    return datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS_FROM else value, UTC)
