"""An extension with declared tables: decks, and cards that belong to them."""

import sqlite3

from pydantic import JsonValue

from sidecar.extension import Exported, Extension, Reference, Searched, StoredRecord, columns
from sidecar.extension.tables import OwnTable


class Deck(StoredRecord):
    id: int
    name: str


class Card(StoredRecord):
    id: int
    deck_id: int
    todo_id: int | None
    front: str
    back: str | None
    is_known: bool
    tags: list[JsonValue]
    created_at: str


class Study:
    """The extension `notes`, new each time."""

    def __init__(self, *, searched: Searched | None = None) -> None:
        self.extension = Extension("notes")

        @self.extension.migration(1)
        def create(connection: sqlite3.Connection) -> None:
            connection.execute(
                "CREATE TABLE notes_decks (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE)"
            )
            connection.execute(
                """
                CREATE TABLE notes_cards (
                    id INTEGER PRIMARY KEY AUTOINCREMENT, deck_id INTEGER NOT NULL, todo_id INTEGER,
                    front TEXT NOT NULL, back TEXT, is_known INTEGER NOT NULL DEFAULT 0,
                    tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL
                )
                """
            )

        self.decks: OwnTable[Deck] = self.extension.table(
            "decks", Deck, {"name": columns.text()}, kind="deck", exported=Exported(same=("name",))
        )
        self.cards: OwnTable[Card] = self.extension.table(
            "cards",
            Card,
            {
                "deck_id": columns.integer(),
                "todo_id": columns.integer(optional=True),
                "front": columns.text(),
                "back": columns.text(optional=True),
                "is_known": columns.boolean(),
                "tags": columns.json_list(),
                "created_at": columns.time(),
            },
            kind="card",
            searched=searched
            or Searched(time="created_at", title="front", content=("front", "back"), metadata=("deck_id", "tags")),
            exported=Exported(
                birth=("created_at",),
                references=(Reference("deck_id", "notes.decks"), Reference("todo_id", "todos", required=False)),
            ),
        )
