"""Lists: which rows, in what order, and which part of them.

Every list is ordered by one column and then by id, so that each row has one place. A cursor names the last row of a
page by those two; the next page begins behind it, however many rows came or went in between.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from sidecar.errors import InvalidInput
from sidecar.models.timestamps import Moment
from sidecar.storage.arguments import DEFAULT_LIMIT, MAX_LIMIT
from sidecar.storage.interfaces import Connection, Row
from sidecar.storage.resources.rows.validation import optional_time

MAX_OFFSET = 10_000
LONGEST_IN_CURSOR = 40
"""Characters of a value by which a list is ordered: times and numbers are shorter."""


@dataclass
class Where:
    """Conditions that all have to hold; those whose value is `None` are left out."""

    clauses: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def that(self, clause: str, *values: Any) -> Self:
        """A condition in SQL, with its values."""
        self.clauses.append(clause)
        self.values.extend(values)
        return self

    def equals(self, column: str, value: Any) -> Self:
        return self if value is None else self.that(f"{column} = ?", value)

    def between(
        self,
        column: str,
        since: Moment | None,
        before: Moment | None,
        fields: tuple[str, str] = ("start_time", "end_time"),
    ) -> Self:
        """Times from `since` to before `before`; `fields` name them in an error."""
        for operator, name, value in ((">=", fields[0], since), ("<", fields[1], before)):
            moment = optional_time(name, value)
            if moment is not None:
                self.that(f"{column} {operator} ?", moment)
        return self

    def sql(self) -> str:
        return " AND ".join(self.clauses) or "TRUE"


class Order(NamedTuple):
    """By which column rows are ordered; by id where it is the same."""

    column: str
    newest_first: bool = False


class PageRequest(NamedTuple):
    """Which part of a list is asked for."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: str | None = None
    with_total: bool = False


class Rows(NamedTuple):
    """One page of rows, and how the list goes on."""

    rows: list[Row]
    next_cursor: str | None
    total: int | None


def read_page(connection: Connection, table: str, columns: str, where: Where, order: Order, part: PageRequest) -> Rows:
    """The rows of one page. Raises `InvalidInput` for a limit, an offset or a cursor that makes no sense."""
    require_range("limit", part.limit, 1, MAX_LIMIT)
    require_range("offset", part.offset, 0, MAX_OFFSET)
    total = None
    if part.with_total:
        sql = f"SELECT count(*) FROM {table} WHERE {where.sql()}"
        (total,) = connection.execute(sql, where.values).fetchone()
    direction, behind = ("DESC", "<") if order.newest_first else ("ASC", ">")
    page = Where([*where.clauses], [*where.values])
    if part.cursor is not None:
        value, row_id = _decode(part.cursor)
        if value is None:
            page.that(f"({order.column}, id) {behind} (SELECT {order.column}, id FROM {table} WHERE id = ?)", row_id)
        else:
            page.that(f"({order.column}, id) {behind} (?, ?)", value, row_id)
    sql = f"""
        SELECT {columns} FROM {table} WHERE {page.sql()}
        ORDER BY {order.column} {direction}, id {direction} LIMIT ? OFFSET ?
    """
    rows = connection.execute(sql, [*page.values, part.limit + 1, part.offset]).fetchall()
    next_cursor = None
    if len(rows) > part.limit:
        rows.pop()
        next_cursor = _encode(rows[-1][order.column], rows[-1]["id"])
    return Rows(rows, next_cursor, total)


def require_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidInput.field(name, f"must be from {least} to {most}")


def _encode(value: Any, row_id: int) -> str:
    """A cursor; one at a value that no cursor can hold names the row alone."""
    is_short = isinstance(value, int | float) or (isinstance(value, str) and len(value) <= LONGEST_IN_CURSOR)
    return urlsafe_b64encode(json.dumps([value if is_short else None, row_id]).encode()).decode()


def _decode(cursor: str) -> tuple[str | int | float | None, int]:
    try:
        value, row_id = json.loads(urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError):
        value, row_id = "", None
    if not isinstance(value, str | int | float | None) or not isinstance(row_id, int):
        raise InvalidInput.field("cursor", "is not one that a page of this list gave")
    return value, row_id
