"""Last runs of extensions' scheduled functions: the table `task_runs`, by which an interval spans restarts."""

from collections.abc import Mapping

from sidecar.models.base import ShortText
from sidecar.storage.interfaces import Work
from sidecar.storage.resources.rows.table import Resource


class TaskRuns(Resource):
    """When each function last ran without an error, by its name."""

    async def get_task_runs(self) -> Mapping[str, str]:
        """Return the time of each last run, in stored form."""
        sql = "SELECT name, ran_at FROM task_runs ORDER BY name"
        return await self._database.read(
            lambda connection: {row["name"]: row["ran_at"] for row in connection.execute(sql)}
        )

    async def note_task_run(self, name: ShortText) -> None:
        """Store that the function has just run."""
        sql = """
            INSERT INTO task_runs (name, ran_at) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET ran_at = excluded.ran_at
        """

        def note(work: Work) -> None:
            work.connection.execute(sql, (name, work.now))

        await self._database.write(note)
