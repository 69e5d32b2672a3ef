"""The operations: `study.create_deck`, `study.list_decks`, …"""

from flash_cards import decks
from flash_cards.importing import import_deck
from flash_cards.models import Card, CardCreate, CardPage, Deck, DeckCreate, DeckImport, DeckSummary, Review
from flash_cards.preferences import StudyPreferences
from flash_cards.tables import CARDS, study
from sidecar.extension import Job, Jobs, Order, PageRequest, Storage, Work, Write


@study.router.post("/decks", status_code=201)
async def create_deck(body: DeckCreate, write: Write) -> Deck:
    """Create a deck."""

    def create(work: Work) -> Deck:
        return decks.create_deck(work, body.name)

    return await write(create)


@study.router.get("/decks")
async def list_decks(storage: Storage) -> list[DeckSummary]:
    """List all decks by their names, each with the number of its cards."""
    now = storage.clock.now()
    return await storage.read(lambda connection: decks.summaries(connection, now))


@study.router.post("/decks/import", status_code=202)
async def start_import(body: DeckImport, jobs: Jobs) -> Job:
    """Import cards from a text. The job reports its progress under the topic `jobs`."""
    return await jobs.start(import_deck, deck=body.deck, text=body.text)


@study.router.post("/cards", status_code=201)
async def create_card(body: CardCreate, write: Write) -> Card:
    """Create a card in a deck."""

    def create(work: Work) -> Card:
        return decks.create_card(work, body)

    return await write(create)


@study.router.get("/cards/due")
async def list_due_cards(storage: Storage) -> CardPage:
    """List the cards to ask now, the longest due first, as many as the preference `cards_a_day` says."""
    preferences = await storage.read_preferences(StudyPreferences)
    due, page = decks.due_at(storage.clock.now()), PageRequest(preferences.cards_a_day)
    return await storage.read(lambda connection: CARDS.page(connection, CardPage, due, Order("due_at"), page))


@study.router.get("/cards/{card_id}")
async def get_card(storage: Storage, card_id: int) -> Card:
    """Return a card."""
    return await storage.read(lambda connection: CARDS.get(connection, card_id))


@study.router.post("/cards/{card_id}/review")
async def review_card(card_id: int, body: Review, write: Write) -> Card:
    """Note whether a card was known, which decides when it is due again."""

    def review(work: Work) -> Card:
        return decks.review_card(work, card_id, body)

    return await write(review)


@study.router.delete("/cards/{card_id}", status_code=204)
async def delete_card(card_id: int, write: Write) -> None:
    """Delete a card."""

    def delete(work: Work) -> None:
        CARDS.delete(work, card_id)

    await write(delete)
