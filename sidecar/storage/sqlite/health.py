"""Whether an open database works, part by part, and the numbers behind that. Looks, and changes nothing."""

import asyncio
import math
import os
import shutil
from collections.abc import Awaitable, Sequence
from pathlib import Path

from sidecar.clock import Clock
from sidecar.errors import SidecarError
from sidecar.models.health import Component
from sidecar.models.monitoring import DatabaseLoad
from sidecar.storage.sqlite import log_file
from sidecar.storage.sqlite.database import Database
from sidecar.storage.sqlite.work import Work

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


def load(database: Database) -> DatabaseLoad:
    """How busy the database is."""
    commits = sorted(database.commits.recent_ms)
    return DatabaseLoad(
        waiting=database.waiting,
        commit_median_ms=_quantile(commits, 0.5),
        commit_p95_ms=_quantile(commits, 0.95),
        write_ahead_log_bytes=None if database.location is None else _log_bytes(database.location),
    )


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the values does not exceed; `None` without any."""
    return round(ordered[math.ceil(share * len(ordered)) - 1], 3) if ordered else None


def _do_nothing(_: Work) -> None:
    """Shows that the writer answers."""


def _try_again(work: Work) -> None:
    """A write that needs room, after the disk has refused one: whether the cause is gone is found out by trying."""
    size = 4 * work.connection.execute("PRAGMA page_size").fetchone()[0]
    work.connection.execute(
        "INSERT INTO import_ids (kind, source_id, row_id, is_added) VALUES ('probe', zeroblob(?), 0, 0)", (size,)
    )
    work.connection.execute("DELETE FROM import_ids WHERE kind = 'probe'")
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
    size = _log_bytes(location)
    small = size <= LARGEST_LOG_BYTES
    detail = None if small else "the write-ahead log is not being emptied"
    return Component(ok=small, detail=detail, measures={"bytes": float(size)})


def _log_bytes(location: Path) -> int:
    try:
        return log_file.log_path(location).stat().st_size
    except FileNotFoundError:
        return 0
