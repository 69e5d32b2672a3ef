"""Times as other programs write them: every form that SQLite's date functions know, and numbers.

SQLite takes a time without an offset for UTC (https://sqlite.org/lang_datefunc.html, "Time Values"). A number up to
5373484.5 is a Julian day, a larger one counts seconds or milliseconds since 1970.
"""

import sqlite3
from functools import cache

from sidecar.models import timestamps

_FORMAT = "%Y-%m-%dT%H:%M:%fZ"
_LAST_JULIAN_DAY = 5373484.5
_MILLISECONDS_FROM = 100_000_000_000
"""Seconds reach this number in the year 5138."""

SHAPE = "'????-??-??T??:??:??.???Z'"
"""SQL for `GLOB`: the shape of the stored form. Matching digits costs a write twice as much (0.17 µs for two times)."""


def normalised_time(value: object) -> str:
    """Return the stored form of a time that SQLite can read. Raises `ValueError` for anything else."""
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("is not a time")
    # The word `now` is a time to SQLite, but another one whenever it is read.
    if isinstance(value, str) and not any(character.isdigit() for character in value):
        raise ValueError("is not a time")
    (read,) = _reader().execute(f"SELECT {normalised('?1')}", (value,)).fetchone()
    if read is None:
        raise ValueError("is not a time")
    return timestamps.canonical(read)


def normalised(column: str) -> str:
    """Return SQL for the stored form of a column's time; NULL where SQLite cannot read it."""
    # Adding nothing has SQLite turn a 31st of February into a day that there is.
    is_number = f"typeof({column}) IN ('integer', 'real') AND {column} NOT BETWEEN"
    is_too_large = f"{is_number} -{_MILLISECONDS_FROM} AND {_MILLISECONDS_FROM}"
    number = f"CASE WHEN {is_too_large} THEN {column} / 1000.0 ELSE {column} END"
    change = f"CASE WHEN {is_number} 0 AND {_LAST_JULIAN_DAY} THEN 'unixepoch' ELSE '+0 days' END"
    return f"strftime('{_FORMAT}', {number}, {change})"


@cache
def _reader() -> sqlite3.Connection:
    """Return a connection whose date functions read the times."""
    return sqlite3.connect(":memory:", check_same_thread=False)
