"""Rows that were set aside, and reports of adoptions, as tables that every database has.

`adopted_orphans` was made when its first row came; then it gets the columns that it lacks. Of rows in it without an
`adoption_id`, the store's own adoption is the one.
"""

import sqlite3

TABLE = """
CREATE TABLE IF NOT EXISTS adopted_orphans (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name TEXT NOT NULL,
    row JSON TEXT NOT NULL,
    reason TEXT NOT NULL,
    is_carried BOOLEAN NOT NULL,
    created_at DATETIME NOT NULL
)
"""

COLUMNS = {
    "origin": "TEXT NOT NULL DEFAULT 'adoption'",
    "acknowledged_at": "DATETIME",
    "adoption_id": "INTEGER",
}

STATEMENTS = (
    # An older recovery's reasons, and its rows, are known by their form.
    """
    UPDATE adopted_orphans SET origin = 'recovery'
    WHERE reason LIKE '%: the row it belongs to is lost' OR row LIKE '{"rowid": %'
    """,
    "CREATE INDEX idx_adopted_orphans_table_name ON adopted_orphans (table_name)",
    """
    CREATE INDEX idx_adopted_orphans_not_acknowledged ON adopted_orphans (table_name)
    WHERE acknowledged_at IS NULL
    """,
    """
    CREATE TABLE adoptions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        system TEXT NOT NULL,
        source TEXT NOT NULL,
        time_zone TEXT NOT NULL,
        adopted_at DATETIME NOT NULL,
        report JSON TEXT NOT NULL
    )
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Make both tables."""
    make_table(connection)
    for statement in STATEMENTS:
        connection.execute(statement)


def make_table(connection: sqlite3.Connection) -> None:
    """Make the table `adopted_orphans` where it is not there, or add the columns that an older one lacks."""
    connection.execute(TABLE)
    there = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('adopted_orphans')").fetchall()}
    for name, declared in COLUMNS.items():
        if name not in there:
            connection.execute(f"ALTER TABLE adopted_orphans ADD COLUMN {name} {declared}")
