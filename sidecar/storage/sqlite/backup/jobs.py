"""Jobs in a file that is about to become the store: unfinished ones, and the job of a restore itself."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import to_json

from sidecar.clock import Clock
from sidecar.models.jobs import JobStatus
from sidecar.storage.capabilities import RestoreJob
from sidecar.storage.resources.jobs import STORE_REPAIRED, STORE_RESTORED, interrupt_all
from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.sqlite.engine import idempotency
from sidecar.storage.sqlite.engine.transaction import transaction
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork


class OwnJob(NamedTuple):
    """The row of a restore's job, with the row of the key that leads to it, in the store that is replaced."""

    columns: dict[str, Any]
    keys: list[tuple[Any, ...]]


def read_own(connection: sqlite3.Connection, job: RestoreJob | None) -> OwnJob | None:
    """Return the rows of the job; `None` without one."""
    if job is None:
        return None
    row = connection.execute("SELECT * FROM jobs WHERE id = ?", (job.id,)).fetchone()
    if row is None:
        return None
    return OwnJob(dict(row), [] if job.key is None else idempotency.stored_under(connection, job.key))


def settle(connection: sqlite3.Connection, clock: Clock, own: OwnJob | None = None, restored: Any = None) -> None:
    """Interrupt the unfinished jobs of the copy, and store the own one as done, in the transaction that is open."""
    work = SQLiteWork(connection, clock)
    interrupt_all(work, STORE_RESTORED)
    if own is None:
        return
    # Callers know the job by its id. A job of the backup that has the same id gets another one.
    connection.execute("UPDATE jobs SET id = (SELECT max(id) + 1 FROM jobs) WHERE id = ?", (own.columns["id"],))
    outcome = {"status": JobStatus.DONE, "result": to_json(restored).decode(), "finished_at": work.now, "run": None}
    columns = {**own.columns, **outcome}
    names, values = ", ".join(map(quoted, columns)), ", ".join("?" for _ in columns)
    connection.execute(f"INSERT INTO jobs ({names}) VALUES ({values})", tuple(columns.values()))
    idempotency.carry_over(connection, own.keys)


def interrupt_in(file: Path, clock: Clock) -> None:
    """Interrupt the unfinished jobs of a file that a recovery has made: they may have been done since the backup."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        with transaction(connection):
            interrupt_all(SQLiteWork(connection, clock), STORE_REPAIRED)
