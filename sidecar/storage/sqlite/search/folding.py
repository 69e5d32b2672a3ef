"""Folding: one form for all the ways in which a word is written. The index, queries and marks share it.

A folded text is in NFKC and casefolded. Accents of Latin, Greek and Cyrillic letters, points of Hebrew and vowel marks
of Arabic are removed; signs that carry a sound elsewhere (Hindi's vowels, Japanese voicing) stay. What separates words
is a space, or an ASCII character that is neither letter nor digit.
"""

import re
import unicodedata
from functools import cache

_LETTERS = str.maketrans(
    {
        **dict(zip("đðħıłøŧŋƀɨʉƶɖɗɓɠƙƴⱥȼɇɉɍɏĸ", "ddhilotnbiuzddbgkyacejryk", strict=True)),
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        # Arabic: alef, waw and yeh with and without hamza, dotless yeh, Persian yeh and kaf, ta marbuta, Urdu heh.
        **dict.fromkeys("أإآٱ", "\u0627"),
        "ؤ": "و",
        **dict.fromkeys("ئىیې", "ي"),
        "ک": "ك",
        **dict.fromkeys("ةہھ", "\u0647"),
    }
)
"""Letters that Unicode does not decompose, and forms of one letter."""

_MARKS = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
"""Accents, of whatever letter."""

_REMOVED = (
    # Points of Hebrew; vowel marks of Arabic, and tatweel.
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
    # What nobody sees: soft hyphens, joiners, directions, variants; colours of skin.
    "\u00ad\u034f\u061c\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
    "\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
)

EMOJI = "\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
"""Ranges of pictures, which are words by themselves; box-drawing and arrows are not."""

_MARK = (
    "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0903"
    "\u093a-\u094f\u09bc-\u09d7\u0b3c-\u0b57\u0bbe-\u0bd7\u0cbc-\u0cd6\u0d3e-\u0d57\u0dca-\u0ddf\u1160-\u11ff"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f\uff9e\uff9f]"
)
"""Characters that NFKC may compose with the one before: marks, vowels and endings of Korean, half-width voicing."""

_MOST_MARKS = 30
"""As many as Unicode's stream-safe format allows; no language has more than a few."""

# Patterns of many ranges take milliseconds to compile, each: that is done when a text first needs them.
_pattern = cache(re.compile)


class _Fold(dict[int, str]):
    """For `str.translate`: each character of a text in NFKC as folded text. Filled as characters occur."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded_character(chr(code))
        return folded


def _folded_character(character: str) -> str:
    if _pattern(_REMOVED).match(character):
        return ""
    category = unicodedata.category(character)
    if category[0] in "PSZC" and category != "Co" and not _pattern(f"[{EMOJI}]").match(character):
        return " " if ord(character) > 127 or category == "Cc" else character
    if category == "Nd":
        return str(unicodedata.decimal(character))
    bare = _pattern(_MARKS).sub("", unicodedata.normalize("NFD", character))
    return unicodedata.normalize("NFC", bare).casefold().translate(_LETTERS)


_FOLD = _Fold()
_ASCII = bytes(range(128))
_REPLACED_ONE_BY_ONE = 64
"""Up to so many different characters are replaced one after the other: a text has few that folding changes, and a
translation looks up every character."""


def folded(text: str) -> str:
    """Return `text` as it is compared."""
    if text.isascii():
        return text.lower()
    others = _others(text)
    if any(map(unicodedata.combining, others)):
        # Marks are sorted, in a time that grows with the square of how many follow one another.
        text = _pattern(f"({_MARK}{{{_MOST_MARKS}}}){_MARK}+").sub(r"\1", text)
    composed = unicodedata.normalize("NFKC", text).lower()
    if composed != text:
        text, others = composed, _others(composed)
    changed = [other for other in others if _FOLD[ord(other)] != other]
    if len(changed) > _REPLACED_ONE_BY_ONE:
        return text.translate(_FOLD)
    for character in changed:
        text = text.replace(character, _FOLD[ord(character)])
    return text


def _others(text: str) -> set[str]:
    """Return the characters of a text that are not ASCII."""
    return set(text.encode(errors="replace").translate(None, _ASCII).decode())


def folded_with_places(text: str) -> tuple[str, list[int]]:
    """Return `text` folded, and for each of its characters, and its end, where in `text` it comes from."""
    if text.isascii() or _is_folded_one_by_one(text):
        return folded(text), list(range(len(text) + 1))
    pieces: list[str] = []
    places: list[int] = []
    for cluster in _pattern(f"(?s:.){_MARK}*").finditer(text):
        piece = folded(cluster[0])
        pieces.append(piece)
        places += [cluster.start()] * len(piece)
    places.append(len(text))
    return "".join(pieces), places


def _is_folded_one_by_one(text: str) -> bool:
    are_single = all(len(_FOLD[ord(one)]) == len(one.lower()) == 1 for one in set(text))
    return are_single and unicodedata.is_normalized("NFKC", text)


def next_start(text: str, position: int) -> int:
    """Return where from `position` on the next character begins that nothing before it composes with."""
    if position >= len(text):
        return len(text)
    joined = _pattern(f"{_MARK}*").match(text, position)
    return position if joined is None else joined.end()
