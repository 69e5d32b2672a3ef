"""Units of work: the argument of one, and how a group of them becomes one commit.

Runs in the writer's thread, on its connection. Each unit has a savepoint of its own, all share one transaction and its
one sync to disk. A unit that fails is rolled back alone; when SQLite gave up the whole transaction, or the commit
fails, all fail (https://sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction").
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeVar

from sidecar.clock import Clock
from sidecar.errors import SearchIndexDamaged
from sidecar.models import timestamps
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.interfaces import Change
from sidecar.storage.sqlite.engine import idempotency, transaction
from sidecar.storage.sqlite.engine.encoding import any_text, met_undecodable_text
from sidecar.storage.sqlite.engine.errors import with_cause

T = TypeVar("T")

ROWS_AT_ONCE = 32
"""Rows of one statement where many are inserted: one alone costs almost twice as much, more at once gain nothing."""


class Hooks(Protocol):
    """The part of each commit that follows the rows, such as a search index. The backend hands it to `Database`."""

    def before_units(self, connection: sqlite3.Connection) -> Callable[[], None]:
        """Called when a transaction has begun; returns what is called before its commit."""

    def repair(self, connection: sqlite3.Connection) -> bool:
        """Repair what units met damaged, as a transaction of its own; return whether they can run again."""


class NoHooks:
    """The hooks of a database that nothing follows."""

    def before_units(self, connection: sqlite3.Connection) -> Callable[[], None]:  # noqa: ARG002
        return _nothing

    def repair(self, connection: sqlite3.Connection) -> bool:  # noqa: ARG002
        return False


def _nothing() -> None:
    pass


NO_HOOKS = NoHooks()


class SQLiteWork:
    """The argument of a unit of work: see `sidecar.storage.interfaces.Work`."""

    __slots__ = ("_by", "_now", "changes", "clock", "connection")

    def __init__(self, connection: sqlite3.Connection, clock: Clock, by: str | None = None) -> None:
        self.connection = connection
        self.clock = clock
        self.changes: list[Change] = []
        self._now: str | None = None
        self._by = by

    @property
    def now(self) -> str:
        """The time of the whole unit, in stored form: all that it writes has the same."""
        if self._now is None:
            self._now = timestamps.now(self.clock)
        return self._now

    def changed(self, topic: str, row_id: int | str, data: Mapping[str, Any] | None = None) -> None:
        """Report that a row was made, changed or removed; subscribers hear of it if and when it is committed."""
        self.changes.append(Change(topic, row_id, data, self._by))

    def insert_many(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert rows that all have the same columns; return their ids, in order."""
        for start in range(0, len(rows), ROWS_AT_ONCE):
            group = rows[start : start + ROWS_AT_ONCE]
            sql = _insert_many_sql(table, tuple(group[0]), len(group))
            self.connection.execute(sql, tuple(chain.from_iterable(row.values() for row in group)))
        # AUTOINCREMENT gives each row the id after the largest ever, and nobody else writes in this transaction. Rows
        # that triggers insert do not count once these end (https://sqlite.org/c3ref/last_insert_rowid.html).
        (last,) = self.connection.execute("SELECT last_insert_rowid()").fetchone()
        return list(range(last - len(rows) + 1, last + 1))

    def next_ids(self, table: str, count: int) -> Sequence[int]:
        """Return, in order, the ids of rows that this unit is going to insert: rows that refer to each other."""
        # Those that AUTOINCREMENT is going to choose, since nobody else writes in this transaction.
        sql = f"""
            SELECT max(
                coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0),
                coalesce((SELECT max(id) FROM {table}), 0)
            )
        """
        (last,) = self.connection.execute(sql, (table,)).fetchone()
        return range(last + 1, last + count + 1)

    def ever_held_a_row(self, table: str) -> bool:
        """Return whether the table holds a row, or held one that was removed."""
        # AUTOINCREMENT leaves a row here as soon as a table has ever held one, whatever became of it.
        sql = "SELECT 1 FROM sqlite_sequence WHERE name = ?"
        return self.connection.execute(sql, (table,)).fetchone() is not None

    def recall(self, key: IdempotencyKey, returns: type[T]) -> T | None:
        """Return the result that is stored under `key`; `None` if there is none. Raises `AlreadyDone`, `Conflict`."""
        result = idempotency.recall(self.connection, key)
        return None if result is None else idempotency.decode(result, returns)

    def plan(self, key: IdempotencyKey, planned: Any) -> None:
        """Store what is going to be done under `key`, for a call after a crash."""
        idempotency.plan(self.connection, key, planned, self.now)

    def planned(self, key: IdempotencyKey) -> Any:
        """Return what `plan` stored, or `None`. Raises `Conflict`."""
        return idempotency.planned(self.connection, key)


@cache
def _insert_many_sql(table: str, columns: tuple[str, ...], count: int) -> str:
    row = f"({', '.join('?' for _ in columns)})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * count)}"


Unit = Callable[[SQLiteWork], Any]


class Submission(NamedTuple):
    """A unit of work as it waits for the writer."""

    unit: Unit
    key: IdempotencyKey | None = None
    returns: Any = None
    by: str | None = None
    """The task that submits it; see `CHANGED_BY`."""


class UnitResult(NamedTuple):
    """The result of one unit, or of one query: a value or an error."""

    result: Any = None
    error: Exception | None = None
    changes: Sequence[Change] = ()
    is_change: bool = False
    """True if the unit changed rows, and is no bookkeeping."""


class _TransactionLost(Exception):
    """An error after which nothing of the transaction is kept, the other units included."""


def commit_together(
    connection: sqlite3.Connection, submissions: Sequence[Submission], clock: Clock, hooks: Hooks
) -> list[UnitResult]:
    """Run all units in one transaction and commit it. Return a result for each, in order; does not raise.

    Neither a damaged search index nor a text that is not UTF-8 is a reason for a unit to fail: the index is rebuilt,
    the text is read as bytes, and the units that met it run again.
    """
    results = _commit(connection, submissions, clock, hooks)
    hurt = [number for number, result in enumerate(results) if isinstance(result.error, SearchIndexDamaged)]
    if hurt and hooks.repair(connection):
        _run_again(connection, submissions, clock, hooks, results, hurt)
    unread = [number for number, result in enumerate(results) if _met_undecodable_text(result)]
    if unread:
        with any_text(connection):
            _run_again(connection, submissions, clock, hooks, results, unread)
    return results


def _met_undecodable_text(result: UnitResult) -> bool:
    return result.error is not None and met_undecodable_text(result.error.__cause__)


def _run_again(
    connection: sqlite3.Connection,
    submissions: Sequence[Submission],
    clock: Clock,
    hooks: Hooks,
    results: list[UnitResult],
    numbers: list[int],
) -> None:
    """Replace the results of the units with these numbers by those of a second run."""
    again = _commit(connection, [submissions[number] for number in numbers], clock, hooks)
    for number, result in zip(numbers, again, strict=True):
        results[number] = result


def _commit(
    connection: sqlite3.Connection, submissions: Sequence[Submission], clock: Clock, hooks: Hooks
) -> list[UnitResult]:
    try:
        transaction.end_left_open(connection)
        connection.execute("BEGIN IMMEDIATE")
        before_commit = hooks.before_units(connection)
        run = _run_alone if len(submissions) == 1 else _run_in_savepoint
        results = [run(SQLiteWork(connection, clock, submission.by), submission) for submission in submissions]
        before_commit()
        connection.execute("COMMIT")
    except Exception as failure:  # noqa: BLE001 - whatever it was, nothing is kept, and every caller gets it
        with suppress(sqlite3.Error):  # the next transaction begins by ending this one
            transaction.end_left_open(connection)
        cause = failure.__cause__ if isinstance(failure, _TransactionLost) else None
        return [UnitResult(error=with_cause(cause or failure)) for _ in submissions]
    return results


def _run_alone(work: SQLiteWork, submission: Submission) -> UnitResult:
    """The only unit of its transaction needs no savepoint: what undoes it undoes all."""
    before = work.connection.total_changes
    try:
        result = run_once(work, submission)
        return UnitResult(result, None, work.changes, _is_change(work, submission, before))
    except Exception as error:
        raise _TransactionLost from error


def _run_in_savepoint(work: SQLiteWork, submission: Submission) -> UnitResult:
    connection = work.connection
    connection.execute("SAVEPOINT unit")
    before = connection.total_changes
    try:
        result = run_once(work, submission)
    except Exception as error:
        if not connection.in_transaction:
            raise _TransactionLost from error
        connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")
        return UnitResult(error=with_cause(error))
    connection.execute("RELEASE unit")
    return UnitResult(result, None, work.changes, _is_change(work, submission, before))


def _is_change(work: SQLiteWork, submission: Submission, before: int) -> bool:
    return work.connection.total_changes != before and not getattr(submission.unit, "is_bookkeeping", False)


def run_once(work: SQLiteWork, submission: Submission) -> Any:
    """Return the unit's result; with a key that was used before, the result of that time."""
    key = submission.key
    if key is None:
        return submission.unit(work)
    remembered = idempotency.recall(work.connection, key)
    if remembered is not None:
        return idempotency.decode(remembered, submission.returns)
    result = submission.unit(work)
    idempotency.remember(work.connection, key, result, work.now)
    return result
