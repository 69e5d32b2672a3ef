"""Damage to one field of one page, of each kind of page and each field that such a page has."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

PAGE = 4096
_SECTOR = 512

INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13

_STRUCTURE = frozenset(
    {
        "type",
        "first free block",
        "cell count",
        "content start",
        "fragmented bytes",
        "right pointer",
        "cell pointer",
        "zeroed",
        "next overflow page",
        "free list",
        "map",
        "header",
    }
)
"""Fields that belong to no row. Damage to any other may read as other values of a row, which SQLite cannot know."""


_MORE_OFTEN = 6
"""How many times more often a page that holds rows is damaged than one of another kind."""


class Corruption(NamedTuple):
    """What was done to a file."""

    page_kind: str
    field: str
    page: int

    @property
    def may_change_values(self) -> bool:
        is_text = self.page_kind == "overflow" and self.field != "next overflow page"
        return is_text or self.field not in _STRUCTURE


class Pages:
    """The pages of a sound file by their kind."""

    def __init__(self, file: Path) -> None:
        self.data = file.read_bytes()
        self.by_kind: dict[str, list[int]] = {"file header": [1]}
        self.trees: dict[int, str] = {}
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            roots = connection.execute("SELECT name, type, rootpage FROM sqlite_schema WHERE rootpage > 0").fetchall()
        for name, _, root in [("sqlite_schema", "table", 1), *roots]:
            self._walk(root, name)
        self._follow_free_list()
        for number in range(2, len(self.data) // PAGE + 1, PAGE // 5 + 1):
            self._note("map", number)

    def _note(self, kind: str, number: int) -> None:
        self.by_kind.setdefault(kind, []).append(number)

    def page(self, number: int) -> bytes:
        return self.data[(number - 1) * PAGE : number * PAGE]

    def _walk(self, number: int, tree: str) -> None:
        page, start = self.page(number), 100 if number == 1 else 0
        kind = page[start]
        self.trees[number] = tree
        part = {INDEX_INTERIOR: "index interior", INDEX_LEAF: "index leaf", TABLE_INTERIOR: "table interior"}
        name = part.get(kind, "table leaf")
        prefix = "schema " if tree == "sqlite_schema" else "search " if tree.startswith("search_index") else ""
        self._note(f"{prefix}{name}", number)
        cells = cells_of(page, number)
        if kind in (INDEX_INTERIOR, TABLE_INTERIOR):
            for cell in cells:
                self._walk(int.from_bytes(page[cell : cell + 4], "big"), tree)
            self._walk(int.from_bytes(page[start + 8 : start + 12], "big"), tree)
        for cell in cells:
            at = overflow_pointer(page, cell, kind)
            while at is not None and (after := int.from_bytes(page[at : at + 4], "big")):
                self._note("overflow", after)
                page_after = self.page(after)
                after = int.from_bytes(page_after[:4], "big")
                while after:
                    self._note("overflow", after)
                    after = int.from_bytes(self.page(after)[:4], "big")
                at = None

    def _follow_free_list(self) -> None:
        trunk = int.from_bytes(self.data[32:36], "big")
        while trunk:
            self._note("free trunk", trunk)
            page = self.page(trunk)
            for place in range(int.from_bytes(page[4:8], "big")):
                self._note("free leaf", int.from_bytes(page[8 + 4 * place : 12 + 4 * place], "big"))
            trunk = int.from_bytes(page[:4], "big")


def corrupt(file: Path, pages: Pages, older: bytes, dice: random.Random) -> Corruption:
    """Damage one field of one page."""
    kind = dice.choice([*pages.by_kind, *["table leaf"] * _MORE_OFTEN])
    number = dice.choice(pages.by_kind[kind])
    data = bytearray(pages.page(number))
    fields = _fields(kind, data, number, dice)
    field = dice.choice(sorted(fields))
    before = bytes(data)
    for _ in range(20):
        fields[field](pages, older)
        if bytes(data) != before:
            break
    with file.open("r+b") as opened:
        opened.seek((number - 1) * PAGE)
        opened.write(data)
    return Corruption(kind, field, number)


_Change = Callable[[Pages, bytes], None]


def _fields(kind: str, data: bytearray, number: int, dice: random.Random) -> dict[str, _Change]:
    """Each field that the page has, and what changes it."""

    def put(at: int, new: bytes) -> None:
        data[at : at + len(new)] = new

    def random_number(at: int, size: int) -> _Change:
        def change(*_: object) -> None:
            old = int.from_bytes(data[at : at + size], "big")
            new = dice.choice(
                [0, 1, old + 1, max(0, old - 1), old ^ 1 << dice.randrange(8 * size), dice.getrandbits(31)]
            )
            put(at, (new % 256**size).to_bytes(size, "big"))

        return change

    def random_page(*_: object) -> None:
        put(0, dice.randbytes(PAGE))

    def another_page(pages: Pages, _: bytes) -> None:
        put(0, pages.page(dice.choice([other for others in pages.by_kind.values() for other in others if other > 1])))

    def older_page(_: Pages, older: bytes) -> None:
        if number * PAGE <= len(older):
            put(0, older[(number - 1) * PAGE : number * PAGE])

    def torn_page(_: Pages, older: bytes) -> None:
        other = older[(number - 1) * PAGE : number * PAGE] if dice.random() < 0.7 else dice.randbytes(PAGE)
        for sector in dice.sample(range(8), dice.randrange(1, 8)):
            put(sector * _SECTOR, other[sector * _SECTOR :][:_SECTOR])

    if kind == "file header":
        return {"header": random_number(dice.randrange(100), 1)}
    whole: dict[str, _Change] = {
        "zeroed": lambda *_: put(0, bytes(PAGE)),
        "random page": random_page,
        "another page": another_page,
        "older page": older_page,
        "torn page": torn_page,
    }
    if kind == "map":
        return {**whole, "map": random_number(dice.randrange(PAGE - 4), 1)}
    if kind in ("free trunk", "free leaf"):
        return {**whole, "free list": random_number(4 * dice.randrange(4), 4)}
    if kind == "overflow":
        return {
            **whole,
            "next overflow page": random_number(0, 4),
            "content": random_number(dice.randrange(4, PAGE), 1),
        }
    return {**whole, **_of_a_tree(data, number, dice, random_number)}


def _of_a_tree(
    data: bytearray, number: int, dice: random.Random, random_number: Callable[[int, int], _Change]
) -> dict[str, _Change]:
    start = 100 if number == 1 else 0
    kind = data[start]
    fields = {
        "type": random_number(start, 1),
        "first free block": random_number(start + 1, 2),
        "cell count": random_number(start + 3, 2),
        "content start": random_number(start + 5, 2),
        "fragmented bytes": random_number(start + 7, 1),
    }
    is_interior = kind in (INDEX_INTERIOR, TABLE_INTERIOR)
    if is_interior:
        fields["right pointer"] = random_number(start + 8, 4)
    cells = cells_of(bytes(data), number)
    if not cells:
        return fields
    place = dice.randrange(len(cells))
    at = cells[place]
    fields["cell pointer"] = random_number(start + (12 if is_interior else 8) + 2 * place, 2)
    if is_interior:
        fields["child pointer"] = random_number(at, 4)
        at += 4
    if kind == TABLE_INTERIOR:
        return {**fields, "row id": random_number(at, 1)}
    fields["payload length"] = random_number(at, 1)
    _, at = varint(bytes(data), at)
    if kind == TABLE_LEAF:
        fields["row id"] = random_number(at, 1)
        _, at = varint(bytes(data), at)
    size, _ = varint(bytes(data), at)
    fields["record header"] = random_number(at + dice.randrange(max(1, min(size, 12))), 1)
    fields["content"] = random_number(min(PAGE - 1, at + size + dice.randrange(8)), 1)
    pointers = [found for cell in cells if (found := overflow_pointer(bytes(data), cell, kind)) is not None]
    if pointers:
        fields["first overflow page"] = random_number(dice.choice(pointers), 4)
    return fields


def cells_of(page: bytes, number: int) -> list[int]:
    """Where the cells of a sound page are."""
    start = 100 if number == 1 else 0
    array = start + (12 if page[start] in (INDEX_INTERIOR, TABLE_INTERIOR) else 8)
    count = int.from_bytes(page[start + 3 : start + 5], "big")
    return [int.from_bytes(page[at : at + 2], "big") for at in range(array, array + 2 * count, 2)]


def overflow_pointer(page: bytes, cell: int, kind: int) -> int | None:
    """Where the number of the first overflow page of a cell is, if it has one."""
    if kind == TABLE_INTERIOR:
        return None
    size, at = varint(page, cell + (4 if kind == INDEX_INTERIOR else 0))
    if kind == TABLE_LEAF:
        _, at = varint(page, at)
    most = PAGE - 35 if kind == TABLE_LEAF else (PAGE - 12) * 64 // 255 - 23
    if size <= most:
        return None
    least = (PAGE - 12) * 32 // 255 - 23
    local = least + (size - least) % (PAGE - 4)
    return at + (local if local <= most else least)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The integer at this place, and where it ends."""
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    return value << 8 | data[at + 8], at + 9
