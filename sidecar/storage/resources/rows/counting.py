"""Totals of lists, exact: the rows that match are counted, or those that do not, whichever are fewer.

A count without a condition takes SQLite the pages of the smallest index: 4 to 20 ms of a million rows. One with a
condition takes a step of the index for each row that matches, 16 ms for half a million and 32 ms for all. So where most
rows match, the others are counted and subtracted. That needs an index that begins with the columns of the conditions,
in their order; a table declares for which columns it has one. Which rows are fewer, a sample says.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from operator import eq, ge, gt, le, lt, ne
from typing import Any, NamedTuple

from sidecar.storage.interfaces import Connection

Columns = tuple[str, ...]

SAMPLED_FROM = 50_000
"""Rows of a table, as the range of its ids has it, from which a sample pays: 50,000 rows are counted in 2 ms."""
SAMPLES = 64
"""They take half a millisecond, and err by 6 % of the rows."""

_GOLDEN = (5**0.5 - 1) / 2
"""Its multiples, modulo 1, are spread evenly and without a period, which the rows may have."""


class Condition(NamedTuple):
    """One condition on a column."""

    column: str
    operator: str
    value: Any

    def sql(self) -> str:
        return f"{self.column} {self.operator} ?"

    def holds(self, value: Any) -> bool:
        """Return whether a stored value fulfils it; one of another type is taken for one that does not."""
        try:
            return bool(_OPERATORS[self.operator].test(value, self.value))
        except TypeError:
            return False

    def negated(self) -> Iterator["Condition"]:
        """Yield conditions of which one holds for each value that does not fulfil this one, but for NULL."""
        for operator in _OPERATORS[self.operator].negated:
            yield self._replace(operator=operator)


class _Operator(NamedTuple):
    test: Callable[[Any, Any], Any]
    negated: tuple[str, ...]
    share: float = 1.0
    """The share of matching rows from which it is faster to count the others.

    Measured, each row takes 33 ns when it is equal, 33 ns above a bound, and 54 ns below one.
    """


_OPERATORS = {
    "=": _Operator(eq, ("<", ">"), 0.6),
    "!=": _Operator(ne, ("=",), 0.5),
    ">=": _Operator(ge, ("<",), 0.7),
    ">": _Operator(gt, ("<=",), 0.7),
    "<": _Operator(lt, (">=",), 0.45),
    "<=": _Operator(le, (">",), 0.45),
}


def count(
    connection: Connection,
    table: str,
    clauses: Sequence[str],
    values: Sequence[Any],
    conditions: Sequence[Condition] = (),
    counted: Collection[Columns] = (),
    *,
    sampled_from: int = SAMPLED_FROM,
) -> int:
    """Return the number of rows that fulfil all `clauses`, in SQL with their `values`.

    `conditions` are those of the clauses that compare one column, `counted` the columns with an index for counting.
    """
    is_known = len(conditions) == len(clauses) and tuple(each.column for each in conditions) in counted
    share = _sampled_share(connection, table, conditions, sampled_from) if is_known and conditions else None
    if share is None:
        return _count(connection, table, clauses, values)
    operator = conditions[-1].operator
    if share > _OPERATORS[operator].share:
        given = 0
    elif operator == "!=":  # which no index finds
        given = len(conditions) - 1
    else:
        return _count(connection, table, clauses, values)
    others = sum(_count(connection, table, *term) for term in _others(conditions, given))
    shared = conditions[:given]
    fulfil = [each.sql() for each in shared], [each.value for each in shared]
    return count(connection, table, *fulfil, shared, counted, sampled_from=sampled_from) - others


def _others(conditions: Sequence[Condition], given: int) -> Iterator[tuple[list[str], list[Any]]]:
    """Yield clauses and values, of which exactly one pair holds for each row that fulfils not all conditions, but the
    first `given`."""
    clauses: list[str] = []
    values: list[Any] = []
    for place, condition in enumerate(conditions):
        if place >= given:
            for other in condition.negated():
                yield [*clauses, other.sql()], [*values, other.value]
            yield [*clauses, f"{condition.column} IS NULL"], [*values]
        clauses.append(condition.sql())
        values.append(condition.value)


def _count(connection: Connection, table: str, clauses: Sequence[str], values: Sequence[Any]) -> int:
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    (found,) = connection.execute(f"SELECT count(*) FROM {table}{where}", values).fetchone()
    return int(found)


def _sampled_share(
    connection: Connection, table: str, conditions: Sequence[Condition], sampled_from: int
) -> float | None:
    """Return the share of rows that match, by a sample; `None` in a small table."""
    first, last = (
        connection.execute(f"SELECT id FROM {table} ORDER BY id {direction} LIMIT 1").fetchone()
        for direction in ("ASC", "DESC")
    )
    if first is None or last["id"] - first["id"] < sampled_from:
        return None
    columns = ", ".join(condition.column for condition in conditions)
    sql = f"SELECT {columns} FROM {table} WHERE id >= ? ORDER BY id LIMIT 1"
    span = last["id"] - first["id"]
    places = (first["id"] + int(number * _GOLDEN % 1 * span) for number in range(SAMPLES))
    rows = [connection.execute(sql, (place,)).fetchone() for place in places]
    return sum(all(each.holds(row[each.column]) for each in conditions) for row in rows) / SAMPLES
