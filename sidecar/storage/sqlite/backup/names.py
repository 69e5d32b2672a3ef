"""The names of backups: `20260102T030405.678Z-3-schema-7-before-migration.db`, and shorter ones of older programs."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sidecar.clock import Clock
from sidecar.models import timestamps

_NAME = re.compile(
    r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3})Z(?:-(\d{1,9}))?(?:-schema-(\d{1,9})-([a-z0-9-]+))?\.db"
)

_UNKNOWN = "unknown"


class NameParts(NamedTuple):
    """The parts of a backup's name."""

    created_at: str
    sequence: int | None
    schema_version: int | None
    reason: str


def name_of(clock: Clock, sequence: int, schema_version: int, reason: str) -> str:
    """Return the name of a copy that is made now."""
    return f"{timestamps.for_file_names(clock)}-{sequence}-schema-{schema_version}-{reason}.db"


def parts_of(path: Path) -> NameParts:
    """Return the time, number, schema version and reason of a backup, as far as its name holds them."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return NameParts(timestamps.render(datetime.fromtimestamp(path.stat().st_mtime, UTC)), None, None, _UNKNOWN)
    year, month, day, hour, minute, second, sequence, version, reason = match.groups()
    moment = f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"
    return NameParts(moment, _number(sequence), _number(version), reason or _UNKNOWN)


def _number(digits: str | None) -> int | None:
    return None if digits is None else int(digits)
