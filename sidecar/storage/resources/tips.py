"""Tips: the table `tips`."""

from collections.abc import Sequence

from sidecar.models.base import MAX_BATCH, Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import TimestampInput
from sidecar.models.tips import Tip, TipCreate, TipPage
from sidecar.storage.arguments import DEFAULT_LIMIT
from sidecar.storage.interfaces import Work
from sidecar.storage.resources.rows.columns import text, time
from sidecar.storage.resources.rows.declaration import Exported, Searched
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, require_range
from sidecar.storage.resources.rows.table import Resource, Table

TIPS = Table(
    "tips",
    Tip,
    {"content": text(), "created_at": time()},
    kind="tip",
    topic="tips",
    searched=Searched("tip", 4, "created_at", ("created_at",)),
    exported=Exported("tips", birth=("content", "created_at"), evidence=("content", "created_at"), is_required=True),
)
NEWEST_FIRST = Order("created_at", newest_first=True)


class Tips(Resource, tables=(TIPS,)):
    """Tips."""

    async def insert_tip(self, content: Text, *, key: IdempotencyKey | None = None) -> Tip:
        """Make a tip."""

        def insert(work: Work) -> Tip:
            return TIPS.insert(work, {"content": content, "created_at": work.now})

        return await self._database.write(insert, key, Tip)

    async def batch_insert_tips(self, tips: Sequence[TipCreate], *, key: IdempotencyKey | None = None) -> list[int]:
        """Make all of them or none; returns their ids in order. Raises `InvalidInput`."""
        require_range("tips", len(tips), 1, MAX_BATCH)

        def insert(work: Work) -> list[int]:
            return TIPS.insert_many(work, ({"content": tip.content, "created_at": work.now} for tip in tips))

        return await self._database.write(insert, key, list[int])

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
        where = Where().between("created_at", start_time, end_time)
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: TIPS.page(connection, TipPage, where, NEWEST_FIRST, part))
