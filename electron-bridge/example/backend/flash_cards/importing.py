"""The import of a deck: a job, since a large file takes seconds."""

from functools import partial

from flash_cards import decks
from flash_cards.models import LONGEST_SIDE, ImportedDeck
from flash_cards.tables import study
from sidecar.extension import Running, Work

CARDS_A_STEP = 100
"""Few enough for a smooth progress bar, many enough for few commits."""


@study.job(at_once=1, is_repeatable=True)
async def import_deck(job: Running, deck: str, text: str) -> ImportedDeck:
    """Create a card for each line. Run again after a crash, it goes on with the first step that was not stored."""
    lines = [line for line in text.splitlines() if line.strip()]
    sides = [side for side in map(_sides_of, lines) if side is not None]
    job.progress(0, len(sides), deck)
    deck_id = await job.write(partial(_deck_id, name=deck), int, step="deck")
    for start in range(0, len(sides), CARDS_A_STEP):
        part = sides[start : start + CARDS_A_STEP]
        await job.write(partial(decks.create_cards, deck_id=deck_id, sides=part), int, step=f"cards from {start}")
        job.progress(start + len(part), len(sides), deck)
    return ImportedDeck(deck_id=deck_id, cards=len(sides), skipped=len(lines) - len(sides))


def _deck_id(work: Work, name: str) -> int:
    found = decks.find_deck(work.connection, name)
    return (found or decks.create_deck(work, name)).id


def _sides_of(line: str) -> tuple[str, str] | None:
    """Return front and back of a line; `None` if it is no card."""
    front, _, back = (part.strip() for part in line.partition("\t"))
    return (front, back) if front and back and max(len(front), len(back)) <= LONGEST_SIDE else None
