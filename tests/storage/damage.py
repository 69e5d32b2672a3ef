"""Files to damage: a database that holds something of everything, and ways to damage it."""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sidecar.config import DatabaseSettings
from sidecar.storage.sqlite.schema import catalog
from sidecar.storage.unified import UnifiedStorage, document_backend

PAGE = 4096

Content = dict[str, set[tuple[Any, ...]]]
"""All rows of each table."""


def storage_at(directory: Path, stages: Callable[[str, str], None] = lambda *_: None) -> UnifiedStorage:
    return UnifiedStorage.create([document_backend(DatabaseSettings(), directory)], stages)


async def populate(storage: UnifiedStorage, name: str, rows: int = 120) -> None:
    """Add rows of several kinds, all of which have `name` in them."""
    folder = await storage.insert_vaults(title=f"{name} folder", content="", is_folder=True)
    tips = [storage.insert_tip(f"{name} tip {number} {'x' * (number * 7 % 200)}") for number in range(rows)]
    todos = [storage.insert_todo(content=f"{name} todo {number}") for number in range(rows)]
    vaults = [
        storage.insert_vaults(title=f"{name} {number}", content=f"{number} " * 300, parent_id=folder.id)
        for number in range(0, rows, 4)
    ]
    await asyncio.gather(*tips, *todos, *vaults)


def content(path: Path) -> Content:
    """What a database that nobody has open holds, but for what belongs to the file itself."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda text: text.decode(errors="replace")
        names = connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        return {
            name: set(connection.execute(f'SELECT * FROM "{name}"').fetchall())
            for (name,) in names
            if name not in catalog.NOT_SALVAGED and name != "idempotency_keys"
        }


def roots(path: Path) -> Mapping[str, int]:
    """The first page of each table and index."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0").fetchall())


def leaves(path: Path, table: str) -> list[int]:
    """The pages that hold the table's rows, in the order of their keys."""
    data = path.read_bytes()

    def below(number: int) -> list[int]:
        page = data[(number - 1) * PAGE : number * PAGE]
        if page[0] not in (2, 5):  # not an interior page
            return [number]
        cells = int.from_bytes(page[3:5], "big")
        pointers = [int.from_bytes(page[12 + 2 * cell : 14 + 2 * cell], "big") for cell in range(cells)]
        children = [int.from_bytes(page[at : at + 4], "big") for at in pointers]
        return [leaf for child in [*children, int.from_bytes(page[8:12], "big")] for leaf in below(child)]

    return below(roots(path)[table])


def schema_pages(path: Path) -> list[int]:
    """The pages that hold the list of tables, which is longer than one."""
    first = path.read_bytes()[:PAGE]
    cells = int.from_bytes(first[103:105], "big")
    pointers = [int.from_bytes(first[112 + 2 * cell : 114 + 2 * cell], "big") for cell in range(cells)]
    return [1, *(int.from_bytes(first[at : at + 4], "big") for at in (*pointers, 108))]


def overwrite(path: Path, page: int, new: bytes = b"\xa5" * PAGE, at: int = 0) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE + at)
        file.write(new)


def damage_somehow(path: Path, dice: random.Random) -> str:
    """Damage the file, or its log, in one of many ways; says which."""
    log = path.with_name(path.name + "-wal")
    target = log if log.exists() and log.stat().st_size and dice.random() < 0.4 else path
    size = target.stat().st_size
    data = bytearray(target.read_bytes())
    way = dice.choice(["garbage", "zeros", "bits", "cut"])
    if way == "cut":
        length = dice.randrange(size)
        target.write_bytes(data[:length])
        return f"{target.name} cut to {length} of {size} bytes"
    start = dice.randrange(max(1, size // PAGE)) * PAGE
    if way == "bits":
        places = [dice.randrange(start, min(size, start + PAGE)) for _ in range(32)]
        for place in places:
            data[place] ^= 1 << dice.randrange(8)
    else:
        length = min(PAGE, size - start)
        data[start : start + length] = dice.randbytes(length) if way == "garbage" else bytes(length)
    target.write_bytes(data)
    return f"{way} at {start} of {target.name}"


def as_newer(version: int) -> tuple[str, str]:
    """Statements that give a database the schema version of a newer program, in its header and in its history."""
    history = f"INSERT INTO schema_migrations VALUES ({version}, 'of a newer program', '2099-01-01', '99.0')"
    return f"PRAGMA user_version = {version}", history
