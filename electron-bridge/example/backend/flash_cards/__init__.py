"""Flash cards: decks, cards with two sides, and when each is due. The app's own Python of the example."""

from flash_cards import importing, routes, schedule  # each adds its part to the extension
from flash_cards.tables import study

__all__ = ["importing", "routes", "schedule", "study"]
