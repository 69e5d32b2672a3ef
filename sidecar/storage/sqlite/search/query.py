"""A typed query as a search: its terms, as the index has their words.

Nothing that is typed is an error. A query is folded as the index is. What stands between spaces is one term; its words,
which other signs separate, have to follow one another, so that a path or a version is found as it is typed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sidecar.storage.sqlite.search.folding import folded
from sidecar.storage.sqlite.search.segmentation import is_apart, is_run, pairs, pattern, signed_words, tokens

MAX_CHARACTERS = 2_000
MAX_TERMS = 32

_TYPED = re.compile(r'(?P<minus>(?<!\S)-+)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_LIST = r"[\s,;|]+"
"""Separates terms; every other sign only separates the words of one."""

_EXCLUDED = r"(?:[a-z][a-z0-9]{2,}|[^\x00-\x7f][^\x00-/:-`{-\x7f]*)\Z"
"""A word that a dash excludes: one of three or more letters where they are Latin. `-la` and `-5` are options and
numbers."""


@dataclass(frozen=True)
class Term:
    """Words, and runs of scripts without spaces, that follow one another."""

    tokens: tuple[str, ...]
    signed: tuple[tuple[str, str], ...] = ()
    """Words with signs in it, as they are and as the index has them."""
    is_beginning: bool = False
    """True if the last word may go on."""

    @property
    def match(self) -> str:
        """The term for FTS5."""
        return self._match(self.is_beginning)

    @property
    def whole(self) -> str:
        """The term for FTS5, without words that only begin so."""
        return self._match(False)

    @property
    def signs(self) -> list[str]:
        """The words with signs for FTS5."""
        star = " *" if self.is_beginning else ""
        return [f'"{word}"{star}' for _, word in self.signed]

    def then(self, other: "Term") -> str:
        """Return the phrase for FTS5 of this term and another one behind it."""
        return _phrase((*self.tokens, *other.tokens))

    def _match(self, is_beginning: bool) -> str:
        last = self.tokens[-1]
        # Every character of a run begins a word, so a single one is the beginning of a pair.
        return _phrase(self.tokens) + (" *" if is_beginning or (len(last) == 1 and is_run(last)) else "")


@dataclass(frozen=True)
class Search:
    """A parsed query."""

    terms: Sequence[Term]
    excluded: Sequence[Term] = ()

    @property
    def has_beginning(self) -> bool:
        """Return whether the last term may be the beginning of a word."""
        return self.terms[-1].is_beginning

    @property
    def neighbours(self) -> list[tuple[Term, Term]]:
        """Return each term with the next one."""
        return [(one, other) for one, other in pairwise(self.terms) if one != other]


def parse(typed: str) -> Search | None:
    """Return the search that `typed` asks for; `None` if there is no word to search for.

    A dash before a word excludes it, if there are others; before anything else it is text.
    """
    text = typed[:MAX_CHARACTERS].encode("utf-8", "replace").decode()
    terms: list[Term] = []
    excluded: list[Term] = []
    is_going_on = False
    for found in _TYPED.finditer(text):
        if len(terms) + len(excluded) >= MAX_TERMS:
            is_going_on = False
            break
        if found["phrase"] is not None:
            (excluded if found["minus"] else terms).extend(_term(folded(found["phrase"])))
            is_going_on = False
            continue
        word = folded(found["word"])
        if found["minus"] == "-" and pattern(_EXCLUDED).match(word):
            excluded.extend(_term(word))
            is_going_on = False
            continue
        typed_word = (found["minus"] or "") + word
        parts = [term for part in pattern(_LIST).split(typed_word) for term in _split(part)]
        terms.extend(parts)
        last = tokens(typed_word[-1:]) if found.end() == len(text) else []
        is_going_on = bool(parts) and last != [] and not is_apart(last[0])
    if not terms:
        return None
    is_cut = len(terms) > MAX_TERMS
    *others, last_term = terms[:MAX_TERMS]
    terms = [*dict.fromkeys(term for term in others if term != last_term), last_term]
    # Most words of the index begin with one of a few letters; gathering them all would take longer than typing on.
    is_one_letter = len(terms) == 1 and len(terms[0].tokens) == 1 and len(terms[0].tokens[0]) == 1
    if is_going_on and not is_cut and not (is_one_letter and terms[0].tokens[0].isascii()):
        terms[-1] = Term(terms[-1].tokens, terms[-1].signed, is_beginning=True)
    return Search(terms, excluded[:MAX_TERMS])


def _term(text: str) -> list[Term]:
    """Return a folded text as one term; none, if it has no word."""
    words = tuple(tokens(text))
    return [Term(words, tuple(signed_words(text)))] if words else []


def _split(text: str) -> list[Term]:
    """Return a folded text without spaces as terms: a run of a script without spaces ends one."""
    signed = tuple(signed_words(text))
    terms: list[Term] = []
    words: list[str] = []
    for token in tokens(text):
        words.append(token)
        if is_run(token):
            terms.append(Term(tuple(words)))
            words = []
    if words:
        terms.append(Term(tuple(words)))
    return [Term(terms[0].tokens, signed), *terms[1:]] if terms else []


def _phrase(parts: Sequence[str]) -> str:
    """Return tokens that follow one another as a string for FTS5."""
    words: list[str] = []
    for number, part in enumerate(parts):
        if not is_run(part):
            words.append(part)
        elif number < len(parts) - 1 or len(part) == 1:
            words += [*pairs(part), part[-1]]
        else:
            words += pairs(part)
    return f'"{" ".join(words)}"'
