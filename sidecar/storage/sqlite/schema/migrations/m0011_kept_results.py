"""Bounded results of idempotency keys, plans, and keys that outlive a restore.

`state` is NULL for a result that is kept whole, `planned` for work that has begun, `expired` where only the id in the
left. `begins_at` and `ends_at` are set for large results that are kept whole: the place that each would have if all
were written one after the other. `outlives_restore` marks work whose effect is not in the rows.

Results of before are counted like new ones, and those beyond the budget expire. See `idempotency.py`, whose constants
these were when this migration was released.
"""

import json
import sqlite3

LARGE_BYTES = 1024
KEPT_BYTES = 8 * 1024 * 1024


def migrate(connection: sqlite3.Connection) -> None:
    """Add the columns and their index, and expire what is beyond the budget."""
    for column in ("state TEXT", "begins_at INTEGER", "ends_at INTEGER", "outlives_restore BOOLEAN NOT NULL DEFAULT 0"):
        connection.execute(f"ALTER TABLE idempotency_keys ADD COLUMN {column}")
    connection.execute(
        "CREATE INDEX idx_idempotency_keys_place ON idempotency_keys (begins_at, ends_at) WHERE begins_at IS NOT NULL"
    )
    sizes = "SELECT key, length(CAST(result AS BLOB)) FROM idempotency_keys ORDER BY created_at, key"
    large = [(key, size) for key, size in connection.execute(sizes).fetchall() if size > LARGE_BYTES]
    kept, place = sum(size for _, size in large), 0
    for number, (key, size) in enumerate(large):
        if kept > KEPT_BYTES and number < len(large) - 1:
            _expire(connection, key)
            kept -= size
        else:
            sql = "UPDATE idempotency_keys SET begins_at = ?, ends_at = ? WHERE key = ?"
            connection.execute(sql, (place, place + size, key))
            place += size


def _expire(connection: sqlite3.Connection, key: str) -> None:
    (result,) = connection.execute("SELECT result FROM idempotency_keys WHERE key = ?", (key,)).fetchone()
    try:
        value = json.loads(result)
    except ValueError:
        value = None
    row_id = value.get("id") if isinstance(value, dict) else None
    kept = json.dumps(row_id if isinstance(row_id, int | str) else None)
    connection.execute("UPDATE idempotency_keys SET result = ?, state = 'expired' WHERE key = ?", (kept, key))
