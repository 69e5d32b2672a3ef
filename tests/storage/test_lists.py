"""What every list promises: bounds, cursors, totals. Shown on tips, the plainest of them."""

from base64 import urlsafe_b64encode

import pytest

from sidecar.errors import InvalidInput
from sidecar.storage.unified import UnifiedStorage

TOO_LARGE, TOO_LARGE_ID = (
    urlsafe_b64encode(text).decode() for text in (b"[1180591620717411303424, 1]", b"[1, 1180591620717411303424]")
)


async def tips(storage: UnifiedStorage, count: int) -> list[int]:
    """Ids of new tips, the newest first."""
    return [(await storage.insert_tip(f"tip {number}")).id for number in range(count)][::-1]


async def test_a_tip_is_listed_as_it_was_made(storage: UnifiedStorage) -> None:
    made = await storage.insert_tip("stretch")
    assert (await storage.get_tips()).items == [made]


async def test_tips_are_listed_by_when_they_were_made(storage: UnifiedStorage) -> None:
    made = await storage.insert_tip("stretch")
    assert (await storage.get_tips(start_time=made.created_at)).items == [made]
    assert (await storage.get_tips(end_time=made.created_at)).items == []


async def test_cursors_lead_through_the_whole_list_once(storage: UnifiedStorage) -> None:
    ids = await tips(storage, 25)
    seen: list[int] = []
    cursor = None
    while True:
        page = await storage.get_tips(limit=10, cursor=cursor)
        seen.extend(tip.id for tip in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids


async def test_rows_that_come_in_between_move_no_page(storage: UnifiedStorage) -> None:
    ids = await tips(storage, 10)
    first = await storage.get_tips(limit=5)
    await tips(storage, 5)
    second = await storage.get_tips(limit=5, cursor=first.next_cursor)
    assert [tip.id for tip in (*first.items, *second.items)] == ids


async def test_the_last_page_has_no_cursor(storage: UnifiedStorage) -> None:
    await tips(storage, 5)
    assert (await storage.get_tips(limit=5)).next_cursor is None
    assert (await storage.get_tips(limit=4)).next_cursor is not None


async def test_offsets_skip_rows(storage: UnifiedStorage) -> None:
    ids = await tips(storage, 5)
    assert [tip.id for tip in (await storage.get_tips(limit=2, offset=2)).items] == ids[2:4]


async def test_a_total_counts_all_rows_that_match_and_only_when_asked_for(storage: UnifiedStorage) -> None:
    await tips(storage, 5)
    assert (await storage.get_tips(limit=2)).total is None
    first = await storage.get_tips(limit=2, with_total=True)
    assert first.total == 5
    assert (await storage.get_tips(limit=2, cursor=first.next_cursor, with_total=True)).total == 5


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (-1, 0), (1001, 0), (10, -1), (10, 10_001), (2**70, 0)])
async def test_bounds_that_make_no_sense_are_refused(storage: UnifiedStorage, limit: int, offset: int) -> None:
    with pytest.raises(InvalidInput, match="must be from"):
        await storage.get_tips(limit=limit, offset=offset)


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "W10=", "WzEsMl0", "WyJhIiwiYiJd", "ünïcode", "bnVsbA==", TOO_LARGE, TOO_LARGE_ID]
)
async def test_a_cursor_that_no_page_gave_is_refused(storage: UnifiedStorage, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        await storage.get_tips(cursor=cursor)


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T10:00", "", "\x00"])
async def test_times_that_are_not_times_are_refused(storage: UnifiedStorage, time: str) -> None:
    with pytest.raises(InvalidInput, match="start_time"):
        await storage.get_tips(start_time=time)
