"""A store of every schema version answers, after its migration, what its rows say."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from sidecar.storage.sqlite.backup import snapshot

from ..sampling import sampled
from .everything import assert_equal, read_everything, without
from .records import records
from .stores import export, import_archive, opened, read
from .test_round_trips import NOT_EXPORTED
from .versions import VERSIONS, deviations, make, rows_of, truth, truth_of

SCRATCH = {"guard_values", "import_ids"}
"""Have rows only within one transaction."""


async def remove_contexts(store: httpx.AsyncClient) -> None:
    """An export does not carry them, and how often a word is in them counts in every search."""
    for page in (await store.get("/contexts")).raise_for_status().json()["types"].values():
        for context in page["items"]:
            (await store.delete(f"/contexts/{quote(context['id'], safe='')}")).raise_for_status()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_has_rows_of_its_own_and_a_truth_about_them(version: int) -> None:
    assert rows_of(version).is_file()
    assert truth_of(version).is_file()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_a_version_has_rows_in_every_table(tmp_path: Path, version: int) -> None:
    with closing(sqlite3.connect(make(tmp_path, version))) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert {table for table, count in snapshot.count_rows(connection).items() if not count} <= SCRATCH


@pytest.mark.parametrize("version", VERSIONS)
async def test_it_answers_what_its_rows_say(tmp_path: Path, version: int) -> None:
    make(tmp_path, version)
    found = list(deviations(truth(version), records(await read(tmp_path))))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("version", sampled(VERSIONS, every=3))
async def test_it_answers_the_same_after_another_start(tmp_path: Path, version: int) -> None:
    make(tmp_path, version)
    assert_equal(await read(tmp_path), await read(tmp_path))


@pytest.mark.parametrize("version", sampled(VERSIONS, every=3))
async def test_exported_and_imported_it_answers_the_same(tmp_path: Path, version: int) -> None:
    make(tmp_path / "old", version)
    async with opened(tmp_path / "old") as store:
        await remove_contexts(store)
        before = await read_everything(store)
        archive = await export(store)
    async with opened(tmp_path / "new") as store:
        await import_archive(store, archive)
        assert_equal(without(before, NOT_EXPORTED), without(await read_everything(store), NOT_EXPORTED))
