"""Exactly once: the results of units of work, stored with them in the same transaction, by idempotency key."""

import sqlite3
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from sidecar.errors import Conflict
from sidecar.models import timestamps
from sidecar.models.idempotency import IdempotencyKey


def recall(connection: sqlite3.Connection, key: IdempotencyKey) -> str | None:
    """The stored result, as JSON, of the unit that ran under `key`; `None` if none did.

    Raises `Conflict` when the key was used for a request with another content.
    """
    row = connection.execute("SELECT fingerprint, result FROM idempotency_keys WHERE key = ?", (key.value,)).fetchone()
    if row is None:
        return None
    fingerprint, result = row
    if fingerprint != key.fingerprint:
        raise Conflict("This Idempotency-Key was already used for another request; use a new key for each change.")
    return str(result)


def remember(connection: sqlite3.Connection, key: IdempotencyKey, result: Any) -> None:
    """Store `result` under `key`, in the transaction of the unit that made it."""
    connection.execute(
        "INSERT INTO idempotency_keys (key, fingerprint, result, created_at) VALUES (?, ?, ?, ?)",
        (key.value, key.fingerprint, to_json(result).decode(), timestamps.now()),
    )


def decode(result: str, returns: Any) -> Any:
    """A stored result as the type that the unit returns."""
    return _adapter(returns).validate_json(result)


@cache
def _adapter(returns: Any) -> TypeAdapter[Any]:
    return TypeAdapter(returns)
