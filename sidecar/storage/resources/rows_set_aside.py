"""Rows that are set aside: the table `adopted_orphans` keeps them apart from their tables, each with the reason.

An adoption sets rows aside, and so do a recovery, an import and a repair.
"""

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sidecar.storage.interfaces import Connection

ORPHANS = "adopted_orphans"
TOPIC = "adoption"

Origin = Literal["adoption", "recovery", "import", "repair"]

_BYTES, _REAL = "base64", "real"


def keep(
    connection: Connection,
    table: str,
    row: Mapping[str, Any],
    reason: str,
    now: str,
    *,
    is_carried: bool = False,
    origin: Origin = "adoption",
) -> None:
    """Set the row aside as it was at `now`; with `is_carried`, the row is also in its table with other values."""
    connection.execute(
        f"INSERT INTO {ORPHANS} (table_name, row, reason, is_carried, created_at, origin) VALUES (?, ?, ?, ?, ?, ?)",
        (table, as_json(row), reason, is_carried, now, origin),
    )


def unreadable(names: Iterable[str]) -> str:
    """Return the reason for which a row with unreadable values in these columns is set aside."""
    return "; ".join(f"{name}: the value cannot be read" for name in names)


def as_json(row: Mapping[str, Any]) -> str:
    """Return a row as JSON text: bytes are `{"base64": "…"}`, and an infinite number is `{"real": "inf"}`."""
    return json.dumps(as_json_values(row), ensure_ascii=False)


def as_json_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a row as those of a JSON object."""
    return {name: _json_value(value) for name, value in row.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_BYTES: b64encode(value).decode()}
    return {_REAL: str(value)} if isinstance(value, float) and not math.isfinite(value) else value


def shown(text: str) -> dict[str, Any]:
    """Return the row that `as_json` wrote, as JSON for an answer; any other text is returned inside an object."""
    try:
        row = json.loads(text, parse_constant=lambda name: {_REAL: name})
    except (ValueError, TypeError, RecursionError):
        return {"text": str(text)}
    return row if isinstance(row, dict) else {"value": row}


def stored(text: str) -> dict[str, Any]:
    """Return the row that `as_json` wrote, with the values that it had in its table."""
    return stored_values(shown(text))


def stored_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that `as_json_values` made JSON of."""
    return {name: _stored_value(value) for name, value in row.items()}


def _stored_value(value: Any) -> Any:
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((kind, text),) = value.items()
    try:
        if kind == _BYTES:
            return b64decode(text, validate=True)
        return float(text) if kind == _REAL else value
    except (ValueError, TypeError):
        return value
