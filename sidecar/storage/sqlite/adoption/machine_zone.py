"""The time zone of this machine, under its IANA name where that can be found out."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_COMPARED_S = 28 * 24 * 3600
"""Seconds between two compared moments: short enough to notice every period of daylight-saving time."""


class SystemZone(tzinfo):
    """Local time by the rules of the operating system, which do not say their name; its offset at `now` names it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, moment: datetime | None) -> timedelta | None:  # noqa: ARG002 - nobody asks for it
        return None

    def tzname(self, moment: datetime | None) -> str:  # noqa: ARG002 - the name is that of all moments
        offset = self._now.astimezone().strftime("%z")
        return f"local (UTC{offset[:3]}:{offset[3:5]})"


def machine_zone(now: datetime) -> tzinfo:
    """Return the zone of this machine, with its rules for daylight-saving time."""
    for name in _names():
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
        if _is_local(zone, now):
            return zone
    return SystemZone(now)


def zone_name(zone: tzinfo) -> str:
    """Return the zone's name for a report."""
    return getattr(zone, "key", None) or zone.tzname(None) or str(zone)


def _names() -> Iterator[str]:
    """Yield the names that the zone may have, the likeliest first."""
    variable = os.environ.get("TZ")
    if variable is not None:
        yield variable.removeprefix(":").rpartition("zoneinfo/")[2]
        return
    with suppress(OSError, ValueError):
        yield Path("/etc/timezone").read_bytes().decode().strip()
    with suppress(OSError):
        yield Path("/etc/localtime").readlink().as_posix().rpartition("zoneinfo/")[2]


def _is_local(zone: tzinfo, now: datetime) -> bool:
    """Return whether this machine's clock followed `zone` in the two years before `now`: its name may be old."""
    latest = int(now.timestamp())
    moments = [datetime.fromtimestamp(latest - _COMPARED_S * step, UTC) for step in range(26)]
    return all(moment.astimezone(zone).utcoffset() == moment.astimezone().utcoffset() for moment in moments)
