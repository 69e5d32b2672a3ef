"""The matches of a search in a text, and their places."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from sidecar.storage.sqlite.search.folding import folded, folded_with_places, next_start
from sidecar.storage.sqlite.search.query import Term
from sidecar.storage.sqlite.search.segmentation import GAP, LETTER, is_apart, is_run, pattern

BLOCK = 512
"""Characters that are folded at once: enough that folding is fast, few enough that finding a place is."""

_LETTERS = f"{LETTER}*"
_BEFORE_LETTER = f"(?<={LETTER})"
_ASCII_LETTER = "[a-z0-9]"


SHORTEST_TELLING = 4
"""Letters."""


class Mark(NamedTuple):
    """A match in folded text, and the number of its term."""

    start: int
    end: int
    term: int


class Marks:
    """The terms of a search, as they are found in folded text."""

    def __init__(self, terms: Iterable[Term]) -> None:
        by_length = sorted(terms, key=_length, reverse=True)
        self._terms = [_MarkedTerm(term) for term in by_length]
        telling = [term for term in by_length if _length(term) >= SHORTEST_TELLING or is_apart(term.tokens[0])]
        self.telling = self if len(telling) in {0, len(by_length)} else Marks(telling)
        """The terms by which a snippet is chosen: not the short words, which are everywhere."""
        # Every alternative begins with a character, and ends with its group: `re` then jumps to where one may begin.
        # Which characters are letters takes long to compile, and is looked at where one of these is.
        self._anywhere = re.compile("|".join(f"{term.pattern}()" for term in self._terms) or "(?!)")

    @property
    def count(self) -> int:
        """Return the number of terms."""
        return len(self._terms)

    def find(self, text: str, start: int = 0) -> Iterator[Mark]:
        """Yield every match, from `start` on."""
        while (found := self._anywhere.search(text, start)) is not None:
            number = (found.lastindex or 1) - 1
            mark = self._terms[number].mark(text, found, number)
            for other in range(number + 1, len(self._terms)) if mark is None else ():
                again = re.compile(self._terms[other].pattern).match(text, found.start())
                mark = None if again is None else self._terms[other].mark(text, again, other)
                if mark is not None:
                    break
            if mark is not None:
                yield mark
            start = max(found.start() + 1, 0 if mark is None else mark.end)


class _MarkedTerm:
    """A term as a pattern, of which it is checked where words begin and end."""

    def __init__(self, term: Term) -> None:
        self.pattern = _pattern(term)
        self._is_inside = not is_apart(term.tokens[0])
        self._ends_inside = not is_apart(term.tokens[-1])
        self._is_beginning = term.is_beginning
        self._before = ""
        self._after = ""
        for word, _ in term.signed:
            if word.endswith(term.tokens[0]):
                self._before = word.removesuffix(term.tokens[0])
            elif word.startswith(term.tokens[-1]):
                self._after = word.removeprefix(term.tokens[-1])

    def mark(self, text: str, found: re.Match[str], number: int) -> Mark | None:
        """Return the match with its word's ending, and with the signs that were typed; `None` inside another word."""
        start, end = found.span()
        if self._is_inside and pattern(_BEFORE_LETTER).match(text, start):
            return None
        if self._ends_inside:
            letters = pattern(_LETTERS).match(text, end)
            if letters is not None and letters.end() > end:
                if not self._is_beginning:
                    return None
                end = letters.end()
        if self._before and text.endswith(self._before, 0, start):
            start -= len(self._before)
        if self._after and text.startswith(self._after, end):
            end += len(self._after)
        return Mark(start, end, number)


def _length(term: Term) -> int:
    return sum(map(len, term.tokens))


def _pattern(term: Term) -> str:
    expression = _token(term.tokens[0])
    for before, token in pairwise(term.tokens):
        expression += (f"{GAP}*" if is_apart(before) or is_apart(token) else f"{GAP}+") + _token(token)
    if not is_apart(term.tokens[-1]) and not term.is_beginning:
        expression += f"(?!{_ASCII_LETTER})"
    if is_apart(term.tokens[0]):
        return expression
    first = re.escape(term.tokens[0][0])
    return f"{first}(?<!{_ASCII_LETTER}{first}){expression.removeprefix(first)}"


def _token(token: str) -> str:
    return r"\n?".join(map(re.escape, token)) if is_run(token) else re.escape(token)


class FoldedText:
    """A text with its folded form, and the way back from one to the other. Both are made block by block, as needed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._is_ascii = text.isascii()
        self._starts: list[tuple[int, int]] = []
        """Where each block begins, in the text and in its folded form."""
        self._blocks: dict[int, list[int]] = {}
        self.folded = text.lower() if self._is_ascii else "".join(self._fold())

    def _fold(self) -> Iterator[str]:
        start = length = 0
        while start < len(self.text):
            end = next_start(self.text, start + BLOCK)
            self._starts.append((start, length))
            piece = folded(self.text[start:end])
            length += len(piece)
            start = end
            yield piece

    def place(self, position: int) -> int:
        """Return where in the text a position of the folded text is."""
        if self._is_ascii or not self._starts:
            return position
        number = len(self._starts) - 1
        while self._starts[number][1] > position:
            number -= 1
        start, folded_start = self._starts[number]
        if number not in self._blocks:
            end = self._starts[number + 1][0] if number + 1 < len(self._starts) else len(self.text)
            self._blocks[number] = folded_with_places(self.text[start:end])[1]
        places = self._blocks[number]
        return start + places[min(position - folded_start, len(places) - 1)]
