"""Room for a new table, where another program has one of its name."""

import sqlite3

from sidecar.storage.resources.rows.names import quoted


def make_room(connection: sqlite3.Connection, table: str) -> None:
    """Rename a table that another program made under this name; its rows stay.

    Its indexes are removed: they keep their names, which the new table may need.
    """
    taken = {name for (name,) in connection.execute("SELECT lower(name) FROM sqlite_schema")}
    if table in taken:
        free = next(free for number in range(len(taken) + 1) if (free := f"adopted_{table}_{number}") not in taken)
        sql = "SELECT name FROM sqlite_schema WHERE type = 'index' AND lower(tbl_name) = ? AND sql IS NOT NULL"
        for (index,) in connection.execute(sql, (table,)).fetchall():
            connection.execute(f"DROP INDEX {quoted(index)}")
        connection.execute(f"ALTER TABLE {table} RENAME TO {free}")
