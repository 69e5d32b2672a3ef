"""The index by which old idempotency keys are found."""

import sqlite3


def migrate(connection: sqlite3.Connection) -> None:
    """Add it."""
    connection.execute("CREATE INDEX idx_idempotency_keys_created_at ON idempotency_keys (created_at)")
