"""Counts of each day: of todos, conversations, documents, activities and contexts, for a heat map.

Each is counted over an index that holds everything that is asked of a row, so that no row is read.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from sidecar.models.base import ShortText
from sidecar.models.contexts import ContextType
from sidecar.models.daily_counts import DailyCount, DayCount
from sidecar.storage.interfaces import Connection
from sidecar.storage.resources.activities import count_activities
from sidecar.storage.resources.rows.days import Days, days_between
from sidecar.storage.resources.rows.table import Resource

T = TypeVar("T")

LONGEST_SHORT_RANGE = 62
"""Days above which the counting has a connection of its own, so that no other read waits for it."""


class DailyCounting(Resource):
    """Rows of each day. Days begin at midnight in `time_zone`, the name of a zone or an offset such as `-03:30`.

    Raises `InvalidInput` for a zone that is not known, and for more than 731 days.
    """

    async def get_daily_counts(
        self, start_date: date, end_date: date, time_zone: ShortText = "UTC"
    ) -> Sequence[DailyCount]:
        """Rows of every kind on each day from `start_date` to `end_date`, both included."""
        days = days_between(start_date, end_date, time_zone)

        def query(connection: Connection) -> list[DailyCount]:
            kinds = [count(connection, days) for count in COUNTS.values()]
            return [
                DailyCount(day=day, **dict(zip(COUNTS, counts, strict=True)), total=sum(counts))
                for day, *counts in zip(days.dates, *kinds, strict=True)
            ]

        return await self._count(days, query)

    async def get_todo_counts(
        self, start_date: date, end_date: date, time_zone: ShortText = "UTC"
    ) -> Sequence[DayCount]:
        """How many todos were completed on each day."""
        return await self._count_kind("todos", start_date, end_date, time_zone)

    async def get_vault_counts(
        self, start_date: date, end_date: date, time_zone: ShortText = "UTC"
    ) -> Sequence[DayCount]:
        """How many documents were created on each day, without folders and deleted ones."""
        return await self._count_kind("documents", start_date, end_date, time_zone)

    async def get_conversation_counts(
        self, start_date: date, end_date: date, time_zone: ShortText = "UTC"
    ) -> Sequence[DayCount]:
        """How many conversations were created on each day, without deleted ones."""
        return await self._count_kind("conversations", start_date, end_date, time_zone)

    async def _count_kind(self, kind: str, first: date, last: date, time_zone: str) -> list[DayCount]:
        days = days_between(first, last, time_zone)

        def query(connection: Connection) -> list[DayCount]:
            counts = COUNTS[kind](connection, days)
            return [DayCount(day=day, count=count) for day, count in zip(days.dates, counts, strict=True)]

        return await self._count(days, query)

    async def _count(self, days: Days, query: Callable[[Connection], T]) -> T:
        if len(days.dates) > LONGEST_SHORT_RANGE:
            return await self._database.read_isolated(query)
        return await self._database.read(query)


def _count_todos(connection: Connection, days: Days) -> list[int]:
    sql = "SELECT count(*) FROM todo WHERE completed_at >= ? AND completed_at < ?"
    return days.counts(connection, sql)


def _count_conversations(connection: Connection, days: Days) -> list[int]:
    sql = "SELECT count(*) FROM conversations WHERE status != 'deleted' AND created_at >= ? AND created_at < ?"
    return days.counts(connection, sql)


def _count_documents(connection: Connection, days: Days) -> list[int]:
    """All vaults, less the folders, which are few: an index of the others alone would cost every write."""
    sql = "SELECT count(*) FROM vaults WHERE is_deleted = ? AND created_at >= ? AND created_at < ?"
    vaults = days.counts(connection, sql, False)
    sql = "SELECT created_at FROM vaults WHERE is_folder = ? AND is_deleted = ?"
    folders = days.counts_of(created_at for (created_at,) in connection.execute(sql, (True, False)))
    return [every - folder for every, folder in zip(vaults, folders, strict=True)]


def _count_contexts(connection: Connection, days: Days) -> list[int]:
    types = ", ".join(f"'{kind}'" for kind in ContextType)
    sql = f"""
        SELECT count(*) FROM processed_contexts
        WHERE context_type IN ({types}) AND create_time >= ? AND create_time < ?
    """
    return days.counts(connection, sql)


COUNTS: dict[str, Callable[[Connection, Days], list[int]]] = {
    "todos": _count_todos,
    "conversations": _count_conversations,
    "documents": _count_documents,
    "activities": count_activities,
    "contexts": _count_contexts,
}
"""How each kind is counted, by the names of the fields of `DailyCount`."""
