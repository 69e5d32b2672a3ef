"""Monitoring is listed by time and then by id, as every list is; the unique indexes continue with a name instead."""

import sqlite3


def migrate(connection: sqlite3.Connection) -> None:
    """Add an index for that to each of its tables."""
    for table in ("token_usage", "stage_timing", "data_stats"):
        connection.execute(f"CREATE INDEX idx_{table}_listed ON monitoring_{table} (time_bucket)")
