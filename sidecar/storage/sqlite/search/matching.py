"""Expressions for FTS5: what a search matches, and what ranks a match higher."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sidecar.storage.sqlite.search.query import Search, Term

COLUMNS = "{title headings content tags}"
RANKED_TERMS = 3
"""Terms that decide the order: the rarest. The others occur nearly everywhere, and counting them takes the longest."""

FEWEST_TO_MISS = 3
"""Terms from which on a document is found, too, that lacks one: of two, one is another search."""


NEIGHBOURS = 8
"""Pairs of neighbours that are looked for, each by a search of its own; those of the rarest terms."""


class Step(NamedTuple):
    """One of several searches, each for less than the one before it. Its expressions are FTS5's."""

    match: str
    """Documents that it finds."""
    ranked: str | None
    """The terms that bm25 is taken of; `None` where it is taken of `match`."""
    also: Sequence[str]
    """Searches for what else counts: terms that are neighbours, words with their signs."""


class Expressions:
    """The steps of a search. `frequencies` says how many documents have a term, as far as that was counted.

    With `whole_words`, no term is the beginning of a word.
    """

    def __init__(
        self,
        search: Search,
        facets: Sequence[str],
        frequencies: dict[str, int] | None = None,
        *,
        whole_words: bool = False,
    ) -> None:
        self._search = search
        self._facets = facets
        self._whole_words = whole_words
        counts = frequencies or {}
        self._rarest = sorted(search.terms, key=lambda term: counts.get(term.match, 0))
        self._unknown = {term for term in search.terms if counts.get(term.match) == 0}

    def steps(self) -> list[Step]:
        """Return every step: all terms as they are typed, all terms, all terms but one."""
        steps = []
        if not self._unknown:
            step = self._step(_all, self._rarest)
            all_terms = _all([self._any_form(term) for term in self._rarest])
            signs = [sign for term in self._search.terms for sign in term.signs]
            if signs:
                steps.append(step._replace(match=self._expression(all_terms, f"signs : ({_all(signs)})")))
            steps.append(step)
        return steps + self._lacking()

    def _lacking(self) -> list[Step]:
        """Return the step for documents that lack a term; of many terms, a quarter may be unknown."""
        count = len(self._search.terms)
        may_lack = (0 if count < FEWEST_TO_MISS else max(1, count // 4)) - len(self._unknown)
        known = [term for term in self._rarest if term not in self._unknown]
        if may_lack < 0 or len(known) < 2 or not (may_lack or self._unknown):
            return []
        return [self._step(_all if may_lack == 0 else _all_but_one, known)]

    def _step(self, combine: Callable[[Sequence[str]], str], terms: Sequence[Term]) -> Step:
        ranked = terms[:RANKED_TERMS]
        among = combine([self._any_form(term) for term in ranked])
        return Step(
            self._expression(combine([self._any_form(term) for term in terms])),
            None if len(ranked) == len(terms) else self._expression(among),
            [" AND ".join([more, *self._facets]) for more in self._also(ranked)],
        )

    def _also(self, ranked: Sequence[Term]) -> list[str]:
        pairs = sorted(
            (min(ranked.index(term) for term in pair if term in ranked), number, pair)
            for number, pair in enumerate(self._search.neighbours)
            if not self._unknown.intersection(pair) and any(term in ranked for term in pair)
        )
        # Two words that are everywhere are only looked at where the rarest one is.
        rarest = f"{COLUMNS} : {ranked[0].match} AND "
        phrases = [
            f"{'' if ranked[0] in pair or ranked[0].is_beginning else rarest}{COLUMNS} : {pair[0].then(pair[1])}"
            for _, _, pair in pairs[:NEIGHBOURS]
        ]
        return phrases + [f"signs : {sign}" for term in ranked for sign in term.signs]

    def _any_form(self, term: Term) -> str:
        """Return a term so that the whole word counts besides the words that begin so."""
        return term.whole if self._whole_words or not term.is_beginning else f"({term.whole} OR {term.match})"

    def _expression(self, terms: str, *others: str) -> str:
        wanted = " AND ".join([f"{COLUMNS} : ({terms})", *others])
        if self._search.excluded:
            excluded = " OR ".join(term.match for term in self._search.excluded)
            wanted = f"(({wanted}) NOT {COLUMNS} : ({excluded}))"
        return " AND ".join([wanted, *self._facets])


def _all(terms: Sequence[str]) -> str:
    return " AND ".join(terms)


def _all_but_one(terms: Sequence[str]) -> str:
    """Return what at least all terms but one are in. Halving keeps it short: each half may lack one, not both."""
    if len(terms) == 1:
        return terms[0]
    if len(terms) == 2:
        return f"({terms[0]} OR {terms[1]})"
    first, second = terms[: len(terms) // 2], terms[len(terms) // 2 :]
    parts = [
        f"({_all(whole)} AND {_all_but_one(part)})" if len(part) > 1 else f"({_all(whole)})"
        for whole, part in ((first, second), (second, first))
    ]
    return f"({' OR '.join(parts)})"
