"""A database of a seed's system answers every read operation after its adoption, and equally after an export."""

from pathlib import Path

import pytest

from ..sampling import sampled
from ..storage.test_adoption import SEEDS, make
from .everything import assert_equal, read_everything, without
from .records import records
from .stores import database, export, import_archive, opened, read
from .test_round_trips import NOT_EXPORTED

SHAPES = sorted(path.stem for path in SEEDS.glob("*.sql"))


@pytest.fixture
def adopted(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A data directory with a database of the shape that the test asks for; the first start adopts it."""
    directory = tmp_path / "adopted"
    directory.mkdir()
    make(request.param, database(directory))
    return directory


shapes = pytest.mark.parametrize("adopted", sampled(SHAPES, every=2), indirect=True)


@shapes
async def test_every_read_operation_answers_and_each_row_reads_the_same_in_every_way(adopted: Path) -> None:
    assert records(await read(adopted))


@shapes
async def test_it_answers_the_same_after_another_start(adopted: Path) -> None:
    assert_equal(await read(adopted), await read(adopted))


@shapes
async def test_exported_and_imported_it_answers_the_same(adopted: Path, tmp_path: Path) -> None:
    async with opened(adopted) as store:
        before = await read_everything(store)
        archive = await export(store)
    async with opened(tmp_path / "imported") as store:
        await import_archive(store, archive)
        assert_equal(without(before, NOT_EXPORTED), without(await read_everything(store), NOT_EXPORTED))
