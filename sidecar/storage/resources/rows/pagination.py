"""Lists: which rows, in what order, and which part of them.

Every list is ordered by one or two columns and then by id, so that each row has one place. A cursor names the last row
of a page by those; the next page begins behind it, however many rows came or went in between.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from sidecar.errors import InvalidInput
from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.models.timestamps import Moment
from sidecar.storage.arguments import DEFAULT_LIMIT, MAX_LIMIT
from sidecar.storage.interfaces import Connection, Row
from sidecar.storage.resources.rows.counting import Columns, Condition, count
from sidecar.storage.resources.rows.validation import optional_time

MAX_OFFSET = 10_000
LONGEST_IN_CURSOR = 40
"""Characters of a value by which a list is ordered: times and numbers are shorter."""


@dataclass
class Where:
    """Conditions that all have to hold; those whose value is `None` are left out."""

    clauses: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    """Those of the clauses that compare one column with one value."""

    def that(self, clause: str, *values: Any, condition: Condition | None = None) -> Self:
        """A condition in SQL, with its values; `condition` says the same, where it compares one column."""
        self.clauses.append(clause)
        self.values.extend(values)
        if condition is not None:
            self.conditions.append(condition)
        return self

    def compares(self, column: str, operator: str, value: Any) -> Self:
        """A comparison of one column."""
        condition = Condition(column, operator, value)
        return self.that(condition.sql(), value, condition=condition)

    def equals(self, column: str, value: Any) -> Self:
        return self if value is None else self.compares(column, "=", value)

    def differs(self, column: str, value: Any) -> Self:
        return self.compares(column, "!=", value)

    def one_of(self, column: str, values: Sequence[Any]) -> Self:
        """Any of these values."""
        if len(values) == 1:
            return self.equals(column, values[0])
        return self.that(f"{column} IN ({', '.join('?' for _ in values)})", *values)

    def at_least(self, column: str, moment: Moment | None, field: str) -> Self:
        """Times from `moment` on; `field` names it in an error."""
        least = optional_time(field, moment)
        return self if least is None else self.compares(column, ">=", least)

    def at_most(self, column: str, moment: Moment | None, field: str) -> Self:
        """Times up to `moment`, that included; `field` names it in an error."""
        most = optional_time(field, moment)
        return self if most is None else self.compares(column, "<=", most)

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
                self.compares(column, operator, moment)
        return self

    def sql(self) -> str:
        return " AND ".join(self.clauses) or "TRUE"


class Order(NamedTuple):
    """By which columns rows are ordered, all in one direction; by id where they are the same."""

    column: str
    newest_first: bool = False
    then: str | None = None
    """The second column."""
    absent: str | None = None
    """For a column that may be NULL: the text that stands for NULL, beyond all others in the order's direction."""
    name: str | None = None
    """For a list that has several orders: its cursors belong to the order of this name."""

    @property
    def keys(self) -> tuple[str, ...]:
        """SQL for what rows are ordered by, apart from the id."""
        first = self.column if self.absent is None else f"coalesce({self.column}, '{self.absent}')"
        return (first,) if self.then is None else (first, self.then)

    def values(self, row: Row) -> list[Any]:
        """Return the values of a row by which it is ordered, apart from the id."""
        first = row[self.column]
        return [self.absent if first is None else first, *([] if self.then is None else [row[self.then]])]


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


def read_page(
    connection: Connection,
    table: str,
    columns: str,
    where: Where,
    order: Order,
    part: PageRequest,
    counted: Collection[Columns] = (),
) -> Rows:
    """The rows of one page; `counted` is for their total. Raises `InvalidInput` for a limit, an offset or a cursor that
    makes no sense."""
    require_range("limit", part.limit, 1, MAX_LIMIT)
    require_range("offset", part.offset, 0, MAX_OFFSET)
    total = None
    if part.with_total:
        total = count(connection, table, where.clauses, where.values, where.conditions, counted)
    direction, behind = ("DESC", "<") if order.newest_first else ("ASC", ">")
    page = Where([*where.clauses], [*where.values])
    place = ", ".join((*order.keys, "id"))
    if part.cursor is not None:
        values, row_id = _decode(part.cursor, order)
        if values is None:
            page.that(f"({place}) {behind} (SELECT {place} FROM {table} WHERE id = ?)", row_id)
        else:
            page.that(f"({place}) {behind} ({', '.join('?' for _ in values)}, ?)", *values, row_id)
    sql = f"""
        SELECT {columns} FROM {table} WHERE {page.sql()}
        ORDER BY {", ".join(f"{key} {direction}" for key in (*order.keys, "id"))} LIMIT ? OFFSET ?
    """
    rows = connection.execute(sql, [*page.values, part.limit + 1, part.offset]).fetchall()
    next_cursor = None
    if len(rows) > part.limit:
        rows.pop()
        next_cursor = _encode(rows[-1], order)
    return Rows(rows, next_cursor, total)


def require_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidInput.field(name, f"must be from {least} to {most}")


def _encode(row: Row, order: Order) -> str:
    """A cursor; one at a value that no cursor can hold names the row alone."""
    values = order.values(row)
    named = [] if order.name is None else [order.name]
    held = values if all(map(_is_short, values)) else [None]
    return urlsafe_b64encode(json.dumps([*named, *held, row["id"]]).encode()).decode()


def _is_id(value: Any) -> bool:
    """Return whether it is a number that a column of integers can hold."""
    return isinstance(value, int) and MIN_INTEGER <= value <= MAX_INTEGER


def _is_short(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= LONGEST_IN_CURSOR)


def _decode(cursor: str, order: Order) -> tuple[list[str | int | float] | None, int]:
    """Return the values and the id at a cursor; no values where it names the row alone. Raises `InvalidInput`."""
    try:
        *values, row_id = json.loads(urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError):
        values, row_id = [], None
    is_of_this_order = order.name is None or values[:1] == [order.name]
    values = values if order.name is None else values[1:]
    is_alone = values == [None]
    are_values = len(values) == len(order.keys) and all(
        isinstance(value, str | float) or _is_id(value) for value in values
    )
    if not _is_id(row_id) or not is_of_this_order or not (is_alone or are_values):
        raise InvalidInput.field("cursor", "is not one that a page of this list, in this order, gave")
    return None if is_alone else values, row_id
