"""The map of a file that gives free pages back: which page leads to which (https://sqlite.org/fileformat.html, 1.8)."""

from typing import NamedTuple

from sidecar.storage.sqlite.files.pages import PageFile

_ENTRY_BYTES = 5

ROOT, FREE, OVERFLOW, LATER_OVERFLOW, IN_TREE = range(1, 6)
"""The use of a page."""


class Entry(NamedTuple):
    kind: int
    parent: int


class PageMap:
    """Return the map; an empty one when the file has none, or one of its entries makes no sense."""

    def __init__(self, file: PageFile) -> None:
        self._entries: dict[int, Entry] = {}
        self._below: dict[int, list[int]] = {}
        on_a_page = file.usable // _ENTRY_BYTES
        for first in range(2, file.count + 1, on_a_page + 1):
            data = file.bytes_of(first)
            for place in range(on_a_page):
                at, number = place * _ENTRY_BYTES, first + 1 + place
                entry = Entry(data[at], int.from_bytes(data[at + 1 : at + 5], "big"))
                if number <= file.count and number != file.lock_page and not _makes_sense(entry):
                    self._entries, self._below = {}, {}
                    return
                # Of a file that was cut off, the map shows what is missing.
                self._entries[number] = entry
                if entry.kind == IN_TREE:
                    self._below.setdefault(entry.parent, []).append(number)

    def below(self, number: int) -> list[int]:
        """The pages of a tree that are, or in a file that was cut off were, directly below this one."""
        return self._below.get(number, [])

    def parent(self, number: int) -> int | None:
        """The page of a tree directly above this one; `None` when that is not known."""
        entry = self._entries.get(number)
        return entry.parent if entry is not None and entry.kind == IN_TREE else None

    def denies(self, leaf: int, overflow: list[int]) -> bool:
        """Return whether these pages are something else than the rest of a cell in this page."""
        expected = [Entry(OVERFLOW, leaf), *(Entry(LATER_OVERFLOW, number) for number in overflow)]
        return any(self._entries.get(number, entry) != entry for number, entry in zip(overflow, expected, strict=False))


def _makes_sense(entry: Entry) -> bool:
    has_parent = entry.kind in (OVERFLOW, LATER_OVERFLOW, IN_TREE)
    return ROOT <= entry.kind <= IN_TREE and (entry.parent != 0) == has_parent
