"""Recognition of a database by its tables, as that of one of the seeds' systems.

Every start with a file that is not ours yet asks for it; the rest of adoption is imported only when it is due.
"""

import sqlite3

from sidecar.storage.resources.rows.names import folded

MINECONTEXT, VMPILOT = "minecontext", "vmpilot"
MARKS = (
    (
        MINECONTEXT,
        {
            "vaults": {"id", "title", "content"},
            "todo": {"id", "content", "status"},
            "activity": {"id", "title", "content"},
        },
    ),
    (VMPILOT, {"chats": {"id", "initial_request"}, "chat_histories": {"chat_id", "messages", "cache_info"}}),
    (VMPILOT, {"chats": {"chat_id", "initial_request", "messages", "cache_info"}}),
)
"""For each form of a system's database: the tables and columns by which it is recognised."""

_HISTORY = {"version", "name", "applied_at", "program_version"}
"""The columns of `schema_migrations`, which only our databases have."""


def is_seeds(connection: sqlite3.Connection) -> bool:
    """Return whether one of the seeds' systems made this database."""
    return maker(connection) is not None


def maker(connection: sqlite3.Connection) -> str | None:
    """Return the name of the seeds' system that made this database, or `None`.

    Their databases are recognised by nothing but their tables: `application_id` and `user_version` may be those of
    another tool.
    """
    if columns_of(connection, "schema_migrations") >= _HISTORY:
        return None
    for system, tables in MARKS:
        if all(columns <= columns_of(connection, table) for table, columns in tables.items()):
            return system
    return None


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the folded names of a table's columns; none when it is not there, or not a table."""
    sql = """
        SELECT info.name FROM sqlite_schema AS entry, pragma_table_info(entry.name) AS info
        WHERE entry.type = 'table' AND lower(entry.name) = ?
    """
    return {folded(name) for (name,) in connection.execute(sql, (table,))}
