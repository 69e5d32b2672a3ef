"""Jobs: the table `jobs`.

A row that is running names its *run*: the runner that executes it, and the number of the execution. Whoever reports on
a job names the run, so that a report of an execution that is over, or that belongs to a store which a restore has
replaced, changes nothing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any

from sidecar.errors import Conflict
from sidecar.errors.jobs import JobInterrupted
from sidecar.models.base import Identifier, ShortText
from sidecar.models.events import JOBS_TOPIC
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.jobs import LONGEST_MESSAGE, MAX_JOB_JSON_BYTES, Job, JobName, JobPage, JobProgress, JobStatus
from sidecar.storage.arguments import ANY_VALUE, DEFAULT_LIMIT, JsonObject
from sidecar.storage.interfaces import Connection, Work, bookkeeping
from sidecar.storage.resources.rows.columns import boolean, choice, integer, json_object, json_value, text, time
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where
from sidecar.storage.resources.rows.table import Resource, Table
from sidecar.storage.resources.rows.validation import json_text, one_of

JOBS = Table(
    "jobs",
    Job,
    {
        "name": text(),
        "status": choice(JobStatus, JobStatus.INTERRUPTED),
        "arguments": json_object(optional=True),
        "done": integer(0),
        "total": integer(0, optional=True),
        "message": text(optional=True),
        "result": json_value(),
        "error": text(optional=True),
        "error_code": text(optional=True),
        "is_cancelling": boolean(),
        "is_repeatable": boolean(),
        "attempts": integer(0),
        "failures": integer(0),
        "crashes": integer(0),
        "run": text(optional=True),
        "created_at": time(),
        "started_at": time(optional=True),
        "finished_at": time(optional=True),
    },
    kind="job",
    topic=JOBS_TOPIC,
)
JsonAny = Annotated[Any, ANY_VALUE]
"""A value that is checked where it becomes JSON."""

Also = Annotated[Callable[[Work], object] | None, ANY_VALUE]

NEWEST_FIRST = Order("created_at", newest_first=True)

IS_QUEUED = f"status = '{JobStatus.QUEUED}'"
"""SQL with the value itself, as the index of the queue has it."""

MAX_CRASHES = 3
"""Ends of the sidecar while a job runs, after which the job is not run again: it is probably the cause. A host gives up
after five in three minutes."""

RUNNER_ENDED = "The sidecar ended while the job ran."
STORE_RESTORED = "A backup was restored that holds this job as unfinished."
STORE_REPAIRED = "The damaged database did not show whether this job was finished."
CRASHED = f"The sidecar ended unexpectedly {MAX_CRASHES} times while the job ran, so it is not run again."


class Jobs(Resource, tables=(JOBS,)):
    """Jobs."""

    async def create_job(
        self,
        name: JobName,
        arguments: JsonObject | None = None,
        is_repeatable: bool = False,
        run: ShortText | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Job:
        """Queue a job; with a `run`, it is running already, and the runner of that name executes it."""

        def create(work: Work) -> Job:
            return insert(work, name, arguments or {}, is_repeatable=is_repeatable, run=run)

        # Built-in work runs at once.
        return await self._database.write(create if run is None else bookkeeping(create), key, Job)

    async def get_jobs(
        self,
        status: str | None = None,
        name: JobName | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> JobPage:
        """Return jobs, the newest first."""
        where = Where().equals("status", None if status is None else one_of(JobStatus, "status", status))
        where.equals("name", name)
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: JOBS.page(connection, JobPage, where, NEWEST_FIRST, part))

    async def get_job(self, job_id: Identifier) -> Job:
        """Return one job. Raises `NotFound`."""
        return await self._database.read(lambda connection: JOBS.get(connection, job_id))

    async def cancel_job(self, job_id: Identifier, *, key: IdempotencyKey | None = None) -> Job:
        """Cancel a queued job; request the cancellation of a running one.

        Raises `NotFound`, and `Conflict` for a job that is finished.
        """

        def cancel(work: Work) -> Job:
            job = JOBS.get(work.connection, job_id)
            if job.status.is_finished:
                raise Conflict(f"The job {job_id} cannot be cancelled: it is {job.status} already.")
            if job.status is JobStatus.RUNNING:
                return _update(work, job_id, {"is_cancelling": 1})
            return _update(work, job_id, {"is_cancelling": 1, "status": JobStatus.CANCELLED, "finished_at": work.now})

        return await self._database.write(cancel, key, Job)

    async def claim_jobs(
        self, room: Mapping[str, int], limit: int, run: ShortText, excluded: Sequence[int] = ()
    ) -> list[Job]:
        """Mark the first queued jobs as running and return them.

        They are at most `limit`, and of each name as many as `room` has.
        """

        def claim(work: Work) -> list[Job]:
            claimed: list[Job] = []
            left = dict(room)
            while len(claimed) < limit:
                names = [name for name, count in left.items() if count > 0]
                found = (_first_queued(work.connection, name, excluded) for name in names)
                job_id = min((each for each in found if each is not None), default=None)
                if job_id is None:
                    break
                columns = {"status": JobStatus.RUNNING, "run": run, "started_at": work.now, "done": 0, "total": None}
                job = _update(work, job_id, {**columns, "message": None}, "attempts = attempts + 1")
                left[job.name] -= 1
                claimed.append(job)
            return claimed

        return await self._database.write(claim)

    async def save_job_progress(self, job_id: Identifier, run: ShortText, progress: JobProgress) -> bool:
        """Store how far a run is, without an event; return whether it is still the job's run."""
        values = (progress.done, progress.total, progress.message, job_id, run, JobStatus.RUNNING)
        sql = "UPDATE jobs SET done = ?, total = ?, message = ? WHERE id = ? AND run = ? AND status = ?"
        return await self._database.write(bookkeeping(lambda work: work.connection.execute(sql, values).rowcount > 0))

    async def finish_job(
        self,
        job_id: Identifier,
        run: ShortText,
        status: JobStatus,
        progress: JobProgress,
        result: JsonAny = None,
        error: str | None = None,
        error_code: str | None = None,
        retries: int = 0,
        also: Also = None,
    ) -> Job | None:
        """Store the outcome of a run, and do what `also` does in the same transaction.

        A job that failed is queued again, with its error, until it has failed more than `retries` times. Returns
        `None`, and changes nothing, if it is no longer the job's run.
        """
        columns = {
            **vars(progress),
            "status": status,
            "result": json_text("result", result, MAX_JOB_JSON_BYTES),
            "error": error and error[:LONGEST_MESSAGE],
            "error_code": error_code,
        }

        def finish(work: Work) -> Job | None:
            sql = "SELECT failures, is_cancelling FROM jobs WHERE id = ? AND run = ? AND status = ?"
            row = work.connection.execute(sql, (job_id, run, JobStatus.RUNNING)).fetchone()
            if row is None:
                return None
            if also is not None:
                also(work)
            if status is JobStatus.FAILED and row["failures"] < retries and not row["is_cancelling"]:
                return _update(work, job_id, {**columns, "status": JobStatus.QUEUED}, "failures = failures + 1")
            return _update(work, job_id, {**columns, "finished_at": work.now if status.is_finished else None})

        return await self._database.write(bookkeeping(finish) if also is None else finish)

    async def recover_jobs(self, runner: ShortText) -> int:
        """Settle what other runners left running; return how many jobs that were.

        A repeatable job is queued again. Any other is interrupted, and so is one that was running at too many crashes.
        """

        def recover(work: Work) -> int:
            sql = f"SELECT {JOBS.selected}, is_repeatable, crashes, run FROM jobs WHERE status = ? ORDER BY id"
            left = [
                row
                for row in work.connection.execute(sql, (JobStatus.RUNNING,)).fetchall()
                if not (row["run"] or "").startswith(f"{runner}-")
            ]
            for row in left:
                _settle(work, row["id"], row["is_cancelling"], row["is_repeatable"], row["crashes"] + 1)
            return len(left)

        return await self._database.write(recover)

    async def interrupt_jobs(self) -> int:
        """Mark all queued and running jobs as interrupted, as a restore does; return how many those were."""
        return await self._database.write(lambda work: interrupt_all(work, STORE_RESTORED))

    async def find_queued_jobs(self, names: Sequence[str], excluded: Sequence[int] = ()) -> list[str]:
        """Return those of the names that have a queued job, apart from the excluded ones."""
        return await self._database.read(
            lambda connection: [name for name in names if _first_queued(connection, name, excluded) is not None]
        )

    async def count_queued_jobs(self) -> dict[str, int]:
        """Return the number of queued jobs by name."""
        sql = f"SELECT name, count(*) AS number FROM jobs WHERE {IS_QUEUED} GROUP BY name ORDER BY name"
        return await self._database.read(
            lambda connection: {row["name"]: row["number"] for row in connection.execute(sql).fetchall()}
        )

    async def count_running_jobs(self) -> int:
        """Return the number of jobs that are marked as running."""
        where = Where().equals("status", JobStatus.RUNNING)
        return await self._database.read(lambda connection: JOBS.count(connection, where))

    async def prune_jobs(self, before: ShortText, limit: int) -> int:
        """Remove at most `limit` jobs that finished before this time; return their number."""
        sql = "SELECT id FROM jobs WHERE finished_at < ? ORDER BY finished_at LIMIT ?"

        def prune(work: Work) -> int:
            found = work.connection.execute(sql, (before, limit)).fetchall()
            for row in found:
                work.connection.execute("DELETE FROM jobs WHERE id = ?", (row["id"],))
            return len(found)

        return await self._database.write(prune)


def insert(
    work: Work, name: str, arguments: Mapping[str, Any], *, is_repeatable: bool = False, run: str | None = None
) -> Job:
    """Insert a job in the caller's unit of work; with a `run`, it is running already. Raises `InvalidInput`."""
    columns = {
        "name": name,
        "arguments": json_text("arguments", arguments, MAX_JOB_JSON_BYTES),
        "is_repeatable": int(is_repeatable),
        "created_at": work.now,
        "status": JobStatus.QUEUED,
    }
    if run is not None:
        columns |= {"status": JobStatus.RUNNING, "run": run, "started_at": work.now, "attempts": 1}
    names = ", ".join(columns)
    values = ", ".join("?" for _ in columns)
    sql = f"INSERT INTO jobs ({names}) VALUES ({values}) RETURNING {JOBS.selected}"
    return _noted(work, JOBS.record(work.connection.execute(sql, tuple(columns.values())).fetchone()))


def interrupt_all(work: Work, reason: str) -> int:
    """Mark all queued and running jobs as interrupted, with the reason; return how many those were."""
    sql = "SELECT id FROM jobs WHERE status IN (?, ?) ORDER BY id"
    found = work.connection.execute(sql, (JobStatus.QUEUED, JobStatus.RUNNING)).fetchall()
    for row in found:
        _interrupt(work, row["id"], reason)
    return len(found)


def event_of(job: Job) -> dict[str, Any]:
    """Return the data of the event about a job, but for its topic and id."""
    names = ("name", "status", "done", "total", "message", "is_cancelling")
    return {name: getattr(job, name) for name in names}


def _settle(work: Work, job_id: int, is_cancelling: bool, is_repeatable: bool, crashes: int) -> None:
    """Decide on a job whose runner is gone."""
    if is_cancelling:
        _update(work, job_id, {"status": JobStatus.CANCELLED, "finished_at": work.now})
    elif not is_repeatable:
        _interrupt(work, job_id, RUNNER_ENDED)
    elif crashes >= MAX_CRASHES:
        _interrupt(work, job_id, CRASHED)
    else:
        _update(work, job_id, {"status": JobStatus.QUEUED, "run": None, "crashes": crashes})


def _interrupt(work: Work, job_id: int, reason: str) -> None:
    columns = {
        "status": JobStatus.INTERRUPTED,
        "error": reason,
        "error_code": JobInterrupted.code,
        "finished_at": work.now,
    }
    _update(work, job_id, columns)


def _first_queued(connection: Connection, name: str, excluded: Collection[int]) -> int | None:
    """Return the id of the first queued job of this name."""
    where = Where().that(IS_QUEUED).equals("name", name)
    if excluded:
        where.that(f"id NOT IN ({', '.join('?' for _ in excluded)})", *excluded)
    row = connection.execute(f"SELECT id FROM jobs WHERE {where.sql()} ORDER BY id LIMIT 1", where.values).fetchone()
    return None if row is None else int(row["id"])


def _update(work: Work, job_id: int, columns: Mapping[str, Any], *more: str) -> Job:
    assignments = ", ".join((*(f"{name} = ?" for name in columns), *more))
    sql = f"UPDATE jobs SET {assignments} WHERE id = ? RETURNING {JOBS.selected}"
    return _noted(work, JOBS.record(work.connection.execute(sql, (*columns.values(), job_id)).fetchone()))


def _noted(work: Work, job: Job) -> Job:
    work.changed(JOBS.topic, job.id, event_of(job))
    return job
