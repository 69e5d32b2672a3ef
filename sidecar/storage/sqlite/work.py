"""Units of work: what one is handed, and how a group of them becomes one commit.

Runs in the writer's thread, on its connection. Each unit has a savepoint of its own, all share one transaction and its
one sync to disk. A unit that fails is rolled back alone; when SQLite gave up the whole transaction, or the commit
fails, all fail (https://sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction").
"""

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from sidecar.clock import Clock
from sidecar.errors import SearchIndexDamaged
from sidecar.models import timestamps
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.interfaces import Change
from sidecar.storage.sqlite import idempotency, search_pending, transaction
from sidecar.storage.sqlite.encoding import any_text, met_undecodable_text
from sidecar.storage.sqlite.failures import reported

log = logging.getLogger(__name__)


class Work:
    """What a unit of work is handed: the connection, the time, and a way to tell what it did."""

    __slots__ = ("_now", "changes", "clock", "connection")

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self.connection = connection
        self.clock = clock
        self.changes: list[Change] = []
        self._now: str | None = None

    @property
    def now(self) -> str:
        """The time of the whole unit, in stored form: all that it writes has the same."""
        if self._now is None:
            self._now = timestamps.now(self.clock)
        return self._now

    def changed(self, topic: str, row_id: int | str, data: Mapping[str, Any] | None = None) -> None:
        """Note that a row was made, changed or removed; subscribers hear of it if and when it is committed."""
        self.changes.append(Change(topic, row_id, data))


Unit = Callable[[Work], Any]


class Submission(NamedTuple):
    """A unit of work as it waits for the writer."""

    unit: Unit
    key: IdempotencyKey | None = None
    returns: Any = None


class Outcome(NamedTuple):
    """What became of one unit, or of one query."""

    result: Any = None
    error: Exception | None = None
    changes: Sequence[Change] = ()


class _TransactionLost(Exception):
    """An error after which nothing of the transaction is kept, the other units included."""


def commit_together(connection: sqlite3.Connection, submissions: Sequence[Submission], clock: Clock) -> list[Outcome]:
    """Run all units in one transaction and commit it. Returns an outcome for each, in order; does not raise.

    Neither a damaged search index nor a text that is not UTF-8 is a reason for a unit to fail: the index is rebuilt,
    the text is read as bytes, and the units that met it run again.
    """
    outcomes = _commit(connection, submissions, clock)
    hurt = [number for number, outcome in enumerate(outcomes) if isinstance(outcome.error, SearchIndexDamaged)]
    if hurt and _makes_index_anew(connection):
        _run_again(connection, submissions, clock, outcomes, hurt)
    unread = [number for number, outcome in enumerate(outcomes) if _met_undecodable_text(outcome)]
    if unread:
        with any_text(connection):
            _run_again(connection, submissions, clock, outcomes, unread)
    return outcomes


def _met_undecodable_text(outcome: Outcome) -> bool:
    return outcome.error is not None and met_undecodable_text(outcome.error.__cause__)


def _run_again(
    connection: sqlite3.Connection,
    submissions: Sequence[Submission],
    clock: Clock,
    outcomes: list[Outcome],
    numbers: list[int],
) -> None:
    """Replace the outcomes of the units with these numbers by those of a second run."""
    again = _commit(connection, [submissions[number] for number in numbers], clock)
    for number, outcome in zip(numbers, again, strict=True):
        outcomes[number] = outcome


def _makes_index_anew(connection: sqlite3.Connection) -> bool:
    from sidecar.storage.sqlite import search_index  # which knows every domain, and they know this

    log.warning("the search index is damaged; it is made anew")
    try:
        search_index.mend(connection)
    except sqlite3.Error:
        log.exception("the search index cannot be made anew")
        return False
    return True


def _commit(connection: sqlite3.Connection, submissions: Sequence[Submission], clock: Clock) -> list[Outcome]:
    try:
        transaction.end_left_open(connection)
        connection.execute("BEGIN IMMEDIATE")
        is_behind = search_pending.is_any(connection)
        run = _run_alone if len(submissions) == 1 else _run_in_savepoint
        outcomes = [run(Work(connection, clock), submission) for submission in submissions]
        if not is_behind:  # otherwise units wait for the words of others
            search_pending.follow_few(connection)
        connection.execute("COMMIT")
    except Exception as failure:  # noqa: BLE001 - whatever it was, nothing is kept, and every caller is told
        with suppress(sqlite3.Error):  # the next transaction begins by ending this one
            transaction.end_left_open(connection)
        cause = failure.__cause__ if isinstance(failure, _TransactionLost) else None
        return [Outcome(error=reported(cause or failure)) for _ in submissions]
    return outcomes


def _run_alone(work: Work, submission: Submission) -> Outcome:
    """The only unit of its transaction needs no savepoint: what undoes it undoes all."""
    try:
        return Outcome(result=_run_once(work, submission), changes=work.changes)
    except Exception as error:
        raise _TransactionLost from error


def _run_in_savepoint(work: Work, submission: Submission) -> Outcome:
    connection = work.connection
    connection.execute("SAVEPOINT unit")
    try:
        result = _run_once(work, submission)
    except Exception as error:
        if not connection.in_transaction:
            raise _TransactionLost from error
        connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")
        return Outcome(error=reported(error))
    connection.execute("RELEASE unit")
    return Outcome(result=result, changes=work.changes)


def _run_once(work: Work, submission: Submission) -> Any:
    """The unit's result, or with a key that was used before, the result of that time."""
    key = submission.key
    if key is None:
        return submission.unit(work)
    remembered = idempotency.recall(work.connection, key)
    if remembered is not None:
        return idempotency.decode(remembered, submission.returns)
    result = submission.unit(work)
    idempotency.remember(work.connection, key, result, work.now)
    return result
