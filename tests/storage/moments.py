"""Local times of six zones and the moments that they are, as almanacs have them."""

from typing import NamedTuple


class Moments(NamedTuple):
    """Local times without a fraction of a second, each with its moment in UTC up to the seconds."""

    zone: str
    summer: tuple[str, str]
    winter: tuple[str, str]
    repeated: tuple[str, str]
    """In an hour that the clock shows twice, at its first pass; any time where there is no such hour."""
    skipped: tuple[str, str]
    """In an hour that the clock skips, by the offset before; any time where there is no such hour."""
    has_changes: bool

    def utc(self, name: str, fraction: str = "000") -> str:
        """The moment of that name in stored form."""
        return f"{getattr(self, name)[1]}.{fraction}Z"

    def local(self, name: str, fraction: str = "") -> str:
        """The local time of that name, as a system wrote it."""
        return str(getattr(self, name)[0]) + fraction


SUMMER, WINTER = "2025-07-01 12:00:00", "2025-01-15 12:00:00"
ZONES = (
    Moments(
        "UTC",
        (SUMMER, "2025-07-01T12:00:00"),
        (WINTER, "2025-01-15T12:00:00"),
        ("2025-10-26 02:30:00", "2025-10-26T02:30:00"),
        ("2025-03-30 02:30:00", "2025-03-30T02:30:00"),
        has_changes=False,
    ),
    Moments(
        "Europe/Berlin",
        (SUMMER, "2025-07-01T10:00:00"),
        (WINTER, "2025-01-15T11:00:00"),
        ("2025-10-26 02:30:00", "2025-10-26T00:30:00"),
        ("2025-03-30 02:30:00", "2025-03-30T01:30:00"),
        has_changes=True,
    ),
    Moments(
        "America/New_York",
        (SUMMER, "2025-07-01T16:00:00"),
        (WINTER, "2025-01-15T17:00:00"),
        ("2025-11-02 01:30:00", "2025-11-02T05:30:00"),
        ("2025-03-09 02:30:00", "2025-03-09T07:30:00"),
        has_changes=True,
    ),
    # The clocks of China changed last in 1991.
    Moments(
        "Asia/Shanghai",
        (SUMMER, "2025-07-01T04:00:00"),
        (WINTER, "2025-01-15T04:00:00"),
        ("1991-09-15 01:30:00", "1991-09-14T16:30:00"),
        ("1991-04-14 02:30:00", "1991-04-13T18:30:00"),
        has_changes=True,
    ),
    # The southern hemisphere, with changes of half an hour.
    Moments(
        "Australia/Lord_Howe",
        (SUMMER, "2025-07-01T01:30:00"),
        (WINTER, "2025-01-15T01:00:00"),
        ("2025-04-06 01:45:00", "2025-04-05T14:45:00"),
        ("2025-10-05 02:15:00", "2025-10-04T15:45:00"),
        has_changes=True,
    ),
    Moments(
        "Asia/Kolkata",
        (SUMMER, "2025-07-01T06:30:00"),
        (WINTER, "2025-01-15T06:30:00"),
        ("2025-10-26 02:30:00", "2025-10-25T21:00:00"),
        ("2025-03-30 02:30:00", "2025-03-29T21:00:00"),
        has_changes=False,
    ),
)
