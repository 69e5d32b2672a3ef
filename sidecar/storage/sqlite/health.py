"""Whether an open database works, part by part, and the numbers behind that. Looks, and changes nothing."""

import asyncio
import shutil
from collections.abc import Awaitable
from pathlib import Path
from time import perf_counter

from sidecar.errors import SidecarError
from sidecar.models.health import Component
from sidecar.storage.sqlite.database import Database

PATIENCE_S = 2.0
"""How long a part may take to answer before it counts as stuck."""

LEAST_FREE_BYTES = 64 * 1024 * 1024
"""With less left on the disk, a checkpoint or a backup may find no room."""

LARGEST_LOG_BYTES = 256 * 1024 * 1024
"""A write-ahead log above this is one that no checkpoint empties."""


async def check(database: Database) -> dict[str, Component]:
    """Each part's state; never raises."""
    components = {
        "writer": await _timed(database.write(lambda _: None)),
        "readers": await _timed(database.read(lambda connection: connection.execute("SELECT 1").fetchone())),
        "schema": await _schema(database),
    }
    components["writer"].measures |= {
        "waiting": float(database.waiting),
        "last_commit_ms": round(database.last_commit_ms, 3),
    }
    if database.location is not None:
        components["disk"] = _disk(database.location)
        components["write_ahead_log"] = _write_ahead_log(database.location)
    return components


async def _timed(work: Awaitable[object]) -> Component:
    started = perf_counter()
    try:
        await asyncio.wait_for(work, PATIENCE_S)
    except TimeoutError:
        return Component(ok=False, detail=f"no answer within {PATIENCE_S:g} s")
    except SidecarError as error:
        return Component(ok=False, detail=error.message)
    return Component(ok=True, measures={"answer_ms": round((perf_counter() - started) * 1000, 3)})


async def _schema(database: Database) -> Component:
    try:
        version = await database.read(lambda connection: connection.execute("PRAGMA user_version").fetchone()[0])
    except SidecarError as error:
        return Component(ok=False, detail=error.message)
    return Component(ok=True, measures={"version": float(version)})


def _disk(location: Path) -> Component:
    try:
        free = shutil.disk_usage(location.parent).free
    except OSError as error:
        return Component(ok=False, detail=f"the data directory cannot be looked at: {error.strerror}")
    enough = free >= LEAST_FREE_BYTES
    return Component(
        ok=enough, detail=None if enough else "the disk is almost full", measures={"free_bytes": float(free)}
    )


def _write_ahead_log(location: Path) -> Component:
    log = location.with_name(location.name + "-wal")
    size = log.stat().st_size if log.exists() else 0
    small = size <= LARGEST_LOG_BYTES
    detail = None if small else "the write-ahead log is not being emptied"
    return Component(ok=small, detail=detail, measures={"bytes": float(size)})
