"""Notes: the app's own operations, with a table of their own. `npm run generate` writes their types for the pages."""

from pydantic import BaseModel, Field

from sidecar.extension import (
    Connection,
    Exported,
    Extension,
    Order,
    Page,
    PageRequest,
    Searched,
    Storage,
    StoredRecord,
    Where,
    Work,
    Write,
    columns,
)

notes = Extension("notes")


class NoteCreate(BaseModel):
    text: str = Field(min_length=1, max_length=10_000)


class Note(StoredRecord):
    id: int
    text: str
    created_at: str


class NotePage(Page[Note]):
    """Notes, the newest first."""


NOTES = notes.table(
    "notes",
    Note,
    {"text": columns.text(), "created_at": columns.time()},
    kind="note",
    searched=Searched(time="created_at", title="text", content=("text",)),
    exported=Exported(birth=("created_at",)),
)


@notes.migration(1)
def create_notes(connection: Connection) -> None:
    connection.execute(
        "CREATE TABLE notes_notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, created_at TEXT NOT NULL)"
    )
    connection.execute("CREATE INDEX notes_notes_by_time ON notes_notes (created_at, id)")


@notes.router.post("/notes", status_code=201)
async def create_note(note: NoteCreate, write: Write) -> Note:
    """Create a note."""

    def insert(work: Work) -> Note:
        return NOTES.insert(work, {"text": note.text, "created_at": work.now})

    return await write(insert)


@notes.router.get("/notes", topics=["notes.notes"])
async def list_notes(storage: Storage, limit: int = 100) -> NotePage:
    """List the newest notes."""
    order = Order("created_at", newest_first=True)
    return await storage.read(lambda connection: NOTES.page(connection, NotePage, Where(), order, PageRequest(limit)))


@notes.router.delete("/notes/{note_id}", status_code=204)
async def delete_note(note_id: int, write: Write) -> None:
    """Delete a note."""

    def delete(work: Work) -> None:
        NOTES.delete(work, note_id)

    await write(delete)
