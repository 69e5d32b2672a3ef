"""A store whose index was made before words were folded."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sidecar.clock import SYSTEM_CLOCK
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS
from sidecar.storage.sqlite.schema.upgrade import bring_up_to_date

from .test_search_index import ids, opened, sound

BEFORE_FOLDING = [migration for migration in MIGRATIONS if migration.version < 15]


async def test_an_index_of_before_folding_is_made_anew_and_filled_in_steps(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sidecar.db", isolation_level=None)) as connection:
        bring_up_to_date(connection, None, lambda *_: None, BEFORE_FOLDING, clock=SYSTEM_CLOCK)
        connection.execute("INSERT INTO tips (content) VALUES ('Straße'), ('pending')")
        connection.execute("INSERT INTO conversations (page_name) VALUES ('home')")
        connection.execute("INSERT INTO messages (conversation_id, role, content) VALUES (1, 'user', 'Straße')")
        connection.execute("INSERT INTO search_index (rowid, content) VALUES (?, 'Straße')", (4 << 48 | 1,))
        connection.execute("DELETE FROM search_pending WHERE docid = ?", (4 << 48 | 1,))
    storage = await opened(tmp_path)
    assert sorted(await ids(storage, "STRASSE ")) == ["message:1", "tip:1"]
    page = await storage.search_documents("strasse", filters={"conversation_id": 1, "role": "user"})
    assert [hit.id for hit in page.items] == ["message:1"]
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        sound(connection)


async def test_an_index_that_was_dropped_before_folding_keeps_no_store_from_opening(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sidecar.db", isolation_level=None)) as connection:
        bring_up_to_date(connection, None, lambda *_: None, BEFORE_FOLDING, clock=SYSTEM_CLOCK)
        connection.execute("INSERT INTO tips (content) VALUES ('walrus')")
        connection.execute("DROP TABLE search_index")
    storage = await opened(tmp_path)
    assert await ids(storage, "walrus") == ["tip:1"]
    await storage.close()
