"""SQL that is true for values that a reader has to normalise, or cannot read.

It only selects the rows to check, so it may be true for more. It misses texts that are not UTF-8, which SQL cannot
recognise, and JSON that only Python's parser refuses.
"""

import math

from sidecar.storage.resources.rows.columns import LARGEST_REAL, Column, Columns, Kind
from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.resources.rows.times import SHAPE, normalised


def odd_row(columns: Columns) -> str:
    """Return SQL that is true for every row in which a value has to be normalised or is unreadable."""
    return f"({' OR '.join(odd_value(column, quoted(name)) for name, column in columns.items()) or 'FALSE'})"


def odd_value(column: Column, name: str) -> str:
    """Return SQL that is true where the column, which is `name` in SQL, has such a value."""
    or_null = ", 'null'" if column.optional else ""
    match column.kind:
        case Kind.TEXT:
            return f"typeof({name}) NOT IN ('text'{or_null})"
        case Kind.INTEGER:
            return f"(typeof({name}) NOT IN ('integer'{or_null}){_outside(column, name)})"
        case Kind.REFERENCE:
            # A number equals its text when one of both is a text.
            is_other = f"typeof({name}) != 'text' OR CAST(CAST({name} AS INTEGER) AS TEXT) IS NOT {name}"
            return f"({name} IS NOT NULL AND ({is_other}))"
        case Kind.REAL:
            infinite = f" OR {name} > {LARGEST_REAL} OR {name} < -{LARGEST_REAL}"
            return f"(typeof({name}) NOT IN ('real', 'integer'{or_null}){_outside(column, name)}{infinite})"
        case Kind.BOOLEAN:
            return f"coalesce({name} NOT IN (0, 1), 1)"
        case Kind.CHOICE:
            members = ", ".join(repr(member.value) for member in column.choices or ())
            return f"coalesce({name} NOT IN ({members}), {int(not column.optional)})"
        case Kind.TIME:
            # Comparing with what SQLite makes of it notices a 31st of February, too.
            odd = f"coalesce({name} NOT GLOB {SHAPE} OR {name} != {normalised(name)}, 1)"
            return f"({name} IS NOT NULL AND {odd})" if column.optional else odd
        case Kind.JSON_OBJECT | Kind.JSON_LIST:
            return _odd_json(name, f"!= '{column.kind.value}'", column.null or "")
        case Kind.JSON_VALUE:
            return _odd_json(name, "= 'null'", "{}")


def _outside(column: Column, name: str) -> str:
    bounds = (("<", column.least), (">", column.most))
    return "".join(f" OR {name} {operator} {bound}" for operator, bound in bounds if math.isfinite(bound))


def _odd_json(name: str, wrong: str, usual: str) -> str:
    """Return SQL for JSON that is not NULL and not of the column's kind, the JSON null included."""
    return (
        f"({name} IS NOT NULL AND {name} != '{usual}' AND CASE WHEN typeof({name}) != 'text' OR NOT json_valid({name}) "
        f"THEN 1 ELSE json_type({name}) {wrong} END)"
    )
