"""Exactly once: the results of units of work, stored with them in the same transaction, by idempotency key.

A result above `LARGE_BYTES` is kept whole as long as it is among the newest `KEPT_BYTES` of such results: a caller that
repeats a request after a crash asks for an answer of seconds ago. After that only the key and the id in the result are
kept, and a repeated request raises `AlreadyDone`. Nothing is done again for want of the answer.

Work that is no single unit, such as a backup, stores a plan under its key before it begins. Repeated after a crash, it
finds the plan and continues.
"""

import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from sidecar.errors import AlreadyDone, Conflict
from sidecar.models.idempotency import IdempotencyKey

LARGE_BYTES = 1024
"""Size above which a result counts towards `KEPT_BYTES`; most records of an app are smaller."""

KEPT_BYTES = 8 * 1024 * 1024
"""Bytes of large results that are kept whole, the newest first. The newest one is, whatever its size."""

PLANNED = "planned"
EXPIRED = "expired"
"""Values of the column `state`; it is NULL for a result that is kept whole."""

NEWEST_END = "SELECT ends_at FROM idempotency_keys WHERE begins_at IS NOT NULL ORDER BY begins_at DESC LIMIT 1"
EXPIRING = "SELECT key FROM idempotency_keys WHERE begins_at < ? AND key != ?"

_STORE = """
    INSERT OR REPLACE INTO idempotency_keys (key, fingerprint, result, created_at, begins_at, ends_at)
    VALUES (?, ?, ?, ?, ?, ?)
"""
_STORE_PLAN = f"""
    INSERT OR REPLACE INTO idempotency_keys (key, fingerprint, result, created_at, state)
    VALUES (?, ?, ?, ?, '{PLANNED}')
"""
_OUTLIVING = "key, fingerprint, result, created_at, outlives_restore"


def recall(connection: sqlite3.Connection, key: IdempotencyKey) -> str | None:
    """Return the stored result, as JSON, of the work that was done under `key`; `None` if none was.

    Raises `AlreadyDone` when it was done and its result has expired, `Conflict` when the key was used for a request
    with another content.
    """
    found = _find(connection, key)
    if found is None or found[1] == PLANNED:
        return None
    result, state = found
    if state == EXPIRED:
        raise AlreadyDone.under_its_key(from_json(result))
    return result


def remember(connection: sqlite3.Connection, key: IdempotencyKey, result: Any, now: str) -> None:
    """Store `result` under `key`, in the transaction of the unit that made it."""
    content = to_json(result)
    begins_at = ends_at = None
    if len(content) > LARGE_BYTES:
        # The place that it would have if all large ones were written one after the other: what is too far back is
        # found by it without adding anything up.
        newest = connection.execute(NEWEST_END).fetchone()
        begins_at = newest[0] if newest else 0
        ends_at = begins_at + len(content)
    connection.execute(_STORE, (key.value, key.fingerprint, content.decode(), now, begins_at, ends_at))
    if ends_at is not None:
        for (expiring,) in connection.execute(EXPIRING, (ends_at - KEPT_BYTES, key.value)).fetchall():
            _expire(connection, expiring)


def remember_across_restores(connection: sqlite3.Connection, key: IdempotencyKey, result: Any, now: str) -> None:
    """Store the result of work whose effect is not in the rows: a restore carries it into the store that it makes."""
    carry_over(connection, [(key.value, key.fingerprint, to_json(result).decode(), now, 1)])


def plan(connection: sqlite3.Connection, key: IdempotencyKey, planned: Any, now: str) -> None:
    """Store what is going to be done under `key`, in place of what was stored under it before."""
    connection.execute(_STORE_PLAN, (key.value, key.fingerprint, to_json(planned).decode(), now))


def planned(connection: sqlite3.Connection, key: IdempotencyKey) -> Any:
    """Return what `plan` stored, or `None`. Raises `Conflict` as `recall` does."""
    found = _find(connection, key)
    return from_json(found[0]) if found is not None and found[1] == PLANNED else None


def outliving(connection: sqlite3.Connection) -> Sequence[tuple[Any, ...]]:
    """Return the rows that a restore carries over."""
    sql = f"SELECT {_OUTLIVING} FROM idempotency_keys WHERE outlives_restore"
    return [tuple(row) for row in connection.execute(sql).fetchall()]


def stored_under(connection: sqlite3.Connection, key: IdempotencyKey) -> list[tuple[Any, ...]]:
    """Return the row of a key in the form of those that a restore carries over; none if nothing is stored under it."""
    sql = "SELECT key, fingerprint, result, created_at, 1 FROM idempotency_keys WHERE key = ?"
    return [tuple(row) for row in connection.execute(sql, (key.value,)).fetchall()]


def carry_over(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Store rows that `outliving` found in another store."""
    sql = f"INSERT OR REPLACE INTO idempotency_keys ({_OUTLIVING}) VALUES (?, ?, ?, ?, ?)"
    for row in rows:
        connection.execute(sql, row)


def decode(result: str, returns: Any) -> Any:
    """A stored result as the type that the unit returns."""
    return _adapter(returns).validate_json(result)


def _find(connection: sqlite3.Connection, key: IdempotencyKey) -> tuple[str, str | None] | None:
    sql = "SELECT fingerprint, result, state FROM idempotency_keys WHERE key = ?"
    row = connection.execute(sql, (key.value,)).fetchone()
    if row is None:
        return None
    fingerprint, result, state = row
    if fingerprint != key.fingerprint:
        raise Conflict("This Idempotency-Key was already used for another request; use a new key for each change.")
    return result, state


def _expire(connection: sqlite3.Connection, key: str) -> None:
    (result,) = connection.execute("SELECT result FROM idempotency_keys WHERE key = ?", (key,)).fetchone()
    sql = "UPDATE idempotency_keys SET result = ?, state = ?, begins_at = NULL, ends_at = NULL WHERE key = ?"
    connection.execute(sql, (_reference(result), EXPIRED, key))


def _reference(result: str) -> str:
    """Return the id in a result, as JSON; `null` if it has none."""
    try:
        value = from_json(result)
    except ValueError:  # another program's
        value = None
    named = value.get("id") if isinstance(value, dict) else None
    return to_json(named if isinstance(named, int | str) else None).decode()


@cache
def _adapter(returns: Any) -> TypeAdapter[Any]:
    return TypeAdapter(returns)
