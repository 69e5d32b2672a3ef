"""What a truth about hostile rows consists of."""

from dataclasses import dataclass, field
from typing import Any

from sidecar.models.adoption import AdoptionReport

UNKNOWN = "1970-01-01T00:00:00.000Z"
"""Stands for a time that a row must have and has not."""
UTC_TIME, UTC_STORED = "2025-06-01 08:00:00", "2025-06-01T08:00:00.000Z"
"""A `CURRENT_TIMESTAMP`, and its stored form."""

JSON_COLUMNS = {"resources", "messages", "cache_info", "cost", "metadata"}
"""Columns that are compared as what their JSON says."""


@dataclass
class Truth:
    """Statements that write rows as a system did, and what adoption must make of them."""

    statements: list[str] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """All rows of our tables, by table and key."""
    set_aside: list[tuple[str, bool, str]] = field(default_factory=list)
    """The table of each row that is set aside, whether it is in its place too, and the first word of the reason."""
    report: AdoptionReport = field(default_factory=AdoptionReport)


def listed(columns: str, *rows: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Rows by the names of their columns."""
    return [dict(zip(columns.split(), row, strict=True)) for row in rows]
