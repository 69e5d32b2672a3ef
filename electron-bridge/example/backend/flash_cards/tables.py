"""The extension and its tables: searched, exported and repaired like the built-in ones."""

from flash_cards.models import Card, Deck
from sidecar.extension import Connection, Exported, Extension, Reference, Searched, columns

study = Extension("study")

DECKS = study.table(
    "decks",
    Deck,
    {"name": columns.text(), "created_at": columns.time()},
    kind="deck",
    exported=Exported(same=("name",)),
)
CARDS = study.table(
    "cards",
    Card,
    {
        "deck_id": columns.integer(),
        "front": columns.text(),
        "back": columns.text(),
        "box": columns.integer(least=0),
        "due_at": columns.time(),
        "created_at": columns.time(),
    },
    kind="card",
    searched=Searched(time="created_at", title="front", content=("front", "back"), metadata=("deck_id",)),
    exported=Exported(birth=("created_at",), references=(Reference("deck_id", "study.decks"),)),
)


@study.migration(1)
def create_decks_and_cards(connection: Connection) -> None:
    connection.execute(
        "CREATE TABLE study_decks (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, "
        "created_at TEXT NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE study_cards (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "deck_id INTEGER NOT NULL REFERENCES study_decks (id) ON DELETE CASCADE, front TEXT NOT NULL, "
        "back TEXT NOT NULL, box INTEGER NOT NULL DEFAULT 0, due_at TEXT NOT NULL, created_at TEXT NOT NULL)"
    )
    connection.execute("CREATE INDEX study_cards_by_due ON study_cards (due_at, id)")
