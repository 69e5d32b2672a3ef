"""The first 100 bytes of a database file (https://sqlite.org/fileformat.html, section 1.3), and how to do without them.

SQLite reads nothing of a file whose header is wrong. All of it that reading needs can be derived from the pages.
"""

from collections.abc import Iterable
from mmap import mmap
from typing import NamedTuple

from sidecar.storage.sqlite.files.pages import INDEX_PAGES, TABLE_PAGES, PageFile

SIZE = 100

_MAGIC = b"SQLite format 3\x00"
_PAYLOAD_FRACTIONS = bytes([64, 32, 32])
_LATEST_FORMAT = 4
_LATEST_VERSION = 2
_PAGE_SIZES = tuple(512 << shift for shift in range(8))
_USUAL_PAGE_BYTES = 4096
_LEAST_USABLE = 480

_PROBED_PAGES = 64
"""How many pages are enough to tell how large a page is."""

_ENCODINGS = {1: "utf-8", 3: "utf-16-be", 2: "utf-16-le"}
"""In this order: a text in UTF-16BE has one in UTF-16LE in it, one byte later."""


class Geometry(NamedTuple):
    """How the file is divided into pages."""

    page_bytes: int
    reserved: int


def geometry(data: bytes | mmap, *others: bytes) -> Geometry:
    """The geometry with which most pages make sense. `others` are headers that may be the same: of a backup."""
    given = [Geometry(page_bytes_of(header), header[20]) for header in (data[:SIZE], *others) if len(header) == SIZE]
    guesses = [*given, *(Geometry(one.page_bytes, 0) for one in given), Geometry(_USUAL_PAGE_BYTES, 0)]
    guesses += [Geometry(size, 0) for size in _PAGE_SIZES]
    possible = [one for one in dict.fromkeys(guesses) if _is_possible(one)]
    return max(possible, key=lambda one: _sound_bytes(data, one))  # of equals, the first


def page_bytes_of(header: bytes) -> int:
    """The page size that a header names."""
    size = int.from_bytes(header[16:18], "big")
    return 65536 if size == 1 else size


def repaired(data: bytes | mmap, found: Geometry, *, has_log: bool) -> bytes:
    """The header with which the file can be read. What only writing needs, such as the list of free pages, is left
    out; what the application put into it stays."""
    header = bytearray(data[:SIZE].ljust(SIZE, b"\x00"))
    header[:16] = _MAGIC
    header[16:18] = (1 if found.page_bytes == 65536 else found.page_bytes).to_bytes(2, "big")
    header[18:20] = bytes([2, 2] if has_log else [1, 1])
    header[20] = found.reserved
    header[21:24] = _PAYLOAD_FRACTIONS
    header[28:32] = (len(data) // found.page_bytes).to_bytes(4, "big")
    header[32:40] = bytes(8)
    header[44:48] = _LATEST_FORMAT.to_bytes(4, "big")
    header[48:52] = bytes(4)
    header[52:56] = header[64:68] = bytes(4)
    header[56:60] = _encoding(data).to_bytes(4, "big")
    header[72:92] = bytes(20)
    header[92:96] = header[24:28]
    return bytes(header)


def is_damaged(header: bytes, repaired: bytes) -> bool:
    """Return whether SQLite cannot read or write a file with this header; `repaired` is the one that it can."""
    fixed = [slice(0, 18), slice(20, 24), slice(56, 60)]
    return any(header[part] != repaired[part] for part in fixed) or max(header[18:20]) > _LATEST_VERSION


def _is_possible(found: Geometry) -> bool:
    return found.page_bytes in _PAGE_SIZES and found.page_bytes - found.reserved >= _LEAST_USABLE


def _sound_bytes(data: bytes | mmap, found: Geometry) -> int:
    """How much of the beginning of the file makes sense as pages of a table or an index."""
    file = PageFile(data, *found)
    numbers: Iterable[int] = range(1, min(file.count, _PROBED_PAGES * _USUAL_PAGE_BYTES // found.page_bytes) + 1)
    sound = 0
    for number in numbers:
        page = file.page_as_stored(number, (*TABLE_PAGES, *INDEX_PAGES))
        if page is not None:
            sound += sum(cell.end - cell.at for cell in page.cells)
    return sound


def _encoding(data: bytes | mmap) -> int:
    """Return how texts are stored, by the statements of the schema, or by the header if there are none."""
    beginning = data[: 1024 * 1024]
    counts = {number: beginning.count("CREATE ".encode(name)) for number, name in _ENCODINGS.items()}
    best = max(counts, key=lambda number: counts[number])
    stated = int.from_bytes(data[56:60], "big")
    if counts[best] == 0:
        return stated if stated in _ENCODINGS else 1
    return best
