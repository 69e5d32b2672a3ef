"""Room for a new table, where another program has one of its name."""

import sqlite3


def make_room(connection: sqlite3.Connection, table: str) -> None:
    """Rename a table that another program made under this name; its rows stay."""
    taken = {name for (name,) in connection.execute("SELECT lower(name) FROM sqlite_schema")}
    if table in taken:
        free = next(free for number in range(len(taken) + 1) if (free := f"adopted_{table}_{number}") not in taken)
        connection.execute(f"ALTER TABLE {table} RENAME TO {free}")
