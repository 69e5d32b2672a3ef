"""One ranking out of two: documents found by word and documents found by meaning.

Reciprocal rank fusion (Cormack, Clarke and Buettcher, 2009): a document scores 1 / (60 + rank) in each ranking that has
it. Scores of the rankings themselves, which are of different kinds, do not matter.
"""

from collections.abc import Sequence
from typing import NamedTuple

RANKED = 100
"""How many of each ranking are fused."""

_SOFTENING = 60
"""As in the paper: keeps the first places from deciding alone."""


class Fused(NamedTuple):
    """A document, and its place in each ranking, from 1; `None` where it was not found."""

    id: str
    score: float
    word_rank: int | None
    meaning_rank: int | None


def fuse(by_word: Sequence[str], by_meaning: Sequence[str]) -> list[Fused]:
    """Every document of both rankings once, the best first; of equally good ones, those found by word."""
    word_ranks = _ranks(by_word)
    meaning_ranks = _ranks(by_meaning)
    fused = [
        _fused(document, word_ranks.get(document), meaning_ranks.get(document))
        for document in {**word_ranks, **meaning_ranks}
    ]
    return sorted(fused, key=lambda found: found.score, reverse=True)


def _ranks(documents: Sequence[str]) -> dict[str, int]:
    return {document: rank for rank, document in enumerate(documents, start=1)}


def _fused(document: str, *ranks: int | None) -> Fused:
    score = sum(1 / (_SOFTENING + rank) for rank in ranks if rank is not None)
    return Fused(document, score, *ranks)
