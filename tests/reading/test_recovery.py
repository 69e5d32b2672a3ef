"""What a store answers after the recovery of a damaged file is what it answered before, where nothing was lost."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.storage.sqlite.schema import upgrade

from ..sampling import sampled
from ..storage.damage import leaves, overwrite, roots
from .everything import Answers, assert_equal, read_everything
from .populated import populate
from .stores import database, opened, read


def named(kind: str) -> list[str]:
    """The tables, or the indexes, that a new store has pages for."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        upgrade.bring_up_to_date(connection, None, lambda *_: None, clock=SYSTEM_CLOCK)
        sql = "SELECT name FROM sqlite_schema WHERE type = ? AND rootpage > 0 AND name != 'sqlite_sequence'"
        return [name for (name,) in connection.execute(sql, (kind,))]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answers]:
    """A directory with a populated store and a backup of it, and what that answers."""
    directory = tmp_path_factory.mktemp("template")

    async def make() -> Answers:
        async with opened(directory) as store:
            await populate(store)
            (await store.post("/backups", json={})).raise_for_status()
            return await read_everything(store)

    return directory, asyncio.run(make())


@pytest.mark.parametrize("table", sampled(named("table"), every=8))
async def test_a_damaged_table_comes_from_a_backup(template: tuple[Path, Answers], tmp_path: Path, table: str) -> None:
    directory = Path(shutil.copytree(template[0], tmp_path / "data"))
    overwrite(database(directory), leaves(database(directory), table)[-1])
    assert_equal(template[1], await read(directory))


async def test_damaged_indexes_are_made_of_their_tables(template: tuple[Path, Answers], tmp_path: Path) -> None:
    directory = Path(shutil.copytree(template[0], tmp_path / "data"))
    shutil.rmtree(directory / "backups")
    pages = roots(database(directory))
    for index in named("index"):
        overwrite(database(directory), pages[index])
    assert_equal(template[1], await read(directory))
