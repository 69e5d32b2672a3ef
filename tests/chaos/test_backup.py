"""Backups and exports of which any SQL statement fails: reported, nothing half made is left, and the store goes on."""

import io
from pathlib import Path

import pytest

from sidecar.errors import SidecarError
from sidecar.models.idempotency import IdempotencyKey
from sidecar.tools.local import export_to

from ..storage.damage import storage_at
from .conftest import Statements

pytestmark = pytest.mark.slow


async def test_a_backup_is_made_once_or_not_at_all(tmp_path: Path, statements: Statements) -> None:
    store = storage_at(tmp_path)
    await store.initialize()
    await store.insert_tip("kept")
    key = IdempotencyKey("once")
    number = 0
    while True:
        number += 1
        statements.fail(number)
        try:
            made = await store.create_backup(key=key)
        except SidecarError:
            statements.fail(0)
            assert not list((tmp_path / "backups").glob("*.partial"))
            assert len((await store.get_backups()).items) <= 1, number
        else:
            break
    statements.fail(0)
    assert number > 10
    assert (await store.get_backups()).items == [made]
    assert made.is_verified
    await store.close()


async def test_a_sound_backup_is_not_called_damaged(tmp_path: Path, statements: Statements) -> None:
    store = storage_at(tmp_path)
    await store.initialize()
    backups = [await store.create_backup(), await store.create_backup()]
    number, is_done = 0, False
    while not is_done:
        number += 1
        statements.fail(number)
        try:
            await store.verify_backup(backups[0].name)
            is_done = statements.count < number
        except SidecarError:
            statements.fail(0)
            assert [backup.damage for backup in (await store.get_backups()).items] == [None, None], number
    statements.fail(0)
    await store.delete_backup(backups[0].name)
    assert (await store.get_backups()).items == [backups[1]]
    await store.close()


async def test_an_export_is_whole_or_reported(tmp_path: Path, statements: Statements) -> None:
    store = storage_at(tmp_path)
    await store.initialize()
    await store.insert_tip("kept")
    whole = io.BytesIO()
    await export_to(store, whole, False)
    number, is_done = 0, False
    while not is_done:
        number += 1
        statements.fail(number)
        archive = io.BytesIO()
        try:
            await export_to(store, archive, False)
        except SidecarError:
            continue
        assert abs(archive.tell() - whole.tell()) < 200, number
        is_done = statements.count < number
    statements.fail(0)
    assert number > 10
    await store.close()
