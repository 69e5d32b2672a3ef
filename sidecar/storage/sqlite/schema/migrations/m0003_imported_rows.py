"""Tables for imports: they map each row of another store to its row here.

`imported_rows` stays: it is how a second import of the same archive knows its rows again. `store_identity` tells
stores apart whose rows happen to have the same ids and times; copies of a file share it. `import_ids` holds rows only
inside an import's own transaction; it is a table of the file and not a temporary one so that it needs no memory.
"""

import sqlite3


def migrate(connection: sqlite3.Connection) -> None:
    """Add them."""
    for statement in STATEMENTS:
        connection.execute(statement)


STATEMENTS = (
    """
    CREATE TABLE imported_rows (
        kind TEXT NOT NULL,
        identity BLOB NOT NULL,
        row_id INTEGER NOT NULL,
        PRIMARY KEY (kind, identity)
    ) WITHOUT ROWID
    """,
    "CREATE TABLE store_identity (id TEXT NOT NULL)",
    "INSERT INTO store_identity VALUES (lower(hex(randomblob(16))))",
    """
    CREATE TABLE import_ids (
        kind TEXT NOT NULL,
        source_id NOT NULL,
        row_id NOT NULL,
        is_added BOOLEAN NOT NULL,
        PRIMARY KEY (kind, source_id)
    ) WITHOUT ROWID
    """,
)
