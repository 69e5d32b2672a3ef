"""Which documents match, the best first. Bounded, however many do.

Of each kind the newest matches are candidates, and only they are ranked (bm25; a title counts eight times a text).
FTS5 finds a word's documents in an instant; those of a word's beginning it has to gather from all words that begin so,
which for one or two letters may be most of the index. That happens once a search and not once a kind: when there are
too many to rank them all, those that have the whole word are ranked, and the newest others follow.
"""

import sqlite3
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from sidecar.storage.resources.rows.pagination import Where
from sidecar.storage.sqlite.search.index_format import KIND_BITS
from sidecar.storage.sqlite.search.kinds import BY_NUMBER, SearchKind
from sidecar.storage.sqlite.search.query import Search

CANDIDATES = 2_000
EXAMINED = 10_000
"""Candidates of a kind when some of them may be turned down."""

_RANK = "-bm25(search_index, 8.0, 1.0, 4.0, 0.0)"
_ID = (1 << KIND_BITS) - 1


class Match(NamedTuple):
    """A document that matches; the higher its score the better."""

    score: float
    row_id: int
    kind: SearchKind

    @property
    def docid(self) -> int:
        """Its rowid in the index."""
        return self.kind.number << KIND_BITS | self.row_id


class Wanted(NamedTuple):
    """A search with its kinds and the conditions on rows."""

    search: Search
    kinds: Sequence[SearchKind]
    facets: Sequence[str]
    since: str | None = None
    before: str | None = None
    candidates: int = CANDIDATES
    """Newest matches of a kind that are ranked, where none of them may be turned down."""


def rank(connection: sqlite3.Connection, wanted: Wanted) -> list[Match]:
    """Every candidate that matches, the best first; of equally good ones, the newest."""
    conditions = {kind.number: _condition(kind, wanted) for kind in wanted.kinds}
    limits = {number: EXAMINED if where.clauses else wanted.candidates for number, where in conditions.items()}
    scores = _scores(connection, wanted, limits)
    rows: dict[int, dict[int, float]] = {}
    for entry, score in scores.items():
        rows.setdefault(entry >> KIND_BITS, {})[entry & _ID] = score
    matches = []
    for number, scored in rows.items():
        kept = _kept(connection, BY_NUMBER[number], list(scored), conditions[number])
        matches += [Match(scored[row_id], row_id, BY_NUMBER[number]) for row_id in kept]
    return sorted(matches, key=lambda match: match[:2], reverse=True)


def _scores(connection: sqlite3.Connection, wanted: Wanted, limits: dict[int, int]) -> dict[int, float]:
    if not wanted.search.has_beginning:
        return _best_of_newest(connection, wanted.search.match(wanted.facets), limits)
    match = wanted.search.match(wanted.facets)
    few = _all_of_few(connection, match, limits, wanted.candidates)
    if few is not None:
        return few
    scores = _best_of_newest(connection, wanted.search.match(wanted.facets, whole_words=True), limits)
    for entry in _newest(connection, match, limits):
        scores.setdefault(entry, 0.0)
    return scores


def _best_of_newest(connection: sqlite3.Connection, match: str, limits: dict[int, int]) -> dict[int, float]:
    of_each = (
        f"""
        SELECT * FROM (
            SELECT rowid, {_RANK} FROM search_index
            WHERE search_index MATCH :match AND rowid BETWEEN {number << KIND_BITS} AND {number << KIND_BITS | _ID}
            ORDER BY rowid DESC LIMIT {limit}
        )
        """
        for number, limit in limits.items()
    )
    return dict(_plain(connection, " UNION ALL ".join(of_each), match))


def _all_of_few(
    connection: sqlite3.Connection, match: str, limits: dict[int, int], most: int
) -> dict[int, float] | None:
    """Return everything that matches, if that is no more than `most`."""
    scores: dict[int, float] = {}
    for numbers in _neighbours(limits):
        sql = f"SELECT rowid, {_RANK} FROM search_index WHERE {_within(numbers)} LIMIT {most + 1 - len(scores)}"
        scores.update(_plain(connection, sql, match))
        if len(scores) > most:
            return None
    return scores


def _newest(connection: sqlite3.Connection, match: str, limits: dict[int, int]) -> list[int]:
    left = dict(limits)
    newest = []
    for numbers in _neighbours(limits):
        sql = f"SELECT rowid FROM search_index WHERE {_within(numbers)} ORDER BY rowid DESC"
        for (entry,) in _plain(connection, sql, match):
            number = entry >> KIND_BITS
            if left[number] > 0:
                left[number] -= 1
                newest.append(entry)
    return newest


def _plain(connection: sqlite3.Connection, sql: str, match: str) -> sqlite3.Cursor:
    """Thousands of rows, as tuples."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor.execute(sql, {"match": match})


def _within(numbers: range) -> str:
    first, last = numbers[0] << KIND_BITS, numbers[-1] << KIND_BITS | _ID
    return f"search_index MATCH :match AND rowid BETWEEN {first} AND {last}"


def _neighbours(limits: dict[int, int]) -> list[range]:
    """The kinds' numbers as ranges that follow one another without a gap."""
    ranges: list[range] = []
    for number in sorted(limits):
        if ranges and ranges[-1].stop == number:
            ranges[-1] = range(ranges[-1].start, number + 1)
        else:
            ranges.append(range(number, number + 1))
    return ranges


def _condition(kind: SearchKind, wanted: Wanted) -> Where:
    """Return the conditions that the index cannot decide."""
    where = Where().between(kind.time, wanted.since, wanted.before, ("since", "before"))
    if kind.present is not None and not kind.is_indexed_present:
        where.that(kind.present)
    return where


def _kept(connection: sqlite3.Connection, kind: SearchKind, row_ids: list[int], where: Where) -> list[int]:
    if not where.clauses:
        return row_ids
    kept: list[int] = []
    remaining = iter(row_ids)
    while some := list(islice(remaining, 500)):
        places = ", ".join("?" for _ in some)
        sql = f"SELECT id FROM {kind.table} WHERE id IN ({places}) AND {where.sql()}"
        kept += [row_id for (row_id,) in connection.execute(sql, [*some, *where.values])]
    return kept
