"""Showing where a text matches: the text around the first matches, in pieces. The index itself keeps no text."""

import re

from sidecar.models.search import TextFragment
from sidecar.storage.sqlite.search.query import folded

LOOKED_AT = 20_000
"""Characters of a text in which matches are looked for; beyond them a text is found, but not marked."""

LENGTH = 200
_BEFORE = 60
"""Characters of a snippet, and how many of them lie before the first match."""

_ELLIPSIS = "…"

NOWHERE = re.compile(r"(?!)")
"""Marks nothing."""


def marked(text: str, pattern: re.Pattern[str]) -> list[TextFragment]:
    """All of `text`, its matches marked."""
    return _parts(text, folded(text), pattern, 0, len(text))


def snippet(text: str, pattern: re.Pattern[str]) -> list[TextFragment]:
    """About 200 characters from where the first match is, or from the beginning."""
    text = text[:LOOKED_AT]
    searched = folded(text)
    first = pattern.search(searched)
    start = 0
    if first is not None and first.start() > _BEFORE:
        start = _after_a_gap(text, first.start() - _BEFORE, first.start())
    end = min(len(text), start + LENGTH)
    parts = _parts(text, searched, pattern, start, end)
    if start > 0:
        parts.insert(0, TextFragment(text=_ELLIPSIS, match=False))
    if end < len(text):
        parts.append(TextFragment(text=_ELLIPSIS, match=False))
    return parts


def _after_a_gap(text: str, start: int, end: int) -> int:
    """Where the first whole word between the two begins; `start`, if there is no gap."""
    gap = re.search(r"\s+", text[start:end])
    return start if gap is None else start + gap.end()


def _parts(text: str, searched: str, pattern: re.Pattern[str], start: int, end: int) -> list[TextFragment]:
    parts = []
    done = start
    for found in pattern.finditer(searched, start):
        if found.start() >= end:
            break
        if found.start() > done:
            parts.append(TextFragment(text=text[done : found.start()], match=False))
        done = min(found.end(), end)
        parts.append(TextFragment(text=text[found.start() : done], match=True))
    if done < end:
        parts.append(TextFragment(text=text[done:end], match=False))
    return parts
