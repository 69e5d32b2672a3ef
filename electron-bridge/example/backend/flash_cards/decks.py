"""The rules of decks and cards, as units of work and queries. They know no HTTP and no jobs."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from flash_cards.models import Card, CardCreate, Deck, DeckSummary, Review
from flash_cards.tables import CARDS, DECKS
from sidecar.extension import Conflict, Connection, Where, Work

DAYS_IN_BOX = (0, 1, 3, 7, 14, 30)
"""Days until a card is asked again, by the number of times in a row that it was known."""


def find_deck(connection: Connection, name: str) -> Deck | None:
    """Return the deck of this name."""
    row = connection.execute("SELECT * FROM study_decks WHERE name = ?", (name,)).fetchone()
    return None if row is None else DECKS.record(row)


def create_deck(work: Work, name: str) -> Deck:
    """Create a deck. Raises `Conflict` for a name that another one has."""
    if find_deck(work.connection, name) is not None:
        raise Conflict(f"There is a deck '{name}' already; choose another name.")
    return DECKS.insert(work, {"name": name, "created_at": work.now})


def summaries(connection: Connection, now: datetime) -> list[DeckSummary]:
    """Return all decks by their names."""

    def summary(deck_id: int, name: str) -> DeckSummary:
        cards = CARDS.count(connection, Where().equals("deck_id", deck_id))
        due = CARDS.count(connection, due_at(now).equals("deck_id", deck_id))
        return DeckSummary(id=deck_id, name=name, cards=cards, due=due)

    return [summary(*row) for row in connection.execute("SELECT id, name FROM study_decks ORDER BY name")]


def create_card(work: Work, card: CardCreate) -> Card:
    """Create a card that is due now. Raises `NotFound` if there is no such deck."""
    DECKS.get(work.connection, card.deck_id)
    return CARDS.insert(work, _new_card(work, card.deck_id, card.front, card.back))


def create_cards(work: Work, deck_id: int, sides: Iterable[tuple[str, str]]) -> int:
    """Create many cards in one deck; return their number."""
    return len(CARDS.insert_many(work, [_new_card(work, deck_id, front, back) for front, back in sides]))


def review_card(work: Work, card_id: int, review: Review) -> Card:
    """Put the card into its next box if it was known, and back into the first one otherwise. Raises `NotFound`."""
    card = CARDS.get(work.connection, card_id)
    box = min(card.box + 1, len(DAYS_IN_BOX) - 1) if review.known else 0
    due = datetime.fromisoformat(work.now) + timedelta(days=DAYS_IN_BOX[box])
    return CARDS.update(work, card_id, {"box": box, "due_at": due})


def due_at(now: datetime) -> Where:
    """Return the condition of cards that can be asked now."""
    return Where().at_most("due_at", now, "now")


def _new_card(work: Work, deck_id: int, front: str, back: str) -> dict[str, object]:
    return {
        "deck_id": deck_id,
        "front": front,
        "back": back,
        "box": 0,
        "due_at": work.now,
        "created_at": work.now,
    }
