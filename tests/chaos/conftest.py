"""A connection of which any statement can be made to fail, in every place that opens one."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest


class Statements:
    """Counts the statements of all connections, from 1, and fails one of them as a full disk would."""

    def __init__(self) -> None:
        self.count = 0
        self._fails_at = 0

    def fail(self, number: int) -> None:
        """Let the statement with this number, from now, fail; 0 for none."""
        self.count, self._fails_at = 0, number

    def begin_one(self) -> None:
        self.count += 1
        if self.count == self._fails_at:
            failure = sqlite3.OperationalError("database or disk is full")
            failure.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise failure


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[Statements]:
    """Those of every connection that is opened from now on."""
    counted = Statements()

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            counted.begin_one()
            return super().execute(sql, parameters)

        def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
            counted.begin_one()
            return super().executemany(sql, parameters)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *words, **named: connect(*words, factory=Connection, **named))
    yield counted
    counted.fail(0)
