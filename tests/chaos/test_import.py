"""An import of which any SQL statement fails: nothing of it is in the store, and it can be done again."""

import io
import sqlite3
from pathlib import Path

import pytest

from sidecar.errors import SidecarError
from sidecar.tools.local import import_from

from ..storage.damage import storage_at
from ..tools.conftest import archive_of, content_of, fill
from .conftest import Statements


@pytest.fixture
async def archive(tmp_path: Path) -> io.BytesIO:
    """An export of a store that holds something of everything."""
    source = storage_at(tmp_path / "source")
    await source.initialize()
    await fill(source)
    exported = await archive_of(source)
    await source.close()
    return exported


async def test_whatever_statement_fails_nothing_is_imported_and_the_store_goes_on(
    tmp_path: Path, archive: io.BytesIO, statements: Statements
) -> None:
    target = storage_at(tmp_path / "target")
    await target.initialize()
    await target.insert_tip("was here before")
    before = await content_of(target)
    number = 0
    while True:
        number += 1
        archive.seek(0)
        statements.fail(number)
        try:
            report = await import_from(target, archive, key="once")
        except (SidecarError, sqlite3.Error):
            statements.fail(0)
            assert await content_of(target) == before, number
        else:
            break
    assert statements.count == number - 1 > 50
    statements.fail(0)
    assert report.added > 0
    assert {tip["content"] for tip in (await content_of(target))["tips"]} == {"was here before", "drink"}
    await target.close()
