"""Export and import over a storage that this process has open."""

import asyncio
from typing import IO

from sidecar.models import timestamps
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.transfer import ArchiveManifest, ImportReport
from sidecar.progress import Progress, ProgressCounter, ignore_progress
from sidecar.storage.capabilities import StoreRows
from sidecar.storage.unified import UnifiedStorage
from sidecar.tools.archive import Archive, verified_rows
from sidecar.tools.archive_limits import LIMITS, ArchiveLimits
from sidecar.tools.export import write_archive


async def export_to(
    storage: UnifiedStorage,
    file: IO[bytes],
    markdown: bool = False,
    progress: Progress = ignore_progress,
    *,
    limits: ArchiveLimits = LIMITS,
) -> ArchiveManifest:
    """Write an archive of all rows as of one moment to `file`; returns what it holds."""
    now = timestamps.now(storage.clock)

    def write(rows: StoreRows, store_id: str) -> ArchiveManifest:
        return write_archive(file, rows, store_id, now, markdown, progress, count=rows.count(), limits=limits)

    return await storage.export_rows(write)


async def import_from(
    storage: UnifiedStorage,
    file: IO[bytes],
    dry_run: bool = False,
    progress: Progress = ignore_progress,
    *,
    key: str | None = None,
    limits: ArchiveLimits = LIMITS,
) -> ImportReport:
    """Add what the archive in `file` holds and the store does not. Raises `ArchiveRefused`; nothing is then changed."""
    counter = ProgressCounter(progress)
    archive = await asyncio.to_thread(Archive.verify, file, counter, limits=limits)
    named = None if key is None else IdempotencyKey(key, archive.digest)
    return await storage.import_rows(archive.rows(counter), archive.manifest.store_id, dry_run, key=named)


async def import_rows(
    storage: UnifiedStorage,
    rows: StoreRows,
    store_id: str,
    dry_run: bool = False,
    progress: Progress = ignore_progress,
) -> ImportReport:
    """Add what another store holds and this one does not. Raises `ArchiveRefused`; nothing is then changed."""
    counter = ProgressCounter(progress, rows.count())
    return await storage.import_rows(verified_rows(rows, counter), store_id, dry_run)
