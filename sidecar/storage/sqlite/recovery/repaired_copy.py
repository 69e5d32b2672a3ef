"""A copy of a damaged database in which SQLite can read every row that is left, and what is known of the others.

The damaged file is evidence and is never written to. In the copy, the log is in the file, the header is right, and the
trees of tables lead to all leaves that hold rows of theirs, and to nothing else.
"""

import logging
import mmap
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sidecar.storage.sqlite.files import header as file_header
from sidecar.storage.sqlite.files import wal
from sidecar.storage.sqlite.files.pages import (
    TABLE_INTERIOR,
    TABLE_LEAF,
    Columns,
    Page,
    PageFile,
    as_varint,
    header_at,
    is_leaf,
)
from sidecar.storage.sqlite.recovery.damaged_reader import READ_ERRORS, open_damaged
from sidecar.storage.sqlite.recovery.page_scan import Leaf, PageScan, TableTree
from sidecar.storage.sqlite.schema.catalog import tables

log = logging.getLogger(__name__)

_SCHEMA_ROOT = 1
_SCHEMA_COLUMNS = Columns(5, None, frozenset({0, 1, 2, 4}))


class Condition(NamedTuple):
    """The state of the tables and indexes of a damaged database, as its pages show it."""

    tables: dict[str, TableTree]
    """The tables with row ids."""
    whole: frozenset[str]
    """The indexes, and the tables without row ids, no page of which is damaged."""
    is_whole_schema: bool


class RepairedCopy(NamedTuple):
    """The copy, opened for reading."""

    connection: sqlite3.Connection
    condition: Condition
    had_damaged_header: bool = False

    @property
    def problems(self) -> list[str]:
        """Damage beside the tables, for a person."""
        problems = []
        if self.had_damaged_header:
            problems.append("The header of the file is damaged; the rows were read with a header made from its pages.")
        if not self.condition.is_whole_schema:
            problems.append("The list of tables is damaged; tables of other programs may be missing.")
        return problems


@contextmanager
def repaired_copy(path: Path, scratch: Path, backup: Path | None = None) -> Iterator[RepairedCopy]:
    """Copy the database at `path`, which nobody has open, to `scratch` for a while. Raises `OSError`, and one of
    `READ_ERRORS` when not even the list of the tables can be read."""
    try:
        header = b"" if backup is None else _beginning(backup)
        had_damaged_header = _copy_with_log(path, scratch, header)
        condition = _mend(scratch, header)
        with closing(_opened(scratch)) as connection:
            yield RepairedCopy(connection, condition, had_damaged_header)
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            scratch.with_name(scratch.name + ending).unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    connection = open_damaged(path)
    connection.execute("PRAGMA writable_schema = ON")  # has SQLite go on with what it can read of the schema
    return connection


def _copy_with_log(path: Path, scratch: Path, header: bytes) -> bool:
    """Copy the file and have SQLite put into it what it can read of the log; return whether the header was damaged."""
    shutil.copyfile(path, scratch)
    has_log = wal.has_content(path)
    was_damaged = _write_header(scratch, header, has_log=has_log)
    if has_log:
        scratch_log = wal.wal_path(scratch)
        shutil.copyfile(wal.wal_path(path), scratch_log)
        try:
            with closing(sqlite3.connect(scratch, isolation_level=None)) as connection:
                connection.execute("PRAGMA writable_schema = ON")  # as in `_opened`
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except READ_ERRORS as error:
            log.warning("nothing in the log of the damaged database can be read: %s", error)
        scratch_log.unlink(missing_ok=True)
        _write_header(scratch, header, has_log=False)
    return was_damaged


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(file_header.SIZE)


def _write_header(path: Path, other: bytes, *, has_log: bool) -> bool:
    """Give the file a header that is right; return whether it had none."""
    with path.open("r+b") as file:
        data = _content(file)
        header = file_header.repaired(data, file_header.geometry(data, other), has_log=has_log)
        was_damaged = len(data) >= file_header.SIZE and file_header.is_damaged(data[: file_header.SIZE], header)
        if isinstance(data, mmap.mmap):
            data.close()
        file.seek(0)
        file.write(header)
    return was_damaged


def _content(file: BinaryIO) -> bytes | mmap.mmap:
    """The content of a file, which may be larger than the memory; an empty one cannot be mapped."""
    if file.seek(0, 2) == 0:
        return b""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _mend(path: Path, other: bytes) -> Condition:
    """Put the trees right, the schema's first: the others are known by it."""
    with path.open("r+b") as file:
        with _pages_of(file, other) as pages:
            schema = PageScan(pages).table(_SCHEMA_ROOT, _SCHEMA_COLUMNS)
            if not schema.leaves:
                raise sqlite3.DatabaseError("the list of tables cannot be read")
            _TreeWriter(file, pages).put(schema)
        with _pages_of(file, other) as pages:
            with closing(_opened(path)) as connection:
                roots = _roots(connection)
            scan = PageScan(pages)
            writer = _TreeWriter(file, pages)
            found, whole = {}, set()
            for name, root, columns in roots:
                if columns is None:
                    tree = scan.index(root)
                    for page in tree.changed:
                        writer.put_header(page)
                    whole.update([name] if tree.is_whole else [])
                else:
                    found[name] = scan.table(root, columns)
                    writer.put(found[name])
    return Condition(found, frozenset(whole), not schema.unknown)


@contextmanager
def _pages_of(file: BinaryIO, other: bytes) -> Iterator[PageFile]:
    """The pages as they are now; what is written meanwhile is not seen reliably."""
    file.flush()
    data = _content(file)
    try:
        yield PageFile(data, *file_header.geometry(data, other))
    finally:
        if isinstance(data, mmap.mmap):
            data.close()


def _roots(connection: sqlite3.Connection) -> list[tuple[str, int, Columns | None]]:
    """Each table that is salvaged, and each of their indexes, with its first page; tables with row ids with their
    columns."""
    has_row_ids = {table.name: table.has_row_ids for table in tables(connection)} | {"sqlite_sequence": True}
    roots: list[tuple[str, int, Columns | None]] = []
    sql = "SELECT type, name, tbl_name, rootpage FROM sqlite_schema WHERE typeof(rootpage) = 'integer' AND rootpage > 0"
    for kind, name, table, root in connection.execute(sql).fetchall():
        if table in has_row_ids:
            is_by_row_id = kind == "table" and has_row_ids[table]
            roots.append((str(name), root, _columns(connection, name) if is_by_row_id else None))
    return roots


def _columns(connection: sqlite3.Connection, table: str) -> Columns:
    stored = connection.execute(
        "SELECT upper(type), pk FROM pragma_table_xinfo(?) WHERE hidden != 2 ORDER BY cid", (table,)
    ).fetchall()
    keys = [place for place, (_, pk) in enumerate(stored) if pk]
    has_key_index = connection.execute("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'", (table,)).fetchone()
    row_id = keys[0] if len(keys) == 1 and stored[keys[0]][0] == "INTEGER" and has_key_index is None else None
    texts = frozenset(
        place
        for place, (declared, _) in enumerate(stored)
        if "INT" not in declared and any(word in declared for word in ("CHAR", "CLOB", "TEXT"))
    )
    return Columns(len(stored), row_id, texts)


class _TreeWriter:
    """Rewrites the upper pages of tables, above the leaves that were found."""

    def __init__(self, file: BinaryIO, pages: PageFile) -> None:
        self._file = file
        self._pages = pages
        self._next = pages.count + 1
        self._fan_out = (pages.usable - file_header.SIZE - 12) // 15  # a pointer, a page's number, a row id

    def put(self, tree: TableTree) -> None:
        """Have SQLite read the leaves of this tree, and nothing else."""
        if tree.is_as_stored or not self._pages.has(tree.root):
            return
        for leaf in tree.leaves:
            if leaf.cells is not None:
                self._write(leaf.number, self._leaf(leaf.number, self._pages.bytes_of(leaf.number), leaf.cells))
        below = [(leaf.number, leaf.last) for leaf in tree.leaves]
        if [number for number, _ in below] == [tree.root]:
            return
        if not below:
            self._write(tree.root, self._leaf(tree.root, self._pages.bytes_of(tree.root), ()))
        elif len(below) == 1 and tree.root != _SCHEMA_ROOT:  # SQLite refuses a page above a single one
            self._write(tree.root, self._single(tree.leaves[0]))
        else:
            while len(below) > self._fan_out:
                below = [self._append(group) for group in _even_groups(below, self._fan_out)]
            self._write(tree.root, self._interior(tree.root, below))
        self._write_count()

    def put_header(self, page: Page) -> None:
        """Correct a page's kind and number of cells."""
        data, start = bytearray(self._pages.bytes_of(page.number)), header_at(page.number)
        data[start] = page.kind
        data[start + 3 : start + 5] = len(page.cells).to_bytes(2, "big")
        self._write(page.number, bytes(data))

    def _single(self, leaf: Leaf) -> bytes:
        data = self._pages.bytes_of(leaf.number)
        return data if leaf.cells is None else self._leaf(leaf.number, data, leaf.cells)

    def _leaf(self, number: int, data: bytes, cells: tuple[int, ...]) -> bytes:
        content = min(cells, default=self._pages.usable)
        return self._page(number, data, TABLE_LEAF, content, b"", cells)

    def _append(self, below: list[tuple[int, int]]) -> tuple[int, int]:
        if self._next == self._pages.lock_page:
            self._next += 1
        number = self._next
        self._next += 1
        self._write(number, self._interior(number, below))
        return number, below[-1][1]

    def _interior(self, number: int, below: list[tuple[int, int]]) -> bytes:
        data = bytearray(self._pages.bytes_of(number).ljust(self._pages.page_bytes, b"\x00"))
        at, cells = self._pages.usable, []
        for child, last in below[:-1]:
            cell = child.to_bytes(4, "big") + as_varint(last)
            at -= len(cell)
            data[at : at + len(cell)] = cell
            cells.append(at)
        return self._page(number, bytes(data), TABLE_INTERIOR, at, below[-1][0].to_bytes(4, "big"), tuple(cells))

    def _page(self, number: int, data: bytes, kind: int, content: int, right: bytes, cells: tuple[int, ...]) -> bytes:
        start = header_at(number)
        header = bytes([kind, 0, 0, *len(cells).to_bytes(2, "big"), *(content % 65536).to_bytes(2, "big"), 0]) + right
        pointers = b"".join(at.to_bytes(2, "big") for at in cells)
        assert is_leaf(kind) == (not right)
        return data[:start] + header + pointers + data[start + len(header) + len(pointers) :]

    def _write(self, number: int, data: bytes) -> None:
        self._file.seek((number - 1) * self._pages.page_bytes)
        self._file.write(data)

    def _write_count(self) -> None:
        self._file.seek(28)
        self._file.write((self._next - 1).to_bytes(4, "big"))


def _even_groups(items: list[tuple[int, int]], most: int) -> list[list[tuple[int, int]]]:
    """Groups of about the same length, none longer than `most`."""
    count = -(-len(items) // most)
    bounds = [len(items) * place // count for place in range(count + 1)]
    return [items[first:last] for first, last in pairwise(bounds)]
