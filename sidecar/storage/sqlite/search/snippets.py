"""Showing where a text matches: the text around the matches, in pieces. The index itself keeps no text."""

import re
from collections import deque
from itertools import islice

from sidecar.models.search import TextFragment
from sidecar.storage.sqlite.search.marks import FoldedText, Mark, Marks

LENGTH = 200
_BEFORE = 60
"""Characters of a snippet, and how many of them lie before the first match."""

PART = 100_000
"""Characters of a long text in which a match is looked for at once."""

MATCHES = 200
"""Matches from which the best place is chosen: the one with the most different words."""

_ELLIPSIS = "…"


def marked(text: str, marks: Marks) -> list[TextFragment]:
    """Return all of `text`, its matches marked."""
    return _fragments(FoldedText(text), marks, 0, len(text), 0)


def snippet(text: str, marks: Marks) -> list[TextFragment]:
    """Return about 200 characters from where most of the words are, or from the beginning."""
    searched = FoldedText(text)
    best = _best_place(searched, marks)
    start = 0
    if best is not None:
        first = searched.place(best)
        if first > _BEFORE:
            start = _after_a_gap(text, first - _BEFORE, first)
    end = min(len(text), start + LENGTH)
    fragments = _fragments(searched, marks, start, end, 0 if best is None else best)
    if start > 0:
        fragments.insert(0, TextFragment(text=_ELLIPSIS, match=False))
    if end < len(text):
        fragments.append(TextFragment(text=_ELLIPSIS, match=False))
    return fragments


def deep_snippet(text: str, marks: Marks, start: int) -> list[TextFragment] | None:
    """Return the snippet of the first part of a long text, from `start` on, that has a match; `None` if none has."""
    while start < len(text):
        # Parts overlap, so that what lies across their border is found.
        part = text[max(0, start - LENGTH) : start + PART]
        if next(marks.find(FoldedText(part).folded), None) is not None:
            fragments = snippet(part, marks)
            if start > LENGTH and fragments[0].text != _ELLIPSIS:
                fragments.insert(0, TextFragment(text=_ELLIPSIS, match=False))
            if start + PART < len(text) and fragments[-1].text != _ELLIPSIS:
                fragments.append(TextFragment(text=_ELLIPSIS, match=False))
            return fragments
        start += PART
    return None


def _best_place(searched: FoldedText, marks: Marks) -> int | None:
    """Return where the first of those matches is that have the most different terms behind them in a snippet."""
    telling = marks.telling
    near: deque[Mark] = deque()
    best, most = None, 0
    for mark in islice(telling.find(searched.folded), MATCHES):
        near.append(mark)
        while len(near) > 1 and near[0].start < mark.end - (LENGTH - _BEFORE):
            near.popleft()
        terms = len({one.term for one in near})
        if terms > most:
            best, most = near[0].start, terms
        if most == telling.count:
            break
    if best is None and telling is not marks:
        return next((mark.start for mark in marks.find(searched.folded)), None)
    return best


def _after_a_gap(text: str, start: int, end: int) -> int:
    """Return where the first whole word between the two begins; `start`, if there is no gap."""
    gap = re.search(r"\s+", text[start:end])
    return start if gap is None else start + gap.end()


def _fragments(searched: FoldedText, marks: Marks, start: int, end: int, from_place: int) -> list[TextFragment]:
    """Return the text from `start` to `end`; matches are looked for from a little before `from_place` on."""
    text = searched.text
    fragments = []
    done = start
    for mark in marks.find(searched.folded, max(0, from_place - 4 * _BEFORE)):
        first, last = searched.place(mark.start), searched.place(mark.end)
        if first >= end:
            break
        if first < done:
            continue
        if first > done:
            fragments.append(TextFragment(text=text[done:first], match=False))
        done = min(max(last, first + 1), end)
        fragments.append(TextFragment(text=text[first:done], match=True))
    if done < end:
        fragments.append(TextFragment(text=text[done:end], match=False))
    return fragments
