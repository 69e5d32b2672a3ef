"""Tips: the table `tips`."""

from collections.abc import Sequence

from sidecar.models.base import MAX_BATCH, Identifier, Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.timestamps import TimestampInput
from sidecar.models.tips import Tip, TipCreate, TipPage
from sidecar.storage.arguments import DEFAULT_LIMIT, UNSET, Unset, without_unset
from sidecar.storage.interfaces import Work
from sidecar.storage.resources.rows.columns import text, time
from sidecar.storage.resources.rows.declaration import Exported, Searched
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, require_range
from sidecar.storage.resources.rows.table import Resource, Table
from sidecar.storage.resources.rows.validation import optional_time

TIPS = Table(
    "tips",
    Tip,
    {"content": text(), "created_at": time()},
    kind="tip",
    topic="tips",
    counted=(("created_at",),),
    searched=Searched("tip", 4, "created_at", ("created_at",)),
    exported=Exported(
        "tips",
        birth=("created_at",),
        earlier_birth=("content", "created_at"),
        evidence=("content", "created_at"),
        is_required=True,
    ),
)
NEWEST_FIRST = Order("created_at", newest_first=True)


class Tips(Resource, tables=(TIPS,)):
    """Tips."""

    async def insert_tip(
        self, content: Text, created_at: TimestampInput | None = None, *, key: IdempotencyKey | None = None
    ) -> Tip:
        """Create a tip."""
        created = optional_time("created_at", created_at)

        def insert(work: Work) -> Tip:
            return TIPS.insert(work, {"content": content, "created_at": created or work.now})

        return await self._database.write(insert, key, Tip)

    async def batch_insert_tips(self, tips: Sequence[TipCreate], *, key: IdempotencyKey | None = None) -> list[int]:
        """Make all of them or none; returns their ids in order. Raises `InvalidInput`."""
        require_range("tips", len(tips), 1, MAX_BATCH)

        def insert(work: Work) -> list[int]:
            return TIPS.insert_many(
                work, ({"content": tip.content, "created_at": tip.created_at or work.now} for tip in tips)
            )

        return await self._database.write(insert, key, list[int])

    async def get_tips(
        self,
        start_time: TimestampInput | None = None,
        end_time: TimestampInput | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
        created_after: TimestampInput | None = None,
        created_before: TimestampInput | None = None,
    ) -> TipPage:
        """Return tips created from `start_time` to before `end_time`, the newest first.

        `created_after` and `created_before` are the names that other lists have for the same range.
        """
        where = (
            Where()
            .between("created_at", start_time, end_time)
            .between("created_at", created_after, created_before, ("created_after", "created_before"))
        )
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: TIPS.page(connection, TipPage, where, NEWEST_FIRST, part))

    async def get_tip(self, tip_id: Identifier) -> Tip:
        """One tip. Raises `NotFound`."""
        return await self._database.read(lambda connection: TIPS.get(connection, tip_id))

    async def update_tip(
        self, tip_id: Identifier, content: Text | Unset = UNSET, *, key: IdempotencyKey | None = None
    ) -> Tip:
        """Change what is given. Raises `NotFound`."""
        columns = without_unset(content=content)
        return await self._database.write(lambda work: TIPS.update(work, tip_id, columns), key, Tip)

    async def delete_tip(self, tip_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Remove a tip. Raises `NotFound`."""
        await self._database.write(lambda work: TIPS.delete(work, tip_id), key, type(None))
