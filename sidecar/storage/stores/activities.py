"""The store of activities."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date
from typing import Any

from sidecar.models.activities import Activity, ActivityCount, ActivityCreate, ActivityPage
from sidecar.models.base import Identifier, Line, LongText
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import TimestampInput
from sidecar.storage.stores.arguments import JsonObject
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class IActivityStore(ABC):
    """Activities."""

    @abstractmethod
    async def insert_activity(
        self,
        title: Line,
        content: LongText,
        resources: Any = None,
        metadata: JsonObject | None = None,
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Activity:
        """Record an activity; times that are left out are now. Raises `InvalidInput` when it ends before it starts."""

    @abstractmethod
    async def batch_insert_activities(
        self, activities: Sequence[ActivityCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Record all of them or none; returns their ids in order. Raises `InvalidInput`."""

    @abstractmethod
    async def get_activities(
        self,
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> ActivityPage:
        """Activities that begin from `start_time` to before `end_time`, the latest first."""

    @abstractmethod
    async def get_activity(self, activity_id: Identifier) -> Activity:
        """One activity. Raises `NotFound`."""

    @abstractmethod
    async def get_latest_activity(self) -> Activity | None:
        """The activity that began last; `None` in a store without any."""

    @abstractmethod
    async def get_activity_counts(
        self, start_date: date, end_date: date, time_zone: Line = "UTC"
    ) -> Sequence[ActivityCount]:
        """How many activities began on each day from `start_date` to `end_date`, both included.

        Days begin at midnight in `time_zone`. Raises `InvalidInput` for a zone that is not known, and for more than 731
        days.
        """
