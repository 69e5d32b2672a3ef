"""Times on the wire and in the database: UTC, ISO-8601, milliseconds, `Z`: `2026-01-31T09:30:00.000Z`.

All have the same length, so that text order is time order. A time without an offset is refused: guessing whose local
time it is would store a wrong one.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

_SCHEMA = {"type": "string", "format": "date-time", "examples": ["2026-01-31T09:30:00.000Z"]}


_STORED_FORM = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z", re.ASCII)


def now() -> str:
    """The present time."""
    return f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def for_file_names() -> str:
    """The same, without the characters that not every file system takes."""
    return now().replace("-", "").replace(":", "")


def render(moment: datetime) -> str:
    """`moment`, which must know its offset, as text in UTC. Raises `ValueError` when it does not."""
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset from UTC, such as 2026-01-31T09:30:00Z or 2026-01-31T10:30:00+01:00")
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is out of range") from None
    return in_utc.replace(tzinfo=None).isoformat(timespec="milliseconds").rjust(23, "0") + "Z"


def parse(text: str) -> datetime:
    """The moment that `text` names. Raises `ValueError` when it is not an ISO-8601 time with an offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is not an ISO-8601 time such as 2026-01-31T09:30:00Z") from None
    if moment.tzinfo is None:
        render(moment)
    return moment


def canonical(value: str) -> str:
    """`value` in this module's form. Raises `ValueError` when it is not a time, or one without an offset."""
    moment = parse(value)
    # Most times come in this form already, as any JavaScript renders them; making them again costs four times as much.
    return value if _STORED_FORM.fullmatch(value) else render(moment)


Timestamp = Annotated[str, WithJsonSchema(_SCHEMA)]
"""A time as it was stored."""

TimestampInput = Annotated[str, AfterValidator(canonical), WithJsonSchema(_SCHEMA)]
"""A time as somebody sends it: any offset, any precision; becomes a `Timestamp`."""
