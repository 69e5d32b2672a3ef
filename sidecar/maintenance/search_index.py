"""The rebuild of the search index, which is filled in small steps between the writes of others."""

from sidecar.maintenance.batch_size import AdaptiveBatchSize
from sidecar.maintenance.steps import Steps
from sidecar.progress import Progress
from sidecar.storage.unified import UnifiedStorage

COUNTED_EVERY_S = 0.25
"""Counting what is left looks at every row that waits."""


def batch_of_rows() -> AdaptiveBatchSize:
    """Return the size of the steps in which the index is filled."""
    return AdaptiveBatchSize(first=50, least=10, most=1_000)


async def fill_search_index(storage: UnifiedStorage, progress: Progress) -> None:
    """Fill the index with all rows that it lacks. Progress counts rows, those included that come meanwhile."""
    total = await storage.count_rows_to_index()
    monotonic = storage.clock.monotonic
    count_at = monotonic()

    async def fill(limit: int) -> int:
        nonlocal total, count_at
        is_more = await storage.fill_search_index(limit)
        if monotonic() >= count_at:
            left = await storage.count_rows_to_index()
            total = max(total, left)
            progress(total - left, total, "filling the search index")
            count_at = monotonic() + COUNTED_EVERY_S
        return int(is_more)

    await Steps(storage).repeat("steps", fill, batch_of_rows())
    progress(total, total, "filling the search index")
