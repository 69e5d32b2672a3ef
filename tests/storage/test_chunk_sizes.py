"""A message that grows has a largest size, which is known without reading what it has."""

import sqlite3

import pytest

from sidecar.errors import Conflict
from sidecar.models.base import MAX_TEXT_BYTES
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS
from sidecar.storage.sqlite.schema.migrations.m0009_chunk_sizes import migrate
from sidecar.storage.unified import UnifiedStorage

from ..support import backend_of


async def growing(storage: UnifiedStorage, content: str = "") -> int:
    """The id of a message that was made with this content and may grow."""
    conversation = await storage.create_conversation("home")
    return (await storage.create_message(conversation.id, "assistant", content, is_complete=False)).id


async def execute(storage: UnifiedStorage, sql: str, *values: int | str) -> list[tuple[int, ...]]:
    """Run a statement as another program would; what it returned."""
    return await backend_of(storage).database.write(
        lambda work: [tuple(row) for row in work.connection.execute(sql, values).fetchall()]
    )


async def sizes(storage: UnifiedStorage, message_id: int) -> list[int]:
    sql = "SELECT total_bytes FROM message_chunks WHERE message_id = ? ORDER BY sequence"
    return [size for (size,) in await execute(storage, sql, message_id)]


async def test_each_chunk_knows_the_size_of_the_message_up_to_its_end(storage: UnifiedStorage) -> None:
    message_id = await growing(storage, "Größe: ")
    for chunk in ("é", "日本", "x"):
        await storage.append_message_content(message_id, chunk)
    assert await sizes(storage, message_id) == [9 + 2, 9 + 8, 9 + 9]


async def test_a_chunk_that_makes_the_message_too_large_is_refused(storage: UnifiedStorage) -> None:
    message_id = await growing(storage)
    await storage.append_message_content(message_id, "x")
    await execute(storage, "UPDATE message_chunks SET total_bytes = ?", MAX_TEXT_BYTES - 2)
    with pytest.raises(Conflict, match=f"{MAX_TEXT_BYTES + 1} bytes.*finish it"):
        await storage.append_message_content(message_id, "xyz", sequence=1)
    assert (await storage.append_message_content(message_id, "é", sequence=1)).next_sequence == 2
    assert (await storage.mark_message_finished(message_id)).content == "xé"


async def test_a_chunk_that_was_written_is_acknowledged_again_when_nothing_more_fits(storage: UnifiedStorage) -> None:
    message_id = await growing(storage)
    await storage.append_message_content(message_id, "x", sequence=0)
    await execute(storage, "UPDATE message_chunks SET total_bytes = ?", MAX_TEXT_BYTES)
    assert (await storage.append_message_content(message_id, "x", sequence=0)).next_sequence == 1


async def test_a_message_whose_content_was_replaced_begins_at_the_new_size(storage: UnifiedStorage) -> None:
    message_id = await growing(storage)
    await storage.append_message_content(message_id, "x" * 100)
    await storage.update_message(message_id, "short")
    await storage.append_message_content(message_id, "er")
    assert await sizes(storage, message_id) == [7]


async def test_chunks_that_another_program_wrote_are_counted_once(storage: UnifiedStorage) -> None:
    message_id = await growing(storage, "é")
    for sequence, text in enumerate(("ab", "日")):
        sql = "INSERT INTO message_chunks (message_id, sequence, content) VALUES (?, ?, ?)"
        await execute(storage, sql, message_id, sequence, text)
    await storage.append_message_content(message_id, "x")
    await storage.append_message_content(message_id, "y")
    assert await sizes(storage, message_id) == [None, None, 8, 9]
    assert (await storage.mark_message_finished(message_id)).content == "éab日xy"


def test_the_migration_counts_what_is_there() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for migration in MIGRATIONS:
        if migration.version < 9:
            migration.apply(connection)
    connection.executescript("""
        INSERT INTO conversations (id, page_name) VALUES (1, 'home');
        INSERT INTO messages (id, conversation_id, role, content, status)
        VALUES (1, 1, 'assistant', 'é', 'streaming'), (2, 1, 'assistant', '', 'streaming');
        INSERT INTO message_chunks (message_id, sequence, content)
        VALUES (1, 0, 'ab'), (1, 1, '日'), (2, 0, 'x'), (3, 0, 'of a message that is gone');
    """)
    migrate(connection)
    found = connection.execute("SELECT message_id, sequence, total_bytes FROM message_chunks").fetchall()
    assert found == [(1, 0, 4), (1, 1, 7), (2, 0, 1), (3, 0, None)]
    connection.close()
