"""A transaction of plain code on a connection of its own, as at a start. `unit_of_work.py` has those of units."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of what is done inside, or nothing."""
    end_left_open(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # After some errors, SQLite has rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def end_left_open(connection: sqlite3.Connection) -> None:
    """Roll back a transaction whose own rollback failed; else none could begin on this connection again."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
