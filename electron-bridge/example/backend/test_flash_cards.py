"""Decks and cards: over a running sidecar, and their rules over a storage in memory with a clock by hand."""

from datetime import timedelta
from typing import Any

import pytest
from flash_cards import decks
from flash_cards.models import Card, CardCreate, Review
from flash_cards.tables import CARDS

from sidecar.errors import Conflict
from sidecar.extension import Storage, Work
from sidecar.testing import Client, RunningSidecar, SetClock

LINES = "\n".join(f"word {number}\tWort {number}" for number in range(250))


def import_deck(client: Client, name: str, text: str) -> dict[str, Any]:
    """Import a deck; return the job when it is finished."""
    with client.events("jobs") as events:
        job = client.post("/x/study/decks/import", {"deck": name, "text": text}).expect(202).json()
        while client.get(f"/jobs/{job['id']}").expect(200).json()["status"] in ("queued", "running"):
            next(events)
    finished: dict[str, Any] = client.get(f"/jobs/{job['id']}").expect(200).json()
    return finished


async def a_card(storage: Storage) -> Card:
    def create(work: Work) -> Card:
        deck = decks.create_deck(work, "French")
        return decks.create_card(work, CardCreate(deck_id=deck.id, front="sea", back="mer"))

    return await storage.write(create)


async def review(storage: Storage, card: Card, *, known: bool) -> Card:
    return await storage.write(lambda work: decks.review_card(work, card.id, Review(known=known)))


async def test_a_card_that_is_known_is_due_later_each_time(storage: Storage) -> None:
    card = await a_card(storage)
    dues = []
    for _ in range(6):
        card = await review(storage, card, known=True)
        dues.append(card.due_at[:10])
    assert dues == ["2026-02-01", "2026-02-03", "2026-02-07", "2026-02-14", "2026-03-02", "2026-03-02"]
    card = await review(storage, card, known=False)
    assert (card.box, card.due_at) == (0, "2026-01-31T09:30:00.000Z")


async def test_a_card_is_asked_when_it_is_due(storage: Storage, clock: SetClock) -> None:
    card = await a_card(storage)
    await review(storage, card, known=True)

    async def due() -> int:
        return await storage.read(lambda connection: CARDS.count(connection, decks.due_at(clock.now())))

    assert await due() == 0
    clock.wait(timedelta(days=1))
    assert await due() == 1


async def test_two_decks_of_one_name_are_refused(storage: Storage) -> None:
    await a_card(storage)
    with pytest.raises(Conflict, match="There is a deck 'French' already"):
        await a_card(storage)


def test_an_import_reports_its_progress_and_its_cards_are_found(client: Client) -> None:
    job = import_deck(client, "German", f"{LINES}\nno card\n\tno front\n")
    assert (job["status"], job["result"]) == ("done", {"deck_id": 1, "cards": 250, "skipped": 2})
    assert (job["done"], job["total"], job["message"]) == (250, 250, "German")
    assert client.get("/x/study/decks").json() == [{"id": 1, "name": "German", "cards": 250, "due": 250}]
    (hit,) = client.get("/search", q='"Wort 17"').expect(200).json()["items"]
    assert hit["id"] == "study.card:18"


def test_an_import_adds_to_a_deck_that_is_there(client: Client) -> None:
    import_deck(client, "German", "sea\tMeer")
    import_deck(client, "German", "sun\tSonne")
    assert client.get("/x/study/decks").json() == [{"id": 1, "name": "German", "cards": 2, "due": 2}]


def test_a_card_is_reviewed_and_deleted(client: Client) -> None:
    import_deck(client, "German", "sea\tMeer\nsun\tSonne")
    assert client.post("/x/study/cards/1/review", {"known": True}).expect(200).json()["box"] == 1
    assert [card["front"] for card in client.get("/x/study/cards/due").json()["items"]] == ["sun"]
    client.request("DELETE", "/x/study/cards/2").expect(204)
    client.get("/x/study/cards/2").expect(404)


def test_an_import_goes_on_after_a_crash(sidecar: RunningSidecar) -> None:
    client = sidecar.client
    with client.events("jobs") as events:
        text = "\n".join(f"word {number}\tWort {number}" for number in range(5_000))
        job = client.post("/x/study/decks/import", {"deck": "German", "text": text}).expect(202).json()
        while (event := next(events))["done"] in (None, 0):
            assert event["status"] in ("queued", "running")
    sidecar.kill()
    sidecar.start()
    client = sidecar.client
    with client.events("jobs") as events:
        while client.get(f"/jobs/{job['id']}").json()["status"] in ("queued", "running"):
            next(events)
    assert client.get(f"/jobs/{job['id']}").json()["result"]["cards"] == 5_000
    assert client.get("/x/study/decks").json() == [{"id": 1, "name": "German", "cards": 5_000, "due": 5_000}]


def test_the_person_chooses_how_many_cards_are_asked(client: Client) -> None:
    import_deck(client, "German", LINES)
    assert len(client.get("/x/study/cards/due").json()["items"]) == 20
    client.put("/preferences/study/cards_a_day", {"value": 3}).expect(200)
    assert len(client.get("/x/study/cards/due").json()["items"]) == 3
    refused = client.put("/preferences/study/cards_a_day", {"value": 0})
    assert (refused.status, refused.json()["errors"][0]["field"]) == (422, "value")


def test_pages_are_told_how_many_cards_are_due(client: Client) -> None:
    import_deck(client, "German", LINES)
    with client.events("study.reminders") as events:
        done = client.post("/upkeep/run", {"task": "study.remind"}).expect(200).json()
        assert next(events)["due"] == 250
    assert done["did"] == {"due": 250}
