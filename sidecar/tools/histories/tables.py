"""Databases of other programs, whose tables and columns differ by version."""

import sqlite3


def table_names(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the tables."""
    return {name for (name,) in map(tuple, connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"))}


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of a table's columns; none if there is no such table."""
    return {row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')}


def rows_by(connection: sqlite3.Connection, table: str, column: str) -> dict[str, list[int]]:
    """Return the row ids of a table by the values of a column that has no index."""
    found: dict[str, list[int]] = {}
    if column in columns_of(connection, table):
        for value, rowid in connection.execute(f'SELECT "{column}", rowid FROM "{table}" ORDER BY rowid'):
            if isinstance(value, str):
                found.setdefault(value, []).append(rowid)
    return found
