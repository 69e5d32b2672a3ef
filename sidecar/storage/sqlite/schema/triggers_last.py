"""A new database gets its triggers last.

Each `ALTER TABLE` makes SQLite parse every trigger again, which takes 3 ms once the guards are there. A new database
has no rows that a trigger could miss, so its triggers wait until all tables have their columns.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

_CREATE = re.compile(r'\s*CREATE TRIGGER "?(\w+)"?')
_DROP = re.compile(r'\s*DROP TRIGGER (?:IF EXISTS )?"?(\w+)"?')


@contextmanager
def triggers_last(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Yield the connection for migrations that make a new database; create their triggers at the end."""
    postponed = _Postponed(connection)
    yield cast("sqlite3.Connection", postponed)
    for statement in postponed.triggers.values():
        connection.execute(statement)


class _Postponed:
    """Executes what migrations execute, but keeps the triggers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.triggers: dict[str, str] = {}

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        created, dropped = _CREATE.match(sql), _DROP.match(sql)
        if created is not None:
            self.triggers[created[1]] = sql
        elif dropped is not None:
            self.triggers.pop(dropped[1], None)
        else:
            return self._connection.execute(sql, parameters)
        return self._connection.cursor()
