"""Tips: the table `tips`."""

from collections.abc import Sequence

from sidecar.models.base import MAX_BATCH
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import Moment
from sidecar.models.tips import Tip, TipCreate, TipPage
from sidecar.storage.sqlite.listing import Order, Part, Where, require_range
from sidecar.storage.sqlite.table import Domain, Table
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.lists import DEFAULT_LIMIT
from sidecar.storage.stores.tips import ITipStore

TIPS = Table("tips", Tip, kind="tip", topic="tips")
NEWEST_FIRST = Order("created_at", newest_first=True)


class Tips(Domain, ITipStore):
    async def insert_tip(self, content: str, *, key: IdempotencyKey | None = None) -> Tip:
        def insert(work: Work) -> Tip:
            return TIPS.insert(work, {"content": content, "created_at": work.now})

        return await self._database.write(insert, key, Tip)

    async def batch_insert_tips(self, tips: Sequence[TipCreate], *, key: IdempotencyKey | None = None) -> list[int]:
        require_range("tips", len(tips), 1, MAX_BATCH)

        def insert(work: Work) -> list[int]:
            return TIPS.insert_many(work, ({"content": tip.content, "created_at": work.now} for tip in tips))

        return await self._database.write(insert, key, list[int])

    async def get_tips(
        self,
        start_time: Moment | None = None,
        end_time: Moment | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> TipPage:
        where = Where().between("created_at", start_time, end_time)
        part = Part(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: TIPS.page(connection, TipPage, where, NEWEST_FIRST, part))
