"""Times on the wire and in the database: UTC, ISO-8601, milliseconds, `Z`: `2026-01-31T09:30:00.000Z`.

All have the same length, so that text order is time order. A time without an offset is refused: guessing whose local
time it is would store a wrong one.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from sidecar.clock import Clock

_SCHEMA = {"type": "string", "format": "date-time", "examples": ["2026-01-31T09:30:00.000Z"]}

_NOT_A_TIME = (
    "is not an ISO-8601 time with an offset from UTC, such as 2026-01-31T09:30:00Z or 2026-01-31T10:30:00+01:00, "
    "in the years 1 to 9999"
)

_DAY = r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}"
STORED_FORM = re.compile(rf"^[12][0-9]{{3}}-{_DAY}T{_TIME}Z$")
"""The form of nearly all times, as JavaScript renders them. Other times are parsed in full."""


def now(clock: Clock) -> str:
    """The present time by this clock."""
    return f"{clock.now().replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def for_file_names(clock: Clock) -> str:
    """The same, without the characters that not every file system takes."""
    return now(clock).replace("-", "").replace(":", "")


_IN_A_FILE_NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z")


def next_for_file_names(clock: Clock, names: Iterable[str]) -> str:
    """The same, or the millisecond after the latest time in these names: greater than all of them."""
    now = for_file_names(clock)
    latest = max((text for name in names for text in _IN_A_FILE_NAME.findall(name)), default="")
    if latest < now:
        return now
    try:
        after = render(datetime.fromisoformat(latest) + timedelta(milliseconds=1))
    except (ValueError, OverflowError):  # a name that somebody made up
        return now
    return after.replace("-", "").replace(":", "")


def has_passed(since: str, duration: timedelta, now: datetime) -> bool:
    """Return whether so much time has passed since that moment.

    One in the future was noted while the clock was wrong, then or now. How long ago that was cannot be known, so it
    counts as long ago: what is due too early is done once too often, what waits for such a date is not done for years.
    """
    passed = now - parse(since)
    return passed >= duration or passed < timedelta()


def render(moment: datetime) -> str:
    """`moment`, which must know its offset, as text in UTC. Raises `ValueError` when it does not."""
    if moment.tzinfo is None:
        raise ValueError(_NOT_A_TIME)
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(_NOT_A_TIME) from None
    return in_utc.replace(tzinfo=None).isoformat(timespec="milliseconds").rjust(23, "0") + "Z"


def parse(text: str) -> datetime:
    """The moment that `text` names. Raises `ValueError` when it is not an ISO-8601 time with an offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_NOT_A_TIME) from None
    if moment.tzinfo is None:
        raise ValueError(_NOT_A_TIME)
    return moment


Moment = str | datetime
"""A time as callers of the library give it: as text or as an object, with its offset from UTC either way."""


def canonical(value: Moment) -> str:
    """`value` in this module's form. Raises `ValueError` when it is not a time, or one without an offset."""
    if isinstance(value, datetime):
        return render(value)
    if not isinstance(value, str):
        raise ValueError(_NOT_A_TIME)
    return value if STORED_FORM.fullmatch(value) else render(parse(value))


def _require_canonical(value: str) -> str:
    if canonical(value) != value:
        raise ValueError(_NOT_A_TIME)
    return value


class _Validated:
    """Validates with a function, which is called only for what the pattern of the stored form does not match.

    Such a call costs five times as much as matching the pattern, and a batch has thousands of times.
    """

    def __init__(self, function: Callable[[str], str]) -> None:
        self._function = function

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema()
        stored = core_schema.str_schema(pattern=STORED_FORM.pattern)
        other = core_schema.no_info_after_validator_function(self._function, text)
        moment = core_schema.no_info_after_validator_function(render, core_schema.is_instance_schema(datetime))
        return core_schema.union_schema(
            [stored, other, moment],
            mode="left_to_right",
            custom_error_type="timestamp",
            custom_error_message=_NOT_A_TIME,
        )


Timestamp = Annotated[str, _Validated(_require_canonical), WithJsonSchema(_SCHEMA)]
"""A time in the stored form; any other is refused."""

TimestampInput = Annotated[Moment, _Validated(canonical), WithJsonSchema(_SCHEMA)]
"""A time as callers give it, with any offset and any precision; becomes a `Timestamp`."""
