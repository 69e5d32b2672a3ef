"""A restore of which any SQL statement fails: the store is the old one or the new one, whole, and goes on."""

import sqlite3
from pathlib import Path

from sidecar.errors import SidecarError
from sidecar.storage.capabilities import RestoreJob
from sidecar.storage.unified import UnifiedStorage

from ..sampling import STEP
from ..storage.damage import storage_at
from .conftest import Statements


async def tips(store: UnifiedStorage) -> set[str]:
    return {tip.content for tip in (await store.get_tips(limit=1_000)).items}


async def test_whatever_statement_fails_the_store_is_the_old_or_the_new_one(
    tmp_path: Path, statements: Statements
) -> None:
    store = storage_at(tmp_path)
    await store.initialize()
    await store.insert_tip("kept")
    left = await store.create_job("left", run="another-1")
    backup = await store.create_backup()
    failures, number, is_done = 0, 0, False
    while not is_done:
        number += STEP
        await store.insert_tip(f"replaced {number}")
        old = await tips(store)
        job = await store.create_job("backups.restore", run=f"this-{number}")
        statements.fail(number)
        try:
            await store.restore_backup(backup.name, job=RestoreJob(job.id, None))
            is_done = statements.count < number
        except (SidecarError, sqlite3.Error):
            failures += 1
        statements.fail(0)
        now = await tips(store)
        assert now in (old, {"kept"}), number
        own = await store.get_job(job.id)
        assert (own.name, own.status) == ("backups.restore", "running" if now == old else "done"), number
        if now != old:
            assert (await store.get_job(left.id)).status == "interrupted"
    assert failures > 20 // STEP
    assert await tips(store) == {"kept"}
    await store.insert_tip("goes on")
    await store.close()
    store = storage_at(tmp_path)
    await store.initialize()
    assert await tips(store) == {"kept", "goes on"}
    await store.close()
