"""Queries: what a reader does with those that waited for it together, in its thread."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sidecar.clock import Clock
from sidecar.storage.sqlite.engine import transaction
from sidecar.storage.sqlite.engine.encoding import any_text, met_undecodable_text
from sidecar.storage.sqlite.engine.errors import with_cause
from sidecar.storage.sqlite.engine.unit_of_work import UnitResult

T = TypeVar("T")

Query = Callable[[sqlite3.Connection], Any]

LONGEST_GROUP_S = 0.003
"""After so long, those that are done get their answers before the others have their turn."""


def read_together(connection: sqlite3.Connection, queries: Sequence[Query], clock: Clock) -> list[UnitResult]:
    """The outcomes of the queries, in order, or of the first ones, when those took long. Does not raise.

    Each sees a moment of its own, which begins with its first statement: the vector cache takes note of what has
    changed before that, and must then be able to read it.
    """
    until = clock.monotonic() + LONGEST_GROUP_S
    outcomes: list[UnitResult] = []
    for query in queries:
        outcomes.append(_outcome(connection, query))
        if clock.monotonic() > until:
            break
    return outcomes


def in_one_snapshot(connection: sqlite3.Connection, query: Callable[[sqlite3.Connection], T]) -> T:
    """Return the result of `query`; everything that it reads belongs to one moment."""
    transaction.end_left_open(connection)
    connection.execute("BEGIN")
    try:
        return query(connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _outcome(connection: sqlite3.Connection, query: Query) -> UnitResult:
    try:
        return UnitResult(result=in_one_snapshot(connection, query))
    except Exception as error:  # noqa: BLE001 - whoever asked is told
        if met_undecodable_text(error) and connection.text_factory is str:
            with any_text(connection):
                return _outcome(connection, query)
        return UnitResult(error=with_cause(error))
