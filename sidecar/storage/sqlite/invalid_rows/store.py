"""The store of invalid rows: they are found step by step, reported, and repaired.

Guards keep most of them out (`m0010_guards.py`). There are none as long as no other program writes to the file, so a
scan of all rows is due only after one did.
"""

import json
import sqlite3
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeGuard

from sidecar.errors import InvalidInput, SidecarError
from sidecar.models.health import Component
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.invalid_rows import MOST_LISTED, InvalidRow, InvalidRowPage, InvalidRowsRepaired, RepairAction
from sidecar.storage.arguments import DEFAULT_LIMIT
from sidecar.storage.capabilities import IInvalidRows
from sidecar.storage.resources.all import TABLES
from sidecar.storage.resources.rows.pagination import require_range
from sidecar.storage.resources.rows.validation import one_of
from sidecar.storage.sqlite.engine import idempotency
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.invalid_rows import repair as invalid_row_repair
from sidecar.storage.sqlite.invalid_rows import scan as invalid_row_scan
from sidecar.storage.sqlite.invalid_rows.scan import Place, Tables

STEP_ROWS = 500
STEP_REPAIRS = 50
LONGEST_LIST_S = 1.0
LONGEST_HEALTH_S = 0.02
"""Time that the health check spends on a scan: enough for a small store. Maintenance scans a large one."""


@dataclass
class _Scan:
    """One scan of all rows: the place where it continues, and the number of invalid rows found in each table."""

    version: int
    """The file's version when the scan began: see `_version`."""
    place: Place | None
    counts: Counter[str] = field(default_factory=Counter)


class InvalidRows(IInvalidRows):
    """The invalid rows of one database."""

    def __init__(self, database: Database, tables: Tables = TABLES) -> None:
        self._database = database
        self._tables = tables
        self._scan: _Scan | None = None
        """The scan that is under way."""
        self._last_scan: _Scan | None = None
        """The last complete scan."""

    async def get_invalid_rows(
        self, limit: int = DEFAULT_LIMIT, cursor: str | None = None, table: str | None = None
    ) -> InvalidRowPage:
        require_range("limit", limit, 1, MOST_LISTED)
        place: Place | None = self._first(table) if cursor is None else self._decode(cursor)
        monotonic = self._database.clock.monotonic
        until = monotonic() + LONGEST_LIST_S
        items: list[InvalidRow] = []
        while _is_in(place, table) and len(items) < limit and monotonic() < until:
            found, place = await self._database.read(self._look_from(place, STEP_ROWS, limit - len(items)))
            items += found
        return InvalidRowPage(items=items, next_cursor=_encode(place) if _is_in(place, table) else None)

    async def repair_invalid_rows(
        self,
        action: str = RepairAction.REPAIR,
        table: str | None = None,
        id: int | str | None = None,  # noqa: A002
        *,
        key: IdempotencyKey | None = None,
    ) -> InvalidRowsRepaired:
        wanted = one_of(RepairAction, "action", action)
        if id is not None and table is None:
            raise InvalidInput.field("table", "must be given together with an id")
        if id is None:
            done = await self._repair_all(wanted, table, key)
        else:
            done = await self._repair_one(wanted, table or "", id, key)
        self._last_scan = None
        return done

    async def _repair_one(
        self, action: RepairAction, table: str, row_key: int | str, key: IdempotencyKey | None
    ) -> InvalidRowsRepaired:
        self._require_table(table)
        declared = self._tables[table]

        def repair(work: SQLiteWork) -> InvalidRowsRepaired:
            invalid = invalid_row_scan.find_one(work.connection, declared, row_key)
            invalid_row_repair.run(work, action, declared, [invalid] if invalid else [])
            return _done(action, int(invalid is not None))

        return await self._database.write(repair, key, InvalidRowsRepaired)

    async def _repair_all(
        self, action: RepairAction, table: str | None, key: IdempotencyKey | None
    ) -> InvalidRowsRepaired:
        """Repair step by step. Each step stores the number of rows so far under the key, for a call after a crash."""
        count = 0
        if key is not None:
            remembered = await self._database.read(lambda connection: idempotency.recall(connection, key))
            if remembered is not None:
                return idempotency.decode(remembered, InvalidRowsRepaired)  # type: ignore[no-any-return]
            count = await self._database.read(lambda connection: idempotency.planned(connection, key)) or 0
        place: Place | None = self._first(table)
        while _is_in(place, table):
            # A reader looks first: most steps find nothing, and no write has to wait for them.
            found, after = await self._database.read(self._look_from(place, STEP_ROWS, 1))
            if found:
                count, after = await self._database.write(
                    partial(_repair_some, self._tables, action, place, count, key)
                )
            place = after
        done = _done(action, count)
        return await self._database.write(lambda _: done, key, InvalidRowsRepaired)

    async def invalid_rows_scan_is_due(self) -> bool:
        if self._scan is not None or self._last_scan is None:
            return True
        return self._last_scan.version != await self._version()

    async def scan_for_invalid_rows(self, limit: int) -> bool:
        if self._scan is None:
            self._scan = _Scan(await self._version(), invalid_row_scan.first(self._tables))
        scan = self._scan
        assert scan.place is not None
        found, scan.place = await self._database.read(self._look_from(scan.place, limit, limit))
        scan.counts.update(row.table for row in found)
        if scan.place is None:
            self._scan, self._last_scan = None, scan
        return scan.place is not None

    async def invalid_rows_health(self) -> Component:
        """Return the state of the last scan for the health check; an error becomes part of it."""
        try:
            if await self.invalid_rows_scan_is_due():
                monotonic = self._database.clock.monotonic
                until = monotonic() + LONGEST_HEALTH_S
                while await self.scan_for_invalid_rows(STEP_ROWS) and monotonic() < until:
                    pass
        except SidecarError as error:
            return Component(ok=False, detail=error.message)
        if self._last_scan is None:
            return Component(ok=True, detail="All rows are being checked.")
        counts = self._last_scan.counts
        return Component(ok=True, detail=sentence(counts), measures={"rows": float(counts.total())})

    def _first(self, table: str | None) -> Place:
        """Return the beginning of a table, or of all. Raises `InvalidInput` for an unknown table."""
        if table is not None:
            self._require_table(table)
        return invalid_row_scan.first(self._tables, table)

    def _require_table(self, table: str) -> None:
        if table not in self._tables:
            raise InvalidInput.field("table", f"must be one of {', '.join(self._tables)}")

    def _look_from(
        self, place: Place, rows: int, most: int
    ) -> Callable[[sqlite3.Connection], tuple[list[InvalidRow], Place | None]]:
        return partial(invalid_row_scan.look, tables=self._tables, place=place, rows=rows, most=most)

    def _decode(self, cursor: str) -> Place:
        try:
            table, after = json.loads(urlsafe_b64decode(cursor.encode()))
        except (ValueError, TypeError):
            table, after = None, None
        if table not in self._tables or not isinstance(after, int):
            raise InvalidInput.field("cursor", "is not one that a page of this list gave")
        return Place(table, after)

    async def _version(self) -> int:
        """Return a number that changes when another program has written to the file."""
        version: int = await self._database.write(
            lambda work: work.connection.execute("PRAGMA data_version").fetchone()[0]
        )
        return version


def sentence(counts: Counter[str]) -> str | None:
    """Return a sentence for a person about the invalid rows; `None` when there are none."""
    listed = ", ".join(f"{count:,} of {table}" for table, count in sorted(counts.items()) if count)
    if not listed:
        return None
    return f"Rows have values that cannot be read: {listed}. List them (GET /invalid-rows), then repair them."


def _is_in(place: Place | None, table: str | None) -> TypeGuard[Place]:
    """Return whether the place is in `table`, or in any table if none is given; `None` is the end of all."""
    return place is not None and table in (None, place.table)


def _encode(place: Place) -> str:
    return urlsafe_b64encode(json.dumps(place).encode()).decode()


def _repair_some(
    tables: Tables, action: RepairAction, place: Place, count: int, key: IdempotencyKey | None, work: SQLiteWork
) -> tuple[int, Place | None]:
    """Repair a few rows from a place on; return the number of rows so far, and the place to continue at."""
    found, after = invalid_row_scan.find(work.connection, tables, place, STEP_ROWS, STEP_REPAIRS)
    invalid_row_repair.run(work, action, tables[place.table], found)
    if key is not None:
        idempotency.plan(work.connection, key, count + len(found), work.now)
    return count + len(found), after


def _done(action: RepairAction, count: int) -> InvalidRowsRepaired:
    is_repair = action is RepairAction.REPAIR
    return InvalidRowsRepaired(repaired=count if is_repair else 0, set_aside=0 if is_repair else count)


def examine(connection: sqlite3.Connection, tables: Tables = TABLES) -> Counter[str]:
    """Check every row; return the number of invalid ones by table."""
    counts: Counter[str] = Counter()
    place: Place | None = invalid_row_scan.first(tables)
    while place is not None:
        found, place = invalid_row_scan.look(connection, tables, place, STEP_ROWS, STEP_ROWS)
        counts.update(row.table for row in found)
    return counts
