"""Positions of rows in an order among others: given ones, or behind the last."""

from sidecar.models.base import MAX_INTEGER


class PositionAllocator:
    """The positions of rows that are added to others, one after the other; `last` is the largest so far."""

    def __init__(self, last: int | None, *, first: int, gap: int) -> None:
        self._last = last
        self._first = first
        self._gap = gap

    def next(self, wanted: int | None) -> int:
        """Return the position of the next row: the wanted one, else behind the last."""
        behind = self._first if self._last is None else min(self._last + self._gap, MAX_INTEGER)
        place = behind if wanted is None else wanted
        self._last = place if self._last is None else max(self._last, place)
        return place
