"""What runs by itself."""

from flash_cards.decks import due_at
from flash_cards.tables import CARDS, study
from sidecar.extension import Events, Storage


@study.every(hours=1)
async def remind(storage: Storage, events: Events) -> dict[str, int]:
    """Tell the pages how many cards are due, under the topic `study.reminders`."""
    now = storage.clock.now()
    due = await storage.read(lambda connection: CARDS.count(connection, due_at(now)))
    if due:
        events.publish("study.reminders", {"due": due})
    return {"due": due}
