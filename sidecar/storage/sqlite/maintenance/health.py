"""The health of an open database, part by part, with numbers."""

import asyncio
import os
import shutil
from collections.abc import Awaitable
from pathlib import Path

from sidecar.clock import Clock
from sidecar.errors import SidecarError
from sidecar.models.health import Component
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.files import wal

PROBE_TOPIC = "health"
"""Told when the disk takes writes again."""

PATIENCE_S = 2.0
"""How long a part may take to answer before it counts as stuck."""

LEAST_FREE_BYTES = 64 * 1024 * 1024
"""With less left on the disk, a checkpoint or a backup may find no room."""

LARGEST_LOG_BYTES = 256 * 1024 * 1024
"""A write-ahead log above this is one that no checkpoint empties."""


async def check(database: Database) -> dict[str, Component]:
    """Each part's state; never raises."""
    components = {
        "writer": await _timed(database.write(_try_again if database.commits.refusal else _do_nothing), database.clock),
        "readers": await _timed(
            database.read(lambda connection: connection.execute("SELECT 1").fetchone()), database.clock
        ),
        "schema": await _schema(database),
    }
    components["writer"].measures |= {
        "waiting": float(database.waiting),
        "last_commit_ms": round(database.commits.last_ms, 3),
    }
    if database.location is not None:
        components["disk"] = _disk(database.location)
        components["write_ahead_log"] = _write_ahead_log(database.location)
    return components


def _do_nothing(_: SQLiteWork) -> None:
    """Shows that the writer answers."""


def _try_again(work: SQLiteWork) -> None:
    """A write that needs room, after the disk has refused one: whether the cause is gone is found out by trying."""
    size = 4 * work.connection.execute("PRAGMA page_size").fetchone()[0]
    work.connection.execute("CREATE TABLE health_probe (content BLOB)")
    work.connection.execute("INSERT INTO health_probe VALUES (zeroblob(?))", (size,))
    work.connection.execute("DROP TABLE health_probe")
    work.changed(PROBE_TOPIC, "writable")


async def _timed(work: Awaitable[object], clock: Clock) -> Component:
    started = clock.monotonic()
    try:
        await asyncio.wait_for(work, PATIENCE_S)
    except TimeoutError:
        return Component(ok=False, detail=f"no answer within {PATIENCE_S:g} s")
    except SidecarError as error:
        return Component(ok=False, detail=error.message)
    return Component(ok=True, measures={"answer_ms": round((clock.monotonic() - started) * 1000, 3)})


async def _schema(database: Database) -> Component:
    try:
        version = await database.read(lambda connection: connection.execute("PRAGMA user_version").fetchone()[0])
    except SidecarError as error:
        return Component(ok=False, detail=error.message)
    return Component(ok=True, measures={"version": float(version)})


def _disk(location: Path) -> Component:
    if not os.access(location.parent, os.W_OK):
        return Component(ok=False, detail="the data directory cannot be written to; check its permissions")
    try:
        free = shutil.disk_usage(location.parent).free
    except OSError as error:
        return Component(ok=False, detail=f"the data directory cannot be looked at: {error.strerror}")
    enough = free >= LEAST_FREE_BYTES
    return Component(
        ok=enough, detail=None if enough else "the disk is almost full", measures={"free_bytes": float(free)}
    )


def _write_ahead_log(location: Path) -> Component:
    size = wal.size(location)
    small = size <= LARGEST_LOG_BYTES
    detail = None if small else "the write-ahead log is not being emptied"
    return Component(ok=small, detail=detail, measures={"bytes": float(size)})
