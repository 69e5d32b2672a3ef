"""Upkeep of the database file and of rows that nobody asks for any more.

What can be cut into pieces is a short unit of work. What cannot, runs where no unit is, and ends when one comes.
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from sidecar.models.doctor import Finding, Level
from sidecar.storage.capabilities import Checkpoint, IMaintenance
from sidecar.storage.interfaces import bookkeeping
from sidecar.storage.resources.all import TABLES
from sidecar.storage.resources.rows.declaration import Declaration
from sidecar.storage.sqlite.engine import pragmas
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.files import open_mark, wal
from sidecar.storage.sqlite.recovery.store import Recoveries

LONGEST_STEP_S = 0.006
"""Before the commit; what one row or page costs comes on top."""

LARGE_LOG_BYTES = 32 * 1024 * 1024
"""A log's file above this is made empty; smaller ones are written over from the start, which is faster."""

OLDEST_KEYS = "SELECT key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at, key LIMIT ?"

_ANALYSED_ROWS = 400
"""Of each index; SQLite's own advice (https://sqlite.org/lang_analyze.html, "Approximate ANALYZE")."""

_OPTIMIZE_TELLS_ONLY = 0x10003
"""Of all tables, say which ones to analyse, and do not do it (https://sqlite.org/pragma.html#pragma_optimize)."""


class SQLiteMaintenance(IMaintenance):
    """The maintenance of one database."""

    def __init__(
        self,
        database: Database,
        recoveries: Recoveries,
        tables: Mapping[str, Declaration] = TABLES,
        *,
        large_log_bytes: int = LARGE_LOG_BYTES,
    ) -> None:
        self._database = database
        self._tables = tables
        self._recoveries = recoveries
        self._large_log_bytes = large_log_bytes

    def writer_is_idle(self) -> bool:
        return self._database.is_idle

    async def prune_idempotency_keys(self, before: str, limit: int) -> int:
        @bookkeeping
        def unit(work: SQLiteWork) -> int:
            deadline = work.clock.monotonic() + LONGEST_STEP_S
            removed = 0
            for (key,) in work.connection.execute(OLDEST_KEYS, (before, limit)).fetchall():
                work.connection.execute("DELETE FROM idempotency_keys WHERE key = ?", (key,))
                removed += 1
                if work.clock.monotonic() > deadline:
                    break
            return removed

        return await self._database.write(unit)

    async def examine_database(self) -> list[Finding]:
        from sidecar.storage.sqlite.maintenance import diagnostics  # a person asks for it, seldom

        is_lost = self._recoveries.check_file()
        findings = await self._database.read_isolated(partial(diagnostics.examine, tables=self._tables))
        if not is_lost:
            return findings
        lost = self._recoveries.recovery_health().detail or ""
        return [Finding(level=Level.PROBLEM, subject="database", message=lost), *findings]

    async def count_free_pages(self) -> int:
        return await self._database.read(_free_pages)

    async def give_back_pages(self, limit: int, keep: int) -> int:
        def unit(work: SQLiteWork) -> int:
            (mode,) = work.connection.execute("PRAGMA auto_vacuum").fetchone()
            before = _free_pages(work.connection)
            if mode != pragmas.INCREMENTAL or before <= keep:
                return 0
            deadline = work.clock.monotonic() + LONGEST_STEP_S
            for _ in range(min(limit, before - keep)):
                # Python's `execute` ends this pragma after its first page, whatever number it is given.
                work.connection.execute("PRAGMA incremental_vacuum(1)")
                if work.clock.monotonic() > deadline:
                    break
            return before - _free_pages(work.connection)

        return await self._database.write(unit)

    async def find_outdated_statistics(self) -> Sequence[str]:
        # A reader, because before version 3.46 SQLite advises on what that connection's own queries have used.
        def query(connection: sqlite3.Connection) -> list[str]:
            advice = connection.execute(f"PRAGMA optimize({_OPTIMIZE_TELLS_ONLY})").fetchall()
            found = (re.fullmatch(r'ANALYZE "main"\."(\w+)"', line) for (line,) in advice)
            return [match[1] for match in found if match]

        return await self._database.read(query)

    async def refresh_statistics(self, table: str) -> None:
        def analyse(connection: sqlite3.Connection) -> None:
            connection.execute(f"PRAGMA analysis_limit = {_ANALYSED_ROWS}").fetchall()
            connection.execute(f'ANALYZE "main"."{table}"')

        await self._database.run_when_idle(analyse)

    async def checkpoint(self) -> Checkpoint:
        location = self._database.location
        if location is None:
            return Checkpoint(pages=0, is_complete=True, freed_bytes=0)
        log = wal.wal_path(location)

        def move(connection: sqlite3.Connection) -> Checkpoint:
            before = _size(log)
            _, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if before > self._large_log_bytes and pages == moved:
                open_mark.note_emptied(location, wal.salts_of(location), pages)
                _empty_log(connection)
            return Checkpoint(max(moved, 0), pages == moved, before - _size(log))

        return await self._database.run_when_idle(move)


def _empty_log(connection: sqlite3.Connection) -> None:
    """Unless somebody reads it: not waiting for readers is why the timeout is set aside."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        pragmas.wait_for_locks(connection)


def _free_pages(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(pages)


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0
