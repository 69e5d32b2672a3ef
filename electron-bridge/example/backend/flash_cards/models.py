"""What crosses to the page."""

from pydantic import BaseModel, Field

from sidecar.extension import Page, StoredRecord

LONGEST_SIDE = 2_000
LONGEST_IMPORT = 500_000
"""Characters of an imported file: about ten thousand cards."""


class DeckCreate(BaseModel):
    name: str = Field(min_length=1, max_length=200)


class Deck(StoredRecord):
    id: int
    name: str
    created_at: str


class DeckSummary(BaseModel):
    """A deck with the numbers that its row in a list shows."""

    id: int
    name: str
    cards: int
    due: int = Field(description="Number of its cards that can be asked now.")


class CardCreate(BaseModel):
    deck_id: int
    front: str = Field(min_length=1, max_length=LONGEST_SIDE)
    back: str = Field(min_length=1, max_length=LONGEST_SIDE)


class Card(StoredRecord):
    id: int
    deck_id: int
    front: str
    back: str
    box: int = Field(description="Number of times in a row that it was known.")
    due_at: str
    created_at: str


class CardPage(Page[Card]):
    """Cards in the order in which they are due."""


class Review(BaseModel):
    known: bool


class DeckImport(BaseModel):
    deck: str = Field(min_length=1, max_length=200, description="Name of the deck, which is created if it is missing.")
    text: str = Field(max_length=LONGEST_IMPORT, description="A card on each line: its front, a tab, its back.")


class ImportedDeck(BaseModel):
    deck_id: int
    cards: int
    skipped: int = Field(description="Number of lines that are no card.")
