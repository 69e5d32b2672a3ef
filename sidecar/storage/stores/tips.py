"""The store of tips."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from sidecar.models.base import Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import TimestampInput
from sidecar.models.tips import Tip, TipCreate, TipPage
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class ITipStore(ABC):
    """Tips."""

    @abstractmethod
    async def insert_tip(self, content: Text, *, key: IdempotencyKey | None = None) -> Tip:
        """Make a tip."""

    @abstractmethod
    async def batch_insert_tips(self, tips: Sequence[TipCreate], *, key: IdempotencyKey | None = None) -> list[int]:
        """Make all of them or none; returns their ids in order. Raises `InvalidInput`."""

    @abstractmethod
    async def get_tips(
        self,
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> TipPage:
        """Tips created from `start_time` to before `end_time`, the newest first."""
