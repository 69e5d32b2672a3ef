"""The guards of a database, whichever migrations added them: triggers that keep values out that nobody can read."""

import sqlite3
from collections.abc import Iterable


def remove(connection: sqlite3.Connection) -> list[str]:
    """Remove the guards, for a recovery that puts rows back as they were; return the statements that made them."""
    sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'guard\\_%' ESCAPE '\\'"
    found = connection.execute(sql).fetchall()
    for name, _ in found:
        connection.execute(f'DROP TRIGGER "{name}"')
    return [statement for _, statement in found]


def add_again(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    """Add guards that were removed."""
    for statement in statements:
        connection.execute(statement)
