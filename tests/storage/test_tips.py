"""Tips: made, changed and removed. What their list promises is in `test_lists.py`."""

import pytest

from sidecar.errors import InvalidInput, NotFound
from sidecar.models.tips import TipCreate
from sidecar.storage.unified import UnifiedStorage

OLD = "2023-11-14T22:14:43.000Z"


async def test_a_tip_is_read_back_as_it_was_made(storage: UnifiedStorage) -> None:
    made = await storage.insert_tip("stretch")
    assert await storage.get_tip(made.id) == made


async def test_a_tip_from_elsewhere_keeps_the_time_when_it_was_made(storage: UnifiedStorage) -> None:
    made = await storage.insert_tip("stretch", "2023-11-14T23:14:43+01:00")
    (in_batch,) = await storage.batch_insert_tips([TipCreate("drink", created_at=OLD)])
    assert (made.created_at, (await storage.get_tip(in_batch)).created_at) == (OLD, OLD)
    assert [tip.content for tip in (await storage.get_tips(created_before="2024-01-01T00:00:00Z")).items] == [
        "drink",
        "stretch",
    ]
    assert (await storage.get_tips(created_after="2024-01-01T00:00:00Z")).items == []


async def test_an_update_changes_the_text_and_not_the_time(storage: UnifiedStorage) -> None:
    made = await storage.insert_tip("stretch", OLD)
    updated = await storage.update_tip(made.id, "stretch again")
    assert updated == made.model_copy(update={"content": "stretch again"})
    assert await storage.update_tip(made.id) == updated
    with pytest.raises(InvalidInput, match="content"):
        await storage.update_tip(made.id, "")


async def test_a_deleted_tip_is_gone(storage: UnifiedStorage) -> None:
    made = await storage.insert_tip("stretch")
    await storage.delete_tip(made.id)
    for work in (storage.get_tip, storage.delete_tip, storage.update_tip):
        with pytest.raises(NotFound):
            await work(made.id)
