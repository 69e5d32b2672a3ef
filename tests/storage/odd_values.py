"""Values that other tools may write into a column, as SQL literals, and what a reader makes of them."""

from typing import Any, NamedTuple


class _Reading:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


UNREADABLE: Any = _Reading("UNREADABLE")
"""The field has a safe default, and its name is in `invalid`."""
OPEN: Any = _Reading("OPEN")
"""Either of both; it only must do no harm."""


class OddValue(NamedTuple):
    """A value as an SQL literal, and what it is read as: a value, `UNREADABLE` or `OPEN`."""

    sql: str
    read_as: Any = OPEN
    may_be_unlisted: bool = False
    """Whether the row may be in no list, since the value says to which list it belongs."""


TIMES = (
    OddValue("'2026-01-01 10:00:00'", "2026-01-01T10:00:00.000Z"),
    OddValue("'2026-01-01 10:00:00.123456'", "2026-01-01T10:00:00.123Z"),
    OddValue("'2026-01-01 10:00'", "2026-01-01T10:00:00.000Z"),
    OddValue("'2026-01-01'", "2026-01-01T00:00:00.000Z"),
    OddValue("'2026-01-01T10:00:00+02:00'", "2026-01-01T08:00:00.000Z"),
    OddValue("'2026-01-01T10:00:00Z'", "2026-01-01T10:00:00.000Z"),
    OddValue("2460000.5", "2023-02-25T00:00:00.000Z"),
    OddValue("'yesterday'", UNREADABLE),
    OddValue("'2026-13-01 10:00:00'", UNREADABLE),
    OddValue("x'e280a6'", UNREADABLE),
    OddValue("''", UNREADABLE),
    OddValue("5"),
    OddValue("1760000000"),
    OddValue("-1"),
    OddValue("9e999"),
    OddValue("CAST(x'e4' AS TEXT)", UNREADABLE),
)
TEXTS = (
    OddValue("5", "5"),
    OddValue("2.5", "2.5"),
    OddValue("x'c3a4'"),
    OddValue("x'fffe'"),
    OddValue("CAST(x'e4' AS TEXT)"),
    OddValue("CAST(x'ff00fe' AS TEXT)"),
    OddValue("CAST(x'eda080' AS TEXT)"),  # half of a surrogate pair
    OddValue("char(0)", "\0"),
)
INTEGERS = (
    OddValue("'7'", 7),
    OddValue("3.0", 3),
    OddValue("4611686018427387904", 2**62),
    OddValue("-9223372036854775808"),
    OddValue("2.5"),
    OddValue("1e300"),
    OddValue("9e999"),
    OddValue("'many'", UNREADABLE),
    OddValue("''", UNREADABLE),
    OddValue("x'00'", UNREADABLE),
    OddValue("CAST(x'e4' AS TEXT)", UNREADABLE),
)
IDS = (OddValue("0", 0), OddValue("-5", -5), OddValue("4611686018427387904", 2**62))
BOOLEANS = (
    OddValue("2"),
    OddValue("-1"),
    OddValue("0.5"),
    OddValue("'true'"),
    OddValue("'maybe'"),
    OddValue("''"),
    OddValue("x'01'"),
)
NUMBERS = (
    OddValue("'0.5'", 0.5),
    OddValue("1", 1.0),
    OddValue("2"),
    OddValue("-1"),
    OddValue("9e999", UNREADABLE),
    OddValue("'half'", UNREADABLE),
    OddValue("''", UNREADABLE),
    OddValue("x'00'", UNREADABLE),
)
_NO_JSON = (
    OddValue("'{oops'", UNREADABLE),
    OddValue("'plain'", UNREADABLE),
    OddValue("x'ff'", UNREADABLE),
    OddValue("CAST(x'22e422' AS TEXT)", UNREADABLE),
    OddValue("x'7b7d'"),
    OddValue("''"),
    OddValue("'{\"a\": NaN}'"),
    OddValue("'{\"a\": 1e999}'"),
    OddValue('\'{"a": "\\ud800"}\''),
    OddValue('\'{"a": 1, "a": 2}\''),
    OddValue("replace(hex(zeroblob(5000)), '00', '[') || replace(hex(zeroblob(5000)), '00', ']')"),
)
OBJECTS = (
    *_NO_JSON,
    OddValue("'null'", {}),
    OddValue("' {\"a\" : [ 1 ]} '", {"a": [1]}),
    OddValue("'[1]'", UNREADABLE),
    OddValue("'5'", UNREADABLE),
    OddValue("'\"text\"'", UNREADABLE),
)
ARRAYS = (*_NO_JSON, OddValue("'[]'", []), OddValue("'{}'", UNREADABLE), OddValue("'5'", UNREADABLE))
ANY_JSON = (*_NO_JSON, OddValue("'null'", None), OddValue("'[1]'", [1]), OddValue("'5'", 5))
VECTORS = (
    OddValue("x''"),
    OddValue("x'0000803f00'"),
    OddValue("x'0000803f'"),
    OddValue("x'0000c07f0000c07f0000c07f0000c07f'"),  # four times NaN
    OddValue("x'00000000000000000000000000000000'"),
    OddValue("'text'"),
    OddValue("5"),
)
BY_DECLARED_TYPE = {
    "DATETIME": TIMES,
    "TEXT": TEXTS,
    "INTEGER": INTEGERS,
    "BOOLEAN": BOOLEANS,
    "REAL": NUMBERS,
    "JSON TEXT": OBJECTS,
    "BLOB": VECTORS,
}


def choices(*unknown: str) -> tuple[OddValue, ...]:
    """Values of a column that holds one of a few: these, and bytes."""
    return tuple(OddValue(sql, UNREADABLE) for sql in (*unknown, "''", "x'78'", "CAST(x'e4' AS TEXT)"))


REFERENCES = tuple(
    OddValue(value.sql, OPEN, may_be_unlisted=True) for value in map(OddValue, ("'x'", "0", "-5", "999999", "x'00'"))
)
