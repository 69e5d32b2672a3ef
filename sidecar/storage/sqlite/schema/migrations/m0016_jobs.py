"""Jobs: durable long work."""

import sqlite3

from sidecar.storage.sqlite.schema.making_room import make_room
from sidecar.storage.sqlite.schema.migrations.m0010_guards import Guarded, add_for

NOW = "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"

STATEMENTS = (
    f"""
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'queued',
        arguments JSON TEXT,
        done INTEGER NOT NULL DEFAULT 0,
        total INTEGER,
        message TEXT,
        result JSON TEXT,
        error TEXT,
        error_code TEXT,
        is_cancelling BOOLEAN NOT NULL DEFAULT 0,
        is_repeatable BOOLEAN NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        crashes INTEGER NOT NULL DEFAULT 0,
        run TEXT,
        created_at DATETIME NOT NULL DEFAULT {NOW},
        started_at DATETIME,
        finished_at DATETIME
    )
    """,
    "CREATE INDEX idx_jobs_created_at ON jobs (created_at)",
    "CREATE INDEX idx_jobs_status ON jobs (status, created_at)",
    "CREATE INDEX idx_jobs_name ON jobs (name, created_at)",
    # The queue, however many jobs have been: the first of a kind is found at once.
    "CREATE INDEX idx_jobs_queue ON jobs (name, id) WHERE status = 'queued'",
    "CREATE INDEX idx_jobs_finished_at ON jobs (finished_at) WHERE finished_at IS NOT NULL",
)

GUARDED = Guarded(
    "jobs",
    "created_at started_at? finished_at?",
    counts="done attempts failures crashes",
    booleans="is_cancelling is_repeatable",
)


def migrate(connection: sqlite3.Connection) -> None:
    """Add the table with its guards."""
    make_room(connection, "jobs")
    for statement in STATEMENTS:
        connection.execute(statement)
    add_for(connection, GUARDED, "all")
