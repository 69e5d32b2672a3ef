"""The counters of a session: the table `monitoring_session`, which has one row.

They are stored, so that a report counts exactly once and a restart after a crash, which nobody notices, loses none.
The app says when a session begins, with a reset at its own start.
"""

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.monitoring_runs import SessionCounters
from sidecar.storage.interfaces import Connection, Work
from sidecar.storage.resources.rows.columns import integer, read_row, time
from sidecar.storage.resources.rows.declaration import Declaration
from sidecar.storage.resources.rows.table import Resource

COUNTERS = tuple(name for name in SessionCounters.model_fields if name != "started_at")

SESSION = Declaration(
    "monitoring_session",
    {**{name: integer(0) for name in COUNTERS}, "started_at": time()},
    topic="monitoring.session",
)
_ONLY = 1
"""The id of the only row."""


class MonitoringSession(Resource, tables=(SESSION,)):
    """Counters of everything that is reported, until they are reset."""

    async def get_monitoring_session(self) -> SessionCounters:
        """Return the counters of the present session."""
        return await self._database.read(_counters)

    async def reset_monitoring_session(self, *, key: IdempotencyKey | None = None) -> SessionCounters:
        """Begin a new session; return the counters of the one that ended."""

        def reset(work: Work) -> SessionCounters:
            ended = _counters(work.connection)
            work.connection.execute("DELETE FROM monitoring_session")
            add(work)
            work.changed(SESSION.topic, _ONLY)
            return ended

        return await self._database.write(reset, key, SessionCounters)


def add(work: Work, **counts: int) -> None:
    """Add to some counters. It is no change of its own: the report that is counted is one."""
    names = ", ".join(("id", "started_at", *counts))
    values = ", ".join("?" for _ in range(len(counts) + 2))
    sums = ", ".join(f"{name} = session.{name} + excluded.{name}" for name in counts) or "id = session.id"
    sql = f"INSERT INTO monitoring_session AS session ({names}) VALUES ({values}) ON CONFLICT (id) DO UPDATE SET {sums}"
    work.connection.execute(sql, (_ONLY, work.now, *counts.values()))


def _counters(connection: Connection) -> SessionCounters:
    row = connection.execute("SELECT * FROM monitoring_session WHERE id = ?", (_ONLY,)).fetchone()
    if row is None:
        return SessionCounters(started_at=None, **dict.fromkeys(COUNTERS, 0))
    values, _ = read_row(SESSION.columns, dict(row))
    return SessionCounters(**{name: values[name] for name in (*COUNTERS, "started_at")})
