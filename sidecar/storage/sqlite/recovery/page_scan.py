"""Walking the trees of a damaged database: which are whole, which leaves are left of the others, and between which row
ids rows may have been on pages that cannot be read.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.storage.sqlite.files.pages import (
    INDEX_PAGES,
    TABLE_LEAF,
    TABLE_PAGES,
    Cell,
    Columns,
    Page,
    PageFile,
    is_leaf,
)
from sidecar.storage.sqlite.recovery.page_map import PageMap

_MOST_LEVELS = 20


class Range(NamedTuple):
    """Row ids from one to another, both included."""

    first: int
    last: int


class Leaf(NamedTuple):
    """A leaf of a table that holds rows."""

    number: int
    first: int
    last: int
    """The largest of its ids."""
    cells: tuple[int, ...] | None
    """Where in the page its rows are, in the order of their ids, if the page itself says something else."""


class TableTree(NamedTuple):
    """A table with row ids."""

    root: int
    leaves: tuple[Leaf, ...]
    unknown: tuple[Range, ...]
    """Where there may have been rows that are on none of the leaves."""
    doubtful: frozenset[int]
    """Ids of rows part of which may belong to others."""
    is_as_stored: bool
    """True if SQLite reads these leaves' cells, and nothing else."""


class IndexTree(NamedTuple):
    """An index, or a table without row ids."""

    is_whole: bool
    changed: tuple[Page, ...]
    """Pages whose header is wrong and known."""


class PageScan:
    """The trees of one file."""

    def __init__(self, file: PageFile) -> None:
        self._file = file
        self._map = PageMap(file)

    def table(self, root: int, columns: Columns) -> TableTree:
        """Walk a table with row ids."""
        walk = _TableWalk(self._file, self._map, columns)
        walk.visit(root, Range(MIN_INTEGER, MAX_INTEGER))
        return walk.tree(root)

    def index(self, root: int) -> IndexTree:
        """Walk an index or a table without row ids."""
        walk = _IndexWalk(self._file, self._map)
        is_whole = walk.is_whole(root, 0) and len(walk.depths) == 1
        return IndexTree(is_whole, tuple(walk.changed))


class _TableWalk:
    def __init__(self, file: PageFile, page_map: PageMap, columns: Columns) -> None:
        self._file = file
        self._map = page_map
        self._columns = columns
        self._leaves: list[Leaf] = []
        self._unknown: list[Range] = []
        self._doubtful: set[int] = set()
        self._seen: set[int] = set()
        self._is_as_stored = True

    def tree(self, root: int) -> TableTree:
        """The pages that were walked."""
        leaves = tuple(sorted(self._leaves, key=lambda leaf: leaf.first))
        return TableTree(root, leaves, tuple(_merged(self._unknown)), frozenset(self._doubtful), self._is_as_stored)

    def visit(self, number: int, ids: Range) -> None:
        """Take in what is at and below this page, which has the rows with these ids."""
        if not self._file.has(number) or number in self._seen:
            self._miss(ids)
            return
        self._seen.add(number)
        page = self._file.page(number, TABLE_PAGES)
        mapped = self._map.below(number)
        if not is_leaf(page.kind) and page.is_exact and _is_ordered(page, ids):
            listed = [*(cell.child for cell in page.cells), page.right]
            claimed = {child for child in listed if self._is_of_another(child, number)}
            if not claimed and set(listed) >= set(mapped):
                self._is_as_stored &= not page.is_changed
                first = ids.first
                for cell in page.cells:
                    self.visit(cell.child, Range(first, cell.row_id))
                    first = cell.row_id + 1
                self.visit(page.right, Range(first, ids.last))
            else:
                self._miss(ids)
                self._visit_unordered(sorted({*mapped, *listed} - claimed), ids)
        elif mapped:
            self._is_as_stored = False
            self._visit_unordered(mapped, ids)
        elif page.kind == TABLE_LEAF:
            self._take_leaf(page, ids)
        else:
            self._miss(ids)

    def _is_of_another(self, child: int, number: int) -> bool:
        """Return whether the map has the child below another page, which says so, too."""
        parent = self._map.parent(child)
        if parent is None or parent == number:
            return False
        page = self._file.page(parent, (*TABLE_PAGES, *INDEX_PAGES))
        return page.is_exact and child in (page.right, *(cell.child for cell in page.cells))

    def _visit_unordered(self, numbers: list[int], ids: Range) -> None:
        """Take in pages of which it is only known that they are below a damaged one with these ids."""
        placed = []
        for number in numbers:
            first = self._first_id(number, 0)
            if first is None:
                self._miss(ids)
            else:
                placed.append((first, number))
        placed.sort()
        for place, (first, number) in enumerate(placed):
            last = placed[place + 1][0] - 1 if place + 1 < len(placed) else ids.last
            self.visit(number, Range(max(first, ids.first), last))

    def _first_id(self, number: int, level: int) -> int | None:
        """The least id at and below a page; `None` if that is damaged itself."""
        if not self._file.has(number) or level > _MOST_LEVELS:
            return None
        page = self._file.page(number, TABLE_PAGES)
        if not page.is_exact or not page.cells:
            return None
        return page.cells[0].row_id if is_leaf(page.kind) else self._first_id(page.cells[0].child, level + 1)

    def _take_leaf(self, page: Page, ids: Range) -> None:
        rows = _ascending([cell for cell in page.cells if self._is_row(page, cell, ids)])
        if len(rows) * 2 < len(page.cells):
            rows = []  # a page of something else, some cells of which pass by chance
        is_whole = page.is_exact and len(rows) == len(page.cells)
        if not is_whole:
            self._miss(ids)
        is_as_stored = is_whole and not page.is_changed
        self._is_as_stored &= is_as_stored
        if rows:
            cells = None if is_as_stored else tuple(cell.at for cell in rows)
            self._leaves.append(Leaf(page.number, rows[0].row_id, rows[-1].row_id, cells))

    def _is_row(self, page: Page, cell: Cell, ids: Range) -> bool:
        if not ids.first <= cell.row_id <= ids.last or not self._file.is_record(page.number, cell, self._columns):
            return False
        if not cell.overflow_bytes:
            return True
        overflow = self._file.overflow_pages(cell)
        if overflow is None:
            return False
        if self._file.next_overflow(overflow[-1]) or self._map.denies(page.number, overflow):
            self._doubtful.add(cell.row_id)
        return True

    def _miss(self, ids: Range) -> None:
        self._unknown.append(ids)
        self._is_as_stored = False


class _IndexWalk:
    def __init__(self, file: PageFile, page_map: PageMap) -> None:
        self._file = file
        self._map = page_map
        self._seen: set[int] = set()
        self.changed: list[Page] = []
        self.depths: set[int] = set()

    def is_whole(self, number: int, depth: int) -> bool:
        """Return whether nothing is wrong at and below this page; notes in any case what can be put right."""
        if not self._file.has(number) or number in self._seen or depth > _MOST_LEVELS:
            return False
        self._seen.add(number)
        page = self._file.page(number, INDEX_PAGES)
        if page.is_exact and page.is_changed:
            self.changed.append(page)
        is_sound = page.is_exact and all(self._has_payload(page, cell) for cell in page.cells)
        mapped = self._map.below(number)
        if is_leaf(page.kind):
            self.depths.add(depth)
            return is_sound and not mapped
        below = [*(cell.child for cell in page.cells), page.right]
        if mapped and set(mapped) != set(below):
            is_sound = False
        for child in below:
            is_sound &= self.is_whole(child, depth + 1)
        return is_sound

    def _has_payload(self, page: Page, cell: Cell) -> bool:
        if not cell.overflow_bytes:
            return True
        pages = self._file.overflow_pages(cell)
        return (
            pages is not None and self._file.next_overflow(pages[-1]) == 0 and not self._map.denies(page.number, pages)
        )


def _is_ordered(page: Page, ids: Range) -> bool:
    keys = [ids.first - 1, *(cell.row_id for cell in page.cells), ids.last + 1]
    return all(first < second for first, second in pairwise(keys))


def _ascending(cells: list[Cell]) -> list[Cell]:
    """The most of these cells whose ids ascend."""
    if all(first.row_id < second.row_id for first, second in pairwise(cells)):
        return cells
    best: list[tuple[int, int]] = []  # how many ascend up to each, and the place of the one before it
    for place, cell in enumerate(cells):
        before = [(best[i][0] + 1, i) for i in range(place) if cells[i].row_id < cell.row_id]
        best.append(max(before, default=(1, -1)))
    place, chosen = best.index(max(best)), []
    while place >= 0:
        chosen.append(cells[place])
        place = best[place][1]
    return chosen[::-1]


def _merged(ranges: list[Range]) -> Iterator[Range]:
    """These ranges in order, each id in one of them."""
    last: Range | None = None
    for given in sorted(given for given in ranges if given.first <= given.last):
        if last is not None and given.first <= last.last:
            last = Range(last.first, max(last.last, given.last))
        else:
            if last is not None:
                yield last
            last = given
    if last is not None:
        yield last
