"""Which documents match, the best first. Bounded, however many do.

A search goes in steps (`matching.py`): documents that have all that was typed, then those with less, as long as few
were found. Of each kind the newest matches are candidates, and only they are ranked (bm25; a title counts eight times a
text). Terms that are neighbours in the query count more where they are neighbours in the text.

FTS5 finds a word's documents in an instant; those of a word's beginning it has to gather from all words that begin so,
which for one or two letters may be most of the index. That happens once a search and not once a kind: when there are
too many to rank them all, those that have the whole word are ranked, and the newest others follow.
"""

import sqlite3
from collections.abc import Collection, Sequence
from itertools import islice
from typing import NamedTuple

from sidecar.storage.resources.rows.pagination import Where
from sidecar.storage.sqlite.search.index_format import KIND_BITS
from sidecar.storage.sqlite.search.kinds import SearchKind
from sidecar.storage.sqlite.search.matching import COLUMNS, RANKED_TERMS, Expressions, Step
from sidecar.storage.sqlite.search.query import Search

CANDIDATES = 2_000
EXAMINED = 10_000
"""Candidates of a kind when some of them may be turned down."""

FEW = 20
"""A page. With so many documents that have all that was typed, nobody looks at those that have less."""

COUNTED = 1_000
"""Documents of a term that are counted to find the rarest terms; more are many."""

SCORED = 5_000
"""Matches of a kind that bm25 is taken of. Where it is taken of the rarest terms, documents without the others have
them, too."""

_RANK = "-bm25(search_index, 8.0, 3.0, 1.0, 4.0, 2.0, 0.0)"
"""A heading is in the content as well, and counts four times in all."""

RAISED = 0.5
"""The share of its score by which two neighbours, or a word with its signs, raise a document; 0.2 is too little, and 1
no better."""

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
    kinds = {kind.number: kind for kind in wanted.kinds}
    conditions = {number: _condition(kind, wanted) for number, kind in kinds.items()}
    limits = {number: EXAMINED if where.clauses else wanted.candidates for number, where in conditions.items()}
    frequencies = _frequencies(connection, wanted.search)
    steps = Expressions(wanted.search, wanted.facets, frequencies).steps()
    whole = Expressions(wanted.search, wanted.facets, frequencies, whole_words=True).steps()
    found: dict[int, float] = {}
    for step, whole_step in zip(steps, whole, strict=True):
        if len(found) >= FEW:
            break
        scores, used = _matches(connection, step, whole_step, limits, wanted)
        scores = {docid: score for docid, score in scores.items() if docid not in found}
        scores = _kept(connection, scores, conditions, kinds)
        _rank(connection, used, scores)
        found |= _below(scores, min(found.values(), default=None))
    return [Match(score, docid & _ID, kinds[docid >> KIND_BITS]) for docid, score in found.items()]


def _frequencies(connection: sqlite3.Connection, search: Search) -> dict[str, int] | None:
    """Return how many documents have each term; `None` for one or two, whose order does not matter."""
    if len(search.terms) < RANKED_TERMS:
        return None
    sql = f"SELECT count(*) FROM (SELECT 1 FROM search_index WHERE search_index MATCH ? LIMIT {COUNTED})"
    counts = {}
    for term in search.terms:
        (counts[term.match],) = connection.execute(sql, (f"{COLUMNS} : {term.match}",)).fetchone()
    return counts


def _below(scores: dict[int, float], least: float | None) -> dict[int, float]:
    """Return the documents of a step, the best first, with scores that are lower than those of the step before it."""
    ordered = sorted(scores.items(), key=lambda match: (match[1], match[0]), reverse=True)
    if least is None or not ordered:
        return dict(ordered)
    factor = min(1.0, 0.999 * least / ordered[0][1]) if ordered[0][1] > 0 else 1.0
    return {docid: score * factor for docid, score in ordered}


def _matches(
    connection: sqlite3.Connection, step: Step, whole: Step, limits: dict[int, int], wanted: Wanted
) -> tuple[dict[int, float], Step]:
    """Return the candidates, and the step that ranks them; with their scores, if they are taken of all terms."""
    score = _RANK if step.ranked is None else "0.0"
    if not wanted.search.has_beginning:
        # Each kind is a search of its own, and opens every word again; counting all of them first costs less.
        few = _all_of_few(connection, step.match, limits, wanted.candidates, "0.0")
        if few is None:
            return _best_of_newest(connection, step.match, limits, score), step
        if step.ranked is None:
            few = _all_of_few(connection, step.match, limits, wanted.candidates, score)
        return few or {}, step
    few = _all_of_few(connection, step.match, limits, wanted.candidates, score)
    if few is not None:
        return few, step
    scores = _best_of_newest(connection, whole.match, limits, score)
    for docid in _newest(connection, step.match, limits):
        scores.setdefault(docid, 0.0)
    return scores, whole


def _rank(connection: sqlite3.Connection, step: Step, scores: dict[int, float]) -> None:
    """Take the scores of the rarest terms, if there are none of all terms, and raise them by what else counts."""
    if not scores:
        return
    newest = _of_each(_ranges(scores), _RANK)
    if step.ranked is not None:
        scores |= {docid: score for docid, score in _plain(connection, newest, step.ranked) if docid in scores}
    raised = dict.fromkeys(scores, 1.0)
    newest = _of_each(_ranges(scores), "0.0")
    for match in step.also:
        for docid, _ in _plain(connection, newest, match):
            if docid in raised:
                raised[docid] += RAISED
    for docid, factor in raised.items():
        scores[docid] *= factor


def _ranges(docids: Collection[int]) -> dict[tuple[int, int], int]:
    """Return the first and the last document of each kind."""
    ranges: dict[int, tuple[int, int]] = {}
    for docid in docids:
        first, last = ranges.get(docid >> KIND_BITS, (docid, docid))
        ranges[docid >> KIND_BITS] = (min(first, docid), max(last, docid))
    return dict.fromkeys(ranges.values(), SCORED)


def _best_of_newest(connection: sqlite3.Connection, match: str, limits: dict[int, int], score: str) -> dict[int, float]:
    ranges = {(number << KIND_BITS, number << KIND_BITS | _ID): limit for number, limit in limits.items()}
    return dict(_plain(connection, _of_each(ranges, score), match))


def _of_each(ranges: dict[tuple[int, int], int], score: str) -> str:
    """SQL for the newest matches in each range of documents."""
    return " UNION ALL ".join(
        f"""
        SELECT * FROM (
            SELECT rowid, {score} FROM search_index
            WHERE search_index MATCH :match AND rowid BETWEEN {first} AND {last}
            ORDER BY rowid DESC LIMIT {limit}
        )
        """
        for (first, last), limit in ranges.items()
    )


def _all_of_few(
    connection: sqlite3.Connection, match: str, limits: dict[int, int], most: int, score: str
) -> dict[int, float] | None:
    """Return everything that matches, if that is no more than `most`."""
    scores: dict[int, float] = {}
    for numbers in _neighbours(limits):
        sql = f"SELECT rowid, {score} FROM search_index WHERE {_within(numbers)} LIMIT {most + 1 - len(scores)}"
        scores.update(_plain(connection, sql, match))
        if len(scores) > most:
            return None
    return scores


def _newest(connection: sqlite3.Connection, match: str, limits: dict[int, int]) -> list[int]:
    left = dict(limits)
    newest = []
    for numbers in _neighbours(limits):
        sql = f"SELECT rowid FROM search_index WHERE {_within(numbers)} ORDER BY rowid DESC"
        for (docid,) in _plain(connection, sql, match):
            number = docid >> KIND_BITS
            if left[number] > 0:
                left[number] -= 1
                newest.append(docid)
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


def _kept(
    connection: sqlite3.Connection,
    scores: dict[int, float],
    conditions: dict[int, Where],
    kinds: dict[int, SearchKind],
) -> dict[int, float]:
    """Return those whose rows meet the conditions."""
    of_kind: dict[int, list[int]] = {}
    for docid in scores:
        of_kind.setdefault(docid >> KIND_BITS, []).append(docid)
    kept: dict[int, float] = {}
    for number, docids in of_kind.items():
        if not conditions[number].clauses:
            kept |= {docid: scores[docid] for docid in docids}
            continue
        kind, where, remaining = kinds[number], conditions[number], iter(docids)
        while some := list(islice(remaining, 500)):
            places = ", ".join("?" for _ in some)
            sql = f"SELECT id FROM {kind.table} WHERE id IN ({places}) AND {where.sql()}"
            rows = connection.execute(sql, [*(docid & _ID for docid in some), *where.values])
            kept |= {kind.first | row_id: scores[kind.first | row_id] for (row_id,) in rows}
    return kept
