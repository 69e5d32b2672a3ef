"""A typed query as a search: an expression for FTS5, and a pattern for the words to highlight.

Nothing that is typed is an error. Words are separated by white space and by every other character that the index
does not take for a part of a word.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sidecar.storage.sqlite.search.index_format import CHARACTERS

MAX_CHARACTERS = 2_000
MAX_TERMS = 32

_COLUMNS = "{title content tags}"
_MARKS = "\u0300-\u036f"
_LETTER = f"[^\\W_{CHARACTERS}]"
"""A character of a word that is written without gaps."""

_TYPED = re.compile(r'(?P<minus>(?<!\S)-+)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
# Text, which `re` compiles when a search first uses it: that takes longer than all else that this file does.
_CHARACTER = f"[{CHARACTERS}]"
_PIECES = f"[{CHARACTERS}]+|[^{CHARACTERS}]+"


class _Fold(dict[int, int]):
    """For `str.translate`: each character without case and accents, as one character. Filled as characters occur."""

    def __missing__(self, code: int) -> int:
        decomposed = unicodedata.normalize("NFD", chr(code))
        base = decomposed[0] if all(_is_mark(mark) for mark in decomposed[1:]) else chr(code)
        lower = base.lower()
        self[code] = folded = ord(lower) if len(lower) == 1 else ord(base)
        return folded


_FOLD = _Fold()


def folded(text: str) -> str:
    """`text`, character for character, without case and accents."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


@dataclass(frozen=True)
class Term:
    """Words that follow one another."""

    words: tuple[str, ...]

    @property
    def match(self) -> str:
        """The term for FTS5, which takes a string for a phrase."""
        return f'"{" ".join(re.sub(_CHARACTER, _set_apart, word) for word in self.words)}"'

    @property
    def begins_apart(self) -> bool:
        """Return whether it begins with a character that is a word by itself, so that anything may be before it."""
        return bool(re.match(_CHARACTER, self.words[0]))

    def pattern(self, *, is_beginning: bool) -> str:
        """A regular expression for folded text, from where a word begins."""
        pattern = _word_pattern(self.words[0])
        for before, word in pairwise(self.words):
            is_apart = re.match(_CHARACTER, before) or re.match(_CHARACTER, word)
            pattern += (r"[\W_]*" if is_apart else r"[\W_]+") + _word_pattern(word)
        if re.match(_CHARACTER, self.words[-1]):
            return pattern
        return pattern + (f"{_LETTER}*" if is_beginning else f"(?!{_LETTER})")


@dataclass(frozen=True)
class Search:
    """A parsed query. The last term may be the beginning of a word."""

    terms: Sequence[Term]
    excluded: Sequence[Term]
    has_beginning: bool

    def match(self, facets: Sequence[str], *, whole_words: bool = False) -> str:
        """The expression for FTS5; `facets` are parts of it that hold, too. With `whole_words`, none is a beginning."""
        terms = [term.match for term in self.terms]
        if self.has_beginning and not whole_words:
            terms[-1] += " *"
        wanted = f"{_COLUMNS} : ({' AND '.join(terms)})"
        if self.excluded:
            wanted = f"({wanted} NOT {_COLUMNS} : ({' OR '.join(term.match for term in self.excluded)}))"
        return " AND ".join([wanted, *facets])

    def pattern(self) -> re.Pattern[str]:
        """Finds the terms in folded text."""
        last = len(self.terms) - 1
        inside: list[str] = []
        apart: list[str] = []
        for number, term in enumerate(self.terms):
            pattern = term.pattern(is_beginning=self.has_beginning and number == last)
            (apart if term.begins_apart else inside).append(pattern)
        if inside:
            apart.append(f"(?<!{_LETTER})(?:{'|'.join(sorted(inside, key=len, reverse=True))})")
        return re.compile("|".join(apart))


def parse(typed: str) -> Search | None:
    """The search that `typed` asks for; `None` if there is no word to search for."""
    text = typed[:MAX_CHARACTERS].encode("utf-8", "replace").decode()
    terms: list[Term] = []
    excluded: list[Term] = []
    has_beginning = False
    for found in _TYPED.finditer(text):
        if len(terms) + len(excluded) >= MAX_TERMS:
            has_beginning = False
            break
        if found["phrase"] is not None:
            words = tuple(_words(found["phrase"]))
            parts = [Term(words)] if words else []
        else:
            parts = [Term((word,)) for word in _words(found["word"])]
        (excluded if found["minus"] else terms).extend(parts)
        is_last = found.end() == len(text) and found["word"] is not None and not found["minus"]
        has_beginning = bool(parts) and is_last and not _separates(text[-1]) and not re.match(_CHARACTER, text[-1])
    # Most words of the index begin with one of a few letters; gathering them all would take longer than typing on.
    is_one_letter = len(terms) == 1 and len(terms[0].words[0]) == 1 and terms[0].words[0].isascii()
    if len(terms) > MAX_TERMS or is_one_letter:
        has_beginning = False
    return Search(terms[:MAX_TERMS], excluded[:MAX_TERMS], has_beginning) if terms else None


def _words(text: str) -> list[str]:
    """The words in `text`; a run of characters that are words by themselves is one here."""
    spaced = "".join(" " if _separates(character) else character for character in text)
    pieces = (piece for word in spaced.split() for piece in re.findall(_PIECES, word))
    return [piece for piece in pieces if any(unicodedata.category(character)[0] in "LNC" for character in piece)]


def _separates(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "PSZC" and category != "Co"


def _is_mark(character: str) -> bool:
    """Return whether the index forgets it: an accent of letters, not a sound of Japanese or a vowel of Hindi."""
    return "\u0300" <= character <= "\u036f"


def _set_apart(character: re.Match[str]) -> str:
    return f" {character[0]} "


def _word_pattern(word: str) -> str:
    letters = [re.escape(letter) for letter in folded(word) if not _is_mark(letter)]
    between = r"[\W_]*" if re.match(_CHARACTER, word) else f"[{_MARKS}]*"
    return between.join(letters) + ("" if re.match(_CHARACTER, word) else f"[{_MARKS}]*")
