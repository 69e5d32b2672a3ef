"""Pages of a database file, read without SQLite (https://sqlite.org/fileformat.html, section 1.6).

SQLite refuses a page that is damaged, or reads it and does not notice. Here a page is *exact* when each of its bytes is
accounted for: by its header, a cell, a free block or a fragment. An exact page holds every row that was stored in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import NamedTuple

INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13
TABLE_PAGES = (TABLE_LEAF, TABLE_INTERIOR)
INDEX_PAGES = (INDEX_LEAF, INDEX_INTERIOR)

_LEAST_CELL = 4
"""A shorter cell occupies as many bytes, so that it can become a free block."""

_MOST_FRAGMENT = 3
"""Free bytes that are too few to be a free block."""

_LOCK_BYTE = 2**30

_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
"""The bytes of a value by its serial type."""

_INTEGERS_AND_REALS = frozenset(range(1, 10))


class Cell(NamedTuple):
    """One entry of a page."""

    at: int
    end: int
    child: int
    """The page below it; 0 in a leaf."""
    row_id: int
    """Of a table's pages; the largest in the child, where there is one."""
    payload_at: int
    payload_bytes: int
    overflow: int
    """The first of the pages that hold the rest of the payload, or 0."""
    overflow_bytes: int


class Page(NamedTuple):
    """One page of a table or an index, as far as it can be read."""

    number: int
    kind: int
    cells: tuple[Cell, ...]
    right: int
    """The last page below it; 0 for a leaf."""
    is_exact: bool
    is_changed: bool = False
    """True if its header says something else, which is wrong."""


@dataclass(frozen=True)
class Columns:
    """The shape of a table's records, as its definition has it."""

    count: int
    row_id: int | None = None
    """The column that is another name of the row id, and NULL in every record."""
    texts: frozenset[int] = frozenset()
    """Columns in which SQLite stores no number, whatever it is given."""


class PageFile:
    """The bytes of a database file that nobody has open."""

    def __init__(self, data: bytes | mmap, page_bytes: int, reserved: int) -> None:
        self._data = data
        self.page_bytes = page_bytes
        self.usable = page_bytes - reserved
        self.count = len(data) // page_bytes
        self.lock_page = _LOCK_BYTE // page_bytes + 1
        """A page that SQLite never uses."""

    def bytes_of(self, number: int) -> bytes:
        return self._data[(number - 1) * self.page_bytes : number * self.page_bytes]

    def has(self, number: int) -> bool:
        return 0 < number <= self.count

    def page(self, number: int, kinds: tuple[int, ...]) -> Page:
        """Read the page as one of these kinds, with another one or another number of cells where only that is exact."""
        page = self.page_as_stored(number, kinds)
        if page is not None:
            return page
        data = self.bytes_of(number)
        start = header_at(number)
        for kind in sorted(kinds, key=lambda kind: kind != data[start]):
            for count in range(self._most_cells(data, start, kind) + 1):
                page = self._laid_out(data, number, kind, count)
                if page is not None:
                    return page._replace(is_changed=True)
        return self._remains(data, number, kinds)

    def page_as_stored(self, number: int, kinds: tuple[int, ...]) -> Page | None:
        """Read the page if it is exact as it is, and of one of these kinds."""
        data, start = self.bytes_of(number), header_at(number)
        kind = data[start]
        count = int.from_bytes(data[start + 3 : start + 5], "big")
        return self._laid_out(data, number, kind, count) if kind in kinds else None

    def overflow_pages(self, cell: Cell) -> list[int] | None:
        """The pages of the rest of its payload; `None` when SQLite cannot follow them to the last."""
        pages: list[int] = []
        number, left = cell.overflow, cell.overflow_bytes
        while left > 0:
            if not self.has(number) or number in pages[-1:]:
                return None
            pages.append(number)
            number, left = self.next_overflow(number), left - (self.usable - 4)
        return pages

    def next_overflow(self, number: int) -> int:
        at = (number - 1) * self.page_bytes
        return int.from_bytes(self._data[at : at + 4], "big")

    def is_record(self, number: int, cell: Cell, columns: Columns) -> bool:
        """Return whether the cell's payload can be a row of a table with these columns."""
        data = self.bytes_of(number)
        size, at = varint(data, cell.payload_at)
        end = cell.payload_at + size
        if not at - cell.payload_at <= size <= cell.payload_bytes or end > len(data):
            return False
        content, found = 0, 0
        while at < end:
            kind, at = varint(data, at)
            if kind in (10, 11) or found == columns.count:
                return False
            if found == columns.row_id and kind != 0:
                return False
            if found in columns.texts and kind in _INTEGERS_AND_REALS:
                return False
            content += _SIZES[kind] if kind < len(_SIZES) else (kind - 12) // 2
            found += 1
        return at == end and content == cell.payload_bytes - size and found > 0

    def _laid_out(self, data: bytes, number: int, kind: int, count: int) -> Page | None:
        """The page if all of it is accounted for."""
        start = header_at(number)
        array = start + (8 if is_leaf(kind) else 12)
        content = int.from_bytes(data[start + 5 : start + 7], "big") or 65536
        if array + 2 * count > min(content, self.usable) or content > self.usable:
            return None
        cells: list[Cell] = []
        for at in self._pointers(data, array, count):
            cell = self._cell(data, kind, at) if at >= content else None
            if cell is None:
                return None
            cells.append(cell)
        blocks = self._free_blocks(data, start, content)
        if blocks is None:
            return None
        last, fragments = content, 0
        for at, end in sorted([(cell.at, cell.end) for cell in cells] + blocks):
            if at < last:
                return None
            fragments += at - last
            last = end
        if fragments + self.usable - last != data[start + 7]:
            return None
        return Page(number, kind, tuple(cells), self._right(data, start, kind), is_exact=True)

    def _remains(self, data: bytes, number: int, kinds: tuple[int, ...]) -> Page:
        """Return the parts that look like cells in a page that is not exact."""
        start = header_at(number)
        kind = data[start] if data[start] in kinds else kinds[0]
        array = start + (8 if is_leaf(kind) else 12)
        cells: list[Cell] = []
        for at in self._pointers(data, array, self._most_cells(data, start, kind)):
            cell = self._cell(data, kind, at) if at > array else None
            if cell is not None and not any(cell.at < other.end and other.at < cell.end for other in cells):
                cells.append(cell)
        return Page(number, kind, tuple(cells), self._right(data, start, kind), is_exact=False, is_changed=True)

    def _pointers(self, data: bytes, array: int, count: int) -> Iterator[int]:
        for at in range(array, array + 2 * count, 2):
            yield int.from_bytes(data[at : at + 2], "big")

    def _most_cells(self, data: bytes, start: int, kind: int) -> int:
        """How many pointers there can be before the first of the cells that they point to."""
        array = start + (8 if is_leaf(kind) else 12)
        lowest, count = self.usable, 0
        while array + 2 * (count + 1) <= lowest:
            at = int.from_bytes(data[array + 2 * count : array + 2 * count + 2], "big")
            if not array + 2 * (count + 1) <= at <= self.usable - _LEAST_CELL:
                break
            lowest, count = min(lowest, at), count + 1
        return count

    def _right(self, data: bytes, start: int, kind: int) -> int:
        return 0 if is_leaf(kind) else int.from_bytes(data[start + 8 : start + 12], "big")

    def _free_blocks(self, data: bytes, start: int, content: int) -> list[tuple[int, int]] | None:
        blocks = []
        at, least = int.from_bytes(data[start + 1 : start + 3], "big"), content
        while at:
            size = int.from_bytes(data[at + 2 : at + 4], "big")
            if at < least or size < _LEAST_CELL or at + size > self.usable:
                return None
            blocks.append((at, at + size))
            at, least = int.from_bytes(data[at : at + 2], "big"), at + size + _MOST_FRAGMENT + 1
        return blocks

    def _cell(self, data: bytes, kind: int, at: int) -> Cell | None:
        """The cell at this place; `None` if it does not fit into the page."""
        if at > self.usable - _LEAST_CELL:
            return None
        begin, child, row_id, payload = at, 0, 0, 0
        if not is_leaf(kind):
            child = int.from_bytes(data[at : at + 4], "big")
            at += 4
            if not child:
                return None
        if kind != TABLE_INTERIOR:
            payload, at = varint(data, at)
        if kind in TABLE_PAGES:
            row_id, at = varint(data, at)
            row_id -= 2**64 if row_id >= 2**63 else 0
        local = payload if kind == TABLE_INTERIOR else self._local(kind, payload)
        end = at + local
        overflow = 0
        if payload > local:
            overflow = int.from_bytes(data[end : end + 4], "big")
            end += 4
        end = max(end, begin + _LEAST_CELL)
        if end > self.usable:
            return None
        return Cell(begin, end, child, row_id, at, payload, overflow, payload - local)

    def _local(self, kind: int, payload: int) -> int:
        """How many bytes of a payload are in the page itself."""
        most = self.usable - 35 if kind == TABLE_LEAF else (self.usable - 12) * 64 // 255 - 23
        if payload <= most:
            return payload
        least = (self.usable - 12) * 32 // 255 - 23
        local = least + (payload - least) % (self.usable - 4)
        return local if local <= most else least


def header_at(number: int) -> int:
    """Where the header of the page begins: the file's own is before that of the first one."""
    return 100 if number == 1 else 0


def is_leaf(kind: int) -> bool:
    return kind in (TABLE_LEAF, INDEX_LEAF)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The integer of one to nine bytes at this place, and where it ends; beyond the end of `data`, it is zeros."""
    value = 0
    for place in range(at, at + 8):
        byte = data[place] if place < len(data) else 0
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    last = data[at + 8] if at + 8 < len(data) else 0
    return value << 8 | last, at + 9


def as_varint(value: int) -> bytes:
    """The shortest form of a row id."""
    value &= 2**64 - 1
    if value >= 2**56:
        high = value >> 8
        return bytes(0x80 | high >> shift & 0x7F for shift in range(49, -1, -7)) + bytes([value & 0xFF])
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | value & 0x7F)
    return bytes(reversed(groups))
