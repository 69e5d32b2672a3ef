"""The store of adoptions and of rows set aside: the tables `adoptions` and `adopted_orphans`."""

import sqlite3
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError

from sidecar.errors import InvalidInput, SidecarError
from sidecar.models.adoption import (
    Adoption,
    AdoptionOverview,
    AdoptionReport,
    RowOrigin,
    RowRestored,
    RowSetAside,
    RowSetAsidePage,
)
from sidecar.models.health import Component
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.arguments import DEFAULT_LIMIT
from sidecar.storage.capabilities import IAdoptions
from sidecar.storage.interfaces import Row
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources.rows.columns import read_row, text
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, read_page
from sidecar.storage.resources.rows_set_aside import ORPHANS, TOPIC
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.transfer.kinds import ADOPTIONS, BUILT_IN, SET_ASIDE, TransferKinds

_READ = {"table": SET_ASIDE["table_name"], "row": text(), **SET_ASIDE}
_COLUMNS = 'id, table_name AS "table", origin, reason, is_carried, created_at, acknowledged_at, row'


class Adoptions(IAdoptions):
    """The adoptions of one database, and its rows set aside."""

    def __init__(self, database: Database, kinds: TransferKinds = BUILT_IN) -> None:
        self._database = database
        self._kinds = kinds

    async def get_adoptions(self) -> AdoptionOverview:
        return await self._database.read(_overview)

    async def get_rows_set_aside(
        self,
        table: str | None = None,
        origin: str | None = None,
        is_carried: bool | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> RowSetAsidePage:
        if origin is not None and origin not in get_args(RowOrigin):
            raise InvalidInput.field("origin", f"must be one of {', '.join(get_args(RowOrigin))}")
        where = Where().equals("table_name", table).equals("origin", origin).equals("is_carried", is_carried)
        part = PageRequest(limit, offset, cursor, with_total)

        def query(connection: sqlite3.Connection) -> RowSetAsidePage:
            rows = read_page(connection, ORPHANS, _COLUMNS, where, Order("id"), part)
            items = [_record(row) for row in rows.rows]
            return RowSetAsidePage(items=items, next_cursor=rows.next_cursor, total=rows.total)

        return await self._database.read(query)

    async def restore_row_set_aside(
        self, row_id: int, values: Mapping[str, Any] | None = None, *, key: IdempotencyKey | None = None
    ) -> RowRestored:
        from sidecar.storage.sqlite.adoption import bring_back  # seldom needed

        def restore(work: SQLiteWork) -> RowRestored:
            return bring_back.run(work, row_id, values or {}, self._kinds)

        return await self._database.write(restore, key, RowRestored)

    async def acknowledge_rows_set_aside(self, *, key: IdempotencyKey | None = None) -> AdoptionOverview:
        def acknowledge(work: SQLiteWork) -> AdoptionOverview:
            sql = f"UPDATE {ORPHANS} SET acknowledged_at = ? WHERE acknowledged_at IS NULL"
            if work.connection.execute(sql, (work.now,)).rowcount:
                work.changed(TOPIC, "acknowledged")
            return _overview(work.connection)

        return await self._database.write(acknowledge, key, AdoptionOverview)

    async def adoption_health(self) -> Component:
        """Return the health of adoption, which names the rows set aside that nobody has acknowledged."""
        try:
            counts = await self._database.read(not_acknowledged)
        except SidecarError as error:
            return Component(ok=False, detail=error.message)
        measures = {"not_acknowledged": float(sum(counts.values()))}
        return Component(ok=True, detail=sentence(counts), measures=measures)


def not_acknowledged(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the number of rows of each table that are set aside and were not acknowledged."""
    return _counted(connection, "WHERE acknowledged_at IS NULL")


def sentence(counts: Mapping[str, int]) -> str | None:
    """Return a sentence for a person about these rows; `None` when there are none."""
    if not counts:
        return None
    listed = ", ".join(f"{count:,} of {table}" for table, count in counts.items())
    return f"Rows were set aside: {listed}. List them (GET /adoption/rows or `sidecar adopted`), then acknowledge them."


def _counted(connection: sqlite3.Connection, where: str) -> dict[str, int]:
    sql = f"SELECT table_name, count(*) FROM {ORPHANS} {where} GROUP BY table_name ORDER BY table_name"
    return {str(table): count for table, count in connection.execute(sql).fetchall()}


def _overview(connection: sqlite3.Connection) -> AdoptionOverview:
    sql = "SELECT id, system, source, time_zone, adopted_at, report FROM adoptions ORDER BY id"
    adoptions = [
        Adoption(**{**read_row(ADOPTIONS, dict(row))[0], "report": _report(row["report"])})
        for row in connection.execute(sql).fetchall()
    ]
    return AdoptionOverview(
        adoptions=adoptions, set_aside=_counted(connection, ""), not_acknowledged=not_acknowledged(connection)
    )


def _report(text: str) -> AdoptionReport:
    """Return the stored report; an empty one when another program has overwritten it."""
    try:
        return AdoptionReport.model_validate_json(text)
    except ValidationError:
        return AdoptionReport()


def _record(row: Row) -> RowSetAside:
    fields, _ = read_row(_READ, dict(row))
    fields["origin"] = row["origin"] if row["origin"] in get_args(RowOrigin) else "import"
    return RowSetAside(**{**fields, "row": orphans.shown(fields["row"])})
