"""An extension of the least size: cards with two sides."""

import sqlite3

from pydantic import BaseModel

from sidecar.extension import Connection, Extension, NotFound, Storage, Work, Write


class CardCreate(BaseModel):
    front: str
    back: str


class Card(CardCreate):
    id: int


def flash_cards() -> Extension:
    """Return a new extension `notes`."""
    notes = Extension("notes")

    @notes.migration(1)
    def create_cards(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE notes_cards (id INTEGER PRIMARY KEY, front TEXT NOT NULL, back TEXT NOT NULL)")

    @notes.router.post("/cards", status_code=201)
    async def create_card(body: CardCreate, write: Write) -> Card:
        """Create a card."""

        def insert(work: Work) -> Card:
            sql = "INSERT INTO notes_cards (front, back) VALUES (?, ?) RETURNING id"
            (card_id,) = work.connection.execute(sql, (body.front, body.back)).fetchone()
            work.changed("notes.cards", card_id)
            return Card(id=card_id, front=body.front, back=body.back)

        return await write(insert)

    @notes.router.get("/cards/{card_id}")
    async def get_card(storage: Storage, card_id: int) -> Card:
        """Return a card."""

        def find(connection: Connection) -> Card:
            sql = "SELECT id, front, back FROM notes_cards WHERE id = ?"
            row = connection.execute(sql, (card_id,)).fetchone()
            if row is None:
                raise NotFound.row("card", card_id)
            return Card(**dict(row))

        return await storage.read(find)

    return notes
